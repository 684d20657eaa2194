"""Addresses of sign-in, of the second factor and of the display's preferences."""

from __future__ import annotations

from typing import Final

from allauth.account.urls import urlpatterns as account_urls
from allauth.mfa.totp.views import activate_totp
from allauth.mfa.urls import urlpatterns as factor_urls
from csp.decorators import csp_update
from django.urls import include, path

from . import display, factors, oidc, sessions, views

OFFERED: Final = frozenset(
    {
        "account_login",
        "account_logout",
        "account_inactive",
        "account_signup",
        "account_reauthenticate",
        "account_change_password",
    }
)
"""What the library offers beyond these sends mail to whatever is typed in."""

urlpatterns = [
    # The picture to photograph is a data: URI, on this page alone.
    path(
        "accounts/2fa/totp/activate/",
        csp_update({"img-src": ["data:"]})(factors.changing(activate_totp)),
    ),
    path("accounts/", include([p for p in account_urls if p.name in OFFERED])),
    path("accounts/oidc/", oidc.begin, name="oidc_begin"),
    path("accounts/oidc/callback/", oidc.callback, name="oidc_callback"),
    path("accounts/oidc/out/", oidc.out, name="oidc_out"),
    path("accounts/sessions/", sessions.mine, name="sessions"),
    path("accounts/sessions/others/", sessions.end_others, name="sessions-end-others"),
    path("accounts/sessions/<int:session_id>/", sessions.end, name="session-end"),
    path("accounts/display/", display.display, name="display"),
    path("accounts/display/zone/", display.choose, name="display-zone"),
    path("accounts/display/lists/", display.reset, name="display-lists"),
    path("accounts/2fa/", include(factors.recorded(factor_urls))),
    path("language/", views.language, name="language"),
    path("theme/", views.theme, name="theme"),
    path("keys/", views.keys, name="keys"),
]
