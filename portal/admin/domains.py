"""Zones, domains, alarms and the work that is due."""

from __future__ import annotations

from typing import Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from bootstrap.models import (
    Alarm,
    Domain,
    Heartbeat,
    PolicyVersion,
    SignalSource,
    WorkItem,
    Zone,
)

from .base import ReadOnlyAdmin, ZonesSeen

FOUND: Final = 200
"""Names that a search shows; more letters find the others."""


@admin.register(Zone)
class ZoneAdmin(ReadOnlyAdmin[Zone]):
    """Parent zones."""

    zone_column = "pk"

    list_display = ("name", "routing", "two_persons", "automated", "imported_at")
    search_fields = ("name",)


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ReadOnlyAdmin[PolicyVersion]):
    """Versions of acceptance policies."""

    zone_column = "zone"

    list_display = ("zone", "number", "author", "created_at")
    list_select_related = ("zone",)


@admin.register(Domain)
class DomainAdmin(ReadOnlyAdmin[Domain]):
    """Delegations."""

    zone_column = "zone"

    list_display = ("name", "zone", "state", "last_reason", "last_scan_at")
    list_filter = ("state", ("zone", ZonesSeen))
    list_select_related = ("zone",)
    search_fields = ("name",)

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        queryset: QuerySet[Domain],
        search_term: str,
    ) -> tuple[QuerySet[Domain], bool]:
        """Find a part of a name as the dashboard does, by the index of parts.

        Found first and put in order then: a database that walks a million names in
        their order until fifty fit is slow when they stand at the end.
        """
        if not search_term:
            return queryset, False
        found = queryset.filter(name__contains=search_term.strip().lower())
        keys = found.order_by().values_list("pk", flat=True)[:FOUND]
        return queryset.filter(pk__in=list(keys)), False


@admin.register(Alarm)
class AlarmAdmin(ReadOnlyAdmin[Alarm]):
    """Alarms."""

    list_display = ("code", "subject", "opened_at", "acknowledged_by", "closed_at")
    list_filter = ("code",)
    search_fields = ("subject",)


@admin.register(WorkItem)
class WorkItemAdmin(ReadOnlyAdmin[WorkItem]):
    """The scan schedule."""

    list_display = ("domain", "due_at", "trigger", "attempts", "parked_at")
    list_select_related = ("domain",)
    search_fields = ("domain__name__startswith",)


@admin.register(SignalSource)
class SignalSourceAdmin(ReadOnlyAdmin[SignalSource]):
    """Nameservers whose signals may be listed, and what came of it."""

    zone_column = ""

    list_display = ("host", "way", "ending", "listed", "matched", "queries", "due_at")
    list_filter = ("way", "ending")
    search_fields = ("host",)


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin[Heartbeat]):
    """Signs of life."""

    zone_column = ""

    list_display = ("name", "at")
