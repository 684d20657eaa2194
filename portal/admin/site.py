"""The admin behind our own sign-in, without the queue's tables."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from portal.access import is_staff

HIDDEN = frozenset({"django_q", "account", "mfa", "usersessions"})
"""Apps whose tables are machinery, or secrets of persons."""


class PortalAdmin(AdminSite):
    """Django's admin; sign-in and second factor are those of the portal (S-107)."""

    site_header = "Administration"
    site_title = "Administration"
    index_title = "Tables"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in the same people as the dashboard."""
        return is_staff(request.user)

    def login(
        self,
        request: HttpRequest,
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002 - Django's signature
    ) -> HttpResponse:
        """Send everybody through the portal's sign-in, never around it."""
        if request.user.is_authenticated:
            raise PermissionDenied
        back = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        return redirect_to_login(back)

    def logout(  # type: ignore[override]  # a redirect is as good
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002 - Django's signature
    ) -> HttpResponse:
        """Sign out where one signed in."""
        return redirect("account_logout")

    def register(
        self,
        model_or_iterable: Any,  # noqa: ANN401 - Django's signature
        admin_class: Any = None,  # noqa: ANN401 - Django's signature
        **options: Any,  # noqa: ANN401 - Django's signature
    ) -> None:
        """Take tables in, but for those that are nobody's to look at."""
        models = model_or_iterable
        if isinstance(models, ModelBase):
            models = [models]
        shown = [m for m in models if m._meta.app_label not in HIDDEN]  # noqa: SLF001 - Django's documented API
        super().register(shown, admin_class, **options)
