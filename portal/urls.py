"""Addresses of the pages."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from portal.status.log import log_patterns
from portal.status.urls import report_patterns, shared_patterns

urlpatterns: list[URLPattern | URLResolver] = [
    *log_patterns(),
    path("", include("portal.dashboard.urls")),
    path("", include("portal.accounts.urls")),
    path("", include("portal.health")),
    path("status/", include("portal.status.urls")),
    path("r/", include(report_patterns)),
    path("o/", include(shared_patterns)),
    path("api/v1/", include("portal.api.urls")),
    path("admin/", admin.site.urls),
]
handler400 = "portal.dashboard.errors.bad_request"
