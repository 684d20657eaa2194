"""Addresses of the pages of staff."""

from __future__ import annotations

from django.urls import path

from . import alarms, audit, domains, overview, proposals, scans, zones

app_name = "dashboard"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("queue/", proposals.queue, name="queue"),
    path("proposals/<uuid:proposal_id>/", proposals.proposal, name="proposal"),
    path("proposals/<uuid:proposal_id>/decide/", proposals.decide, name="decide"),
    path("domains/", domains.domains, name="domains"),
    path("domains/<int:domain_id>/", domains.domain, name="domain"),
    path("domains/<int:domain_id>/scan/", domains.scan_again, name="scan-again"),
    path("scans/", scans.scans, name="scans"),
    path("scans/<uuid:scan_id>/", scans.scan, name="scan"),
    path("scans/<uuid:scan_id>/evidence/", scans.evidence, name="evidence"),
    path("zones/", zones.zones, name="zones"),
    path("zones/<int:zone_id>/", zones.zone, name="zone"),
    path("alarms/", alarms.alarms, name="alarms"),
    path("alarms/<int:alarm_id>/acknowledge/", alarms.acknowledge, name="acknowledge"),
    path("audit/", audit.trail, name="trail"),
    path("audit/<uuid:uid>/", audit.entry, name="entry"),
]
