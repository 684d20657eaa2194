"""Evaluations and their evidence."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.evaluation.reasons import Kind
from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.models import Evidence, ScanAttempt, ScanFinding

from .base import Columns, ReadOnlyAdmin, known


@admin.register(ScanAttempt)
class ScanAttemptAdmin(ReadOnlyAdmin[ScanAttempt]):
    """Evaluations."""

    list_display = ("domain", "outcome", "primary_reason", "trigger", "started_at")
    list_filter = (
        known("outcome", Outcome),
        known("kind", Kind),
        known("trigger", Trigger),
    )
    list_select_related = ("domain",)
    search_fields = ("domain__name__startswith",)

    def get_fields(
        self, request: HttpRequest, obj: ScanAttempt | None = None
    ) -> Columns:
        """Put the link to the page with pictures and packets first."""
        return ["page", *super().get_fields(request, obj)]

    @admin.display(description="full page")
    def page(self, scan: ScanAttempt) -> str:
        """Return a link to the page of the dashboard."""
        url = reverse("dashboard:scan", kwargs={"scan_id": scan.pk})
        return format_html('<a href="{}">findings, chains, messages</a>', url)


@admin.register(ScanFinding)
class ScanFindingAdmin(ReadOnlyAdmin[ScanFinding]):
    """Findings."""

    zone_column = "scan__domain__zone"

    list_display = ("reason", "kind", "subject", "scan_id")
    list_filter = (known("kind", Kind),)
    search_fields = ("scan__domain__name__exact",)


@admin.register(Evidence)
class EvidenceAdmin(ReadOnlyAdmin[Evidence]):
    """Bundles, by address."""

    zone_column = ""

    list_display = ("digest", "size", "created_at")
    search_fields = ("digest__startswith",)
