"""The admin reads and decides, it does not edit (style rule 24)."""

from __future__ import annotations

from typing import TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from portal.access import is_staff

Row = TypeVar("Row", bound=Model)


class ReadOnlyAdmin(admin.ModelAdmin[Row]):
    """No add, no change, no delete: a service is the only way to move a row."""

    actions = None
    list_per_page = 50
    show_full_result_count = False

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
        """Let all staff read, whatever their role."""
        return is_staff(request.user)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the tables to all staff."""
        return is_staff(request.user)

    def get_fields(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        obj: Row | None = None,  # noqa: ARG002 - Django's signature
    ) -> list[str | list[str] | tuple[str, ...] | tuple[()]]:
        """Show every column that is not raw octets."""
        octets = {"BinaryField", "ManyToManyField"}
        return [
            field.name
            for field in self.model._meta.get_fields()  # noqa: SLF001 - Django's documented API
            if getattr(field, "concrete", False)
            and field.get_internal_type() not in octets
        ]
