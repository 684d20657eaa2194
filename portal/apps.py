"""Registration with Django."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.core.checks import register
from django.utils.module_loading import autodiscover_modules

from . import checks

TABLES: Final = (
    "admin.people",
    "admin.domains",
    "admin.scans",
    "admin.proposals",
    "admin.audit",
)
"""Found by name: the site must exist before anything registers with it."""


class PortalConfig(AppConfig):
    """Everything that a person touches."""

    name = "portal"
    verbose_name = "Portal"

    def ready(self) -> None:
        """Let `check --deploy` ask for what a deployment must have (S-100).

        A new password ends all other sessions of its account (S-103).
        """
        register(checks.deployment, deploy=True)
        visits = import_module("portal.visits")
        for changed in ("password_changed", "password_set"):
            signal = getattr(import_module("allauth.account.signals"), changed)
            signal.connect(visits.on_new_password)


class PortalAdminConfig(AdminConfig):
    """Django's admin behind our own sign-in and with our own list of models."""

    default_site = "portal.admin.site.PortalAdmin"

    def ready(self) -> None:
        """Register Django's tables of accounts, then ours."""
        super().ready()
        autodiscover_modules(*TABLES, register_to=admin.site)
