"""Fill a database with the small registry, to look at pages by eye.

`PORTAL_DEMO=1 DATABASE_URL=sqlite:////tmp/look.sqlite3 python -m tests.support.fill`
"""

from __future__ import annotations

import os

import django


def main() -> None:
    """Migrate, make one account a role, and the small registry around this moment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()

    from django.core.management import call_command  # noqa: PLC0415 - after setup

    from bootstrap import clock  # noqa: PLC0415 - after setup
    from tests.support import rows  # noqa: PLC0415 - after setup

    call_command("migrate", verbosity=0)
    rows.NOW = clock.now()
    for role in rows.ROLES:
        rows.a_person(role, role)
    rows.a_registry()


if __name__ == "__main__":
    main()
