"""Registration with Django."""

from __future__ import annotations

from django.apps import AppConfig


class BootstrapConfig(AppConfig):
    """The domain: models, services and tasks."""

    name = "bootstrap"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "DNSSEC bootstrapping"

    def ready(self) -> None:
        """Register the system checks; let a watched cluster show that it lives."""
        # Django wants apps first.
        from . import bell, system_checks  # noqa: F401, PLC0415

        bell.show_life()
