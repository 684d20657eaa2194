"""Registration with Django."""

from __future__ import annotations

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Everything that a person touches."""

    name = "portal"
    verbose_name = "Portal"
