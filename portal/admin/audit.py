"""The trail, for those who may read it."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from bootstrap.models import AuditEntry
from portal.access import AUDIT, holds, is_staff

from .base import ReadOnlyAdmin


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin[AuditEntry]):
    """Entries of the trail."""

    list_display = ("type", "stream", "number", "at")
    list_filter = ("type",)
    search_fields = ("stream",)
    ordering = ("-pk",)

    def has_view_permission(
        self,
        request: HttpRequest,
        obj: AuditEntry | None = None,  # noqa: ARG002 - Django's signature
    ) -> bool:
        """Let in those whose role reads the trail."""
        return is_staff(request.user) and holds(request.user, AUDIT)
