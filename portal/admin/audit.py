"""The trail, for those who may read it, with how far it is proven."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from bootstrap.core.tlog.types import EntryType
from bootstrap.models import AuditEntry
from bootstrap.services import proofs
from portal import words
from portal.access import AUDIT, holds, is_staff
from portal.dashboard import audit

from .base import ReadOnlyAdmin, known

AuditEntry._meta.verbose_name_plural = "audit entries"  # noqa: SLF001 - a word, no migration


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin[AuditEntry]):
    """Entries of the trail."""

    zone_column = ""

    list_display = ("type", "stream", "number", "at", "sealed")
    list_filter = (known("type", EntryType),)
    search_fields = ("stream__startswith",)
    ordering = ("-pk",)
    change_list_template = "admin/trail.html"
    change_form_template = "admin/entry.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """Return entries with their places in the log."""
        return proofs.placed(super().get_queryset(request))

    @admin.display(description="Proof")
    def sealed(self, row: Any) -> str:  # noqa: ANN401 - an entry with its place
        """Say under which checkpoint an entry was sealed first."""
        if row.sealed_under is None:
            return words.PROOF[proofs.Proof.WAITING].word
        return f"checkpoint {row.sealed_under}"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the state of the log above its entries."""
        shown = {**(extra_context or {}), "log": proofs.log_state()}
        return super().changelist_view(request, shown)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the columns and the proof."""
        row = self.get_object(request, object_id)
        shown = dict(extra_context or {})
        if row is not None:
            shown |= {"entry": row, **audit.proof_of(row)}
        return super().change_view(request, object_id, form_url, shown)

    def has_view_permission(
        self,
        request: HttpRequest,
        obj: AuditEntry | None = None,  # noqa: ARG002 - Django's signature
    ) -> bool:
        """Let in those whose role reads the trail."""
        return is_staff(request.user) and holds(request.user, AUDIT)
