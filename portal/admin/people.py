"""Accounts and their roles: by a service that keeps powers apart (S-64, S-67)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from bootstrap import clock
from bootstrap.services import roles, sessions
from portal import visits
from portal.access import actor_of

from .base import ReadOnlyAdmin

admin.site.unregister(User)
admin.site.unregister(Group)


REASON = "Chosen on the account's page"


class PersonForm(UserChangeForm[User]):
    """An account's columns; roles that do not go together are refused here too."""

    def clean(self) -> dict[str, Any]:
        """Check that the roles may be held by one person."""
        cleaned = super().clean() or {}
        try:
            roles.check(self.instance, cleaned.get("groups", ()))
        except roles.GrantRefused as refusal:
            raise forms.ValidationError({"groups": str(refusal)}) from refusal
        return cleaned


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    """People of staff; permissions come from roles alone."""

    form = PersonForm
    list_display = ("username", "email", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "groups")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Access", {"fields": ("is_active", "is_staff", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    def save_model(
        self,
        request: HttpRequest,
        obj: User,
        form: Any,  # noqa: ANN401 - Django's signature
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        """Write the account and its entry, in the transaction of the page."""
        super().save_model(request, obj, form, change)
        columns = set(form.changed_data) - {"groups"}
        if columns:
            sessions.account_changed(
                obj.get_username(),
                columns,
                actor=actor_of(request, "admin"),
                now=clock.now(),
            )

    def save_related(
        self,
        request: HttpRequest,
        form: Any,  # noqa: ANN401 - Django's signature
        formsets: Any,  # noqa: ANN401 - Django's signature
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        """Change roles by the service, which records them; nothing else is related."""
        for formset in formsets:
            self.save_formset(request, form, formset, change=change)
        if "groups" in form.cleaned_data:
            wanted = {group.name for group in form.cleaned_data["groups"]}
            self._change_roles(request, form.instance, wanted)

    def _change_roles(
        self, request: HttpRequest, person: User, wanted: set[str]
    ) -> None:
        """Take roles away at once; ask for new ones, for a second person (S-64)."""
        held = set(person.groups.values_list("name", flat=True))
        actor, now = actor_of(request, "admin"), clock.now()
        for name in sorted(held - wanted):
            roles.revoke(roles.Wish(person, name), actor=actor, now=now)
        for name in sorted(wanted - held):
            wish = roles.Wish(person, name, reason=REASON)
            try:
                roles.ask(wish, actor=actor, now=now)
            except roles.GrantRefused as refusal:
                messages.error(request, f"{name}: {refusal}.")
            else:
                messages.info(
                    request, f"{name}: another administrator must confirm it."
                )

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - Django's signature
        form_url: str = "",
    ) -> HttpResponse:
        """Change an account's password; its sessions end with the old one (S-103)."""
        with transaction.atomic():
            answer = super().user_change_password(request, id, form_url)
            person = self.get_object(request, id)
            if person and answer.status_code == HTTPStatus.FOUND:
                sessions.account_changed(
                    person.get_username(),
                    ["password"],
                    actor=actor_of(request, "admin"),
                    now=clock.now(),
                )
                rows = visits.others(person, request)
                visits.end(person, rows, request=request, why="password")
        return answer

    def has_delete_permission(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        obj: User | None = None,  # noqa: ARG002 - Django's signature
    ) -> bool:
        """Refuse: an account is switched off, so that its story stays readable."""
        return False


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin[Group]):
    """Roles, made by migration."""

    zone_column = ""

    list_display = ("name",)
