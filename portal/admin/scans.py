"""Evaluations and their evidence."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.evaluation.reasons import Kind
from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.models import Evidence, ScanAttempt, ScanFinding
from portal.dashboard import scans

from .base import ReadOnlyAdmin, known


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

    change_form_template = "admin/scan.html"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show checks, servers, chains and messages above the columns."""
        row = self.get_object(request, object_id)
        if row is not None:
            extra_context = {**(extra_context or {}), **scans.facts(row)}
        return super().change_view(request, object_id, form_url, extra_context)


@admin.register(ScanFinding)
class ScanFindingAdmin(ReadOnlyAdmin[ScanFinding]):
    """Findings."""

    zone_column = "scan__domain__zone"

    list_display = ("reason", "kind", "subject", "scan_id")
    list_filter = (known("kind", Kind),)
    search_fields = ("scan__domain__name__exact",)


Evidence._meta.verbose_name_plural = "evidence"  # noqa: SLF001 - a word, no migration


@admin.register(Evidence)
class EvidenceAdmin(ReadOnlyAdmin[Evidence]):
    """Bundles, by address."""

    zone_column = ""

    list_display = ("digest", "size", "created_at")
    search_fields = ("digest__startswith",)
