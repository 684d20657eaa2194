"""Addresses of sign-in, of the second factor and of the display's preferences."""

from __future__ import annotations

from allauth.mfa.totp.views import activate_totp
from csp.decorators import csp_update
from django.urls import include, path

from . import views

urlpatterns = [
    # The picture to photograph is a data: URI, on this page alone.
    path(
        "accounts/2fa/totp/activate/",
        csp_update({"img-src": ["data:"]})(activate_totp),
    ),
    path("accounts/", include("allauth.urls")),
    path("theme/", views.theme, name="theme"),
]
