"""Addresses of the public pages; a name's page is a permanent link."""

from __future__ import annotations

from django.urls import path

from . import pages, policies, reports, shared

app_name = "status"
urlpatterns = [
    path("", pages.index, name="index"),
    path("policy/", policies.policies, name="policies"),
    path("policy/<str:zone>", policies.policy, name="policy"),
    path("policy/<str:zone>/json", policies.policy_json, name="policy-json"),
    path("<path:name>/badge.svg", pages.badge, name="badge"),
    path("<path:name>/check", pages.check, name="check"),
    path("<path:name>/look", pages.look, name="look"),
    path("<path:name>/json", pages.name_json, name="json"),
    path("<path:name>", pages.name, name="name"),
]

report_patterns = (
    [
        path("<uuid:scan_id>", reports.report, name="report"),
        path("<uuid:scan_id>/json", reports.report_json, name="report-json"),
    ],
    "reports",
)
"""Addresses of frozen evaluations, short enough to be written down."""

shared_patterns = (
    [
        path("<str:token>/", shared.finding, name="finding"),
        path("<str:token>/domains.csv", shared.members, {"ending": "csv"}, name="csv"),
        path(
            "<str:token>/domains.json", shared.members, {"ending": "json"}, name="json"
        ),
    ],
    "shared",
)
"""Addresses of causes that staff sent to an operator."""
