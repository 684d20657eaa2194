"""Addresses of the pages of staff."""

from __future__ import annotations

from django.urls import path

from . import (
    alarms,
    audit,
    domains,
    exports,
    machinery,
    notes,
    operators,
    overview,
    proposals,
    queue,
    reports,
    rules,
    scans,
    zones,
)

app_name = "dashboard"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("queue/", queue.queue, name="queue"),
    path("queue/batch/", queue.batch, name="batch"),
    path("queue/batch/decide/", queue.batch_decide, name="batch-decide"),
    path("queue/views/", queue.save_view, name="save-view"),
    path("queue/views/<slug:slug>/delete/", queue.delete_view, name="delete-view"),
    path(
        "proposals/<uuid:proposal_id>/notes/",
        notes.note_proposal,
        name="note-proposal",
    ),
    path("domains/<int:domain_id>/notes/", notes.note_domain, name="note-domain"),
    path("domains/<int:domain_id>/suspend/", notes.suspend, name="suspend"),
    path("domains/<int:domain_id>/resume/", notes.resume, name="resume"),
    path("scans/<uuid:scan_id>/messages/", scans.messages, name="messages"),
    path(
        "scans/<uuid:scan_id>/compare/<uuid:before_id>/",
        scans.compare,
        name="compare",
    ),
    path("proposals/<uuid:proposal_id>/", proposals.proposal, name="proposal"),
    path("proposals/<uuid:proposal_id>/decide/", proposals.decide, name="decide"),
    path("domains/", domains.domains, name="domains"),
    path("domains/<int:domain_id>/", domains.domain, name="domain"),
    path("domains/<int:domain_id>/scan/", domains.scan_again, name="scan-again"),
    path("scans/", scans.scans, name="scans"),
    path("scans/running/", machinery.running, name="running"),
    path("scans/running/start/", machinery.start, name="scans-start"),
    path("scans/running/stop/", machinery.stop, name="scans-stop"),
    path("scans/<uuid:scan_id>/", scans.scan, name="scan"),
    path("scans/<uuid:scan_id>/evidence/", scans.evidence, name="evidence"),
    path("zones/", zones.zones, name="zones"),
    path("zones/<int:zone_id>/", zones.zone, name="zone"),
    path("zones/<int:zone_id>/rules/", rules.edit, name="rules-edit"),
    path("zones/<int:zone_id>/rules/ask/", rules.ask, name="rules-ask"),
    path("rules/<int:change_id>/", rules.rules, name="rules"),
    path("rules/<int:change_id>/decide/", rules.decide, name="rules-decide"),
    path("system/", machinery.system, name="system"),
    path("system/stop/", machinery.engage, name="switch-engage"),
    path("system/go-on/", machinery.disengage, name="switch-release"),
    path(
        "system/breakers/<int:breaker_id>/", machinery.release, name="breaker-release"
    ),
    path("zones/<int:zone_id>/readiness/", operators.readiness, name="readiness"),
    path("operators/", operators.operators, name="operators"),
    path("operators/<slug:ns_key>/", operators.operator, name="operator"),
    path(
        "operators/<uuid:finding_id>/domains.csv",
        operators.members,
        {"ending": "csv"},
        name="operator-csv",
    ),
    path(
        "operators/<uuid:finding_id>/domains.json",
        operators.members,
        {"ending": "json"},
        name="operator-json",
    ),
    path("alarms/", alarms.alarms, name="alarms"),
    path("alarms/<int:alarm_id>/acknowledge/", alarms.acknowledge, name="acknowledge"),
    path("export/<slug:what>/<slug:form>/", exports.export, name="export"),
    path("audit/report/", reports.report, name="report"),
    path("audit/report/<slug:form>/", reports.download, name="report-download"),
    path("audit/", audit.trail, name="trail"),
    path("audit/<uuid:uid>/", audit.entry, name="entry"),
]
