"""The admin reads and decides, it does not edit (style rule 24)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import cache
from typing import Any, Final, TypeVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from portal.access import is_staff, within, zones_of
from portal.dashboard.paging import FAR
from portal.templatetags.dns import shown

TEXTS: Final = frozenset({"CharField", "TextField"})

Row = TypeVar("Row", bound=Model)
Columns = Any
"""Names of columns and callables that show one, as Django allows."""


class CappedPaginator(Paginator[Any]):
    """Counts no further than people turn pages; a million rows are not counted."""

    @cached_property
    def count(self) -> int:
        """How many rows can be paged to."""
        rows: Any = self.object_list
        return int(rows.order_by()[:FAR].count())


def known(column: str, values: Iterable[StrEnum | str]) -> Columns:
    """Return a filter over values that are known: a million rows are not asked."""
    choices = [(str(value), str(value)) for value in values]

    class Known(admin.SimpleListFilter):
        title = column.replace("_", " ")
        parameter_name = column

        def lookups(self, request: HttpRequest, model_admin: Any) -> Columns:  # noqa: ARG002, ANN401 - Django's signature
            return choices

        def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002, ANN401 - Django's signature
            chosen = self.value()
            return queryset.filter(**{column: chosen}) if chosen else queryset

    return Known


class ReadOnlyAdmin(admin.ModelAdmin[Row]):
    """No add, no change, no delete: a service is the only way to move a row."""

    zone_column: str = "domain__zone"
    """How a row leads to its zone; empty where it has none."""
    actions: Columns = None
    list_per_page = 50
    show_full_result_count = False
    paginator = CappedPaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[Row]:
        """Return the rows of the zones that this person sees (S-105).

        What belongs to no zone is for those who see all of them.
        """
        rows = super().get_queryset(request)
        if self.zone_column:
            return within(request, rows, self.zone_column)
        return rows if zones_of(request) is None else rows.none()

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Refuse."""
        return False

    def has_change_permission(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        obj: Row | None = None,  # noqa: ARG002 - Django's signature
    ) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        obj: Row | None = None,  # noqa: ARG002 - Django's signature
    ) -> bool:
        """Refuse."""
        return False

    def has_view_permission(
        self,
        request: HttpRequest,
        obj: Row | None = None,  # noqa: ARG002 - Django's signature
    ) -> bool:
        """Let all staff read, whatever their role; which rows is another question."""
        return is_staff(request.user)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the tables to all staff."""
        return is_staff(request.user)

    def get_fields(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        obj: Row | None = None,  # noqa: ARG002 - Django's signature
    ) -> Columns:
        """Show every column that is not raw octets, text with its bytes escaped."""
        return [_column(field) for field in self.model._meta.concrete_fields]  # noqa: SLF001 - Django's documented API

    def get_readonly_fields(
        self, request: HttpRequest, obj: Row | None = None
    ) -> Columns:
        """Let no column be typed into."""
        return self.get_fields(request, obj)


class ZonesSeen(admin.RelatedFieldListFilter):
    """A filter that names no zone beyond those that this person sees."""

    def field_choices(
        self,
        field: Any,  # noqa: ANN401 - Django's signature
        request: HttpRequest,
        model_admin: Any,  # noqa: ANN401, ARG002 - Django's signature
    ) -> list[tuple[str, Any]]:
        """Return the choices."""
        rows = within(request, field.related_model.objects.order_by("name"), "pk")
        return [(str(row.pk), str(row)) for row in rows]


@cache
def _column(field: Field[Any, Any]) -> str | Callable[[Model], str]:
    """Return a column's name, or how to show it where it may hold outside text."""
    kind = field.get_internal_type()
    if kind == "BinaryField":
        return _display(field, lambda value: f"{len(value or b'')} octets")
    if kind == "JSONField":
        return _display(field, lambda value: shown(json.dumps(value)))
    if kind in TEXTS:
        return _display(field, shown)
    return field.name


def _display(
    field: Field[Any, Any], show: Callable[[Any], str]
) -> Callable[[Model], str]:
    @admin.display(description=str(field.verbose_name))
    def column(row: Model) -> str:
        return show(getattr(row, field.name))

    return column
