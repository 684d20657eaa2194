"""What would fail later is said at start: triggers, and SQLite's own settings.

`manage.py check --database default` runs them; `migrate` does too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.apps.config import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

_APPEND_ONLY: Final = (
    "bootstrap_auditentry",
    "bootstrap_auditleaf",
    "bootstrap_checkpoint",
    "bootstrap_cosignature",
    "bootstrap_decision",
    "bootstrap_policyversion",
)
_SINGLE: Final = (
    "audit_leaf_next",
    "audit_next_number",
    "audit_pending",
    "proposal_move_audited",
)
TRIGGERS: Final = {
    "postgresql": (
        *_SINGLE,
        *(f"{table}_append_only" for table in _APPEND_ONLY),
        *(f"{table}_no_truncate" for table in _APPEND_ONLY),
    ),
    "sqlite": (
        *_SINGLE,
        "audit_uid_once",
        *(f"{table}_no_update" for table in _APPEND_ONLY),
        *(f"{table}_no_delete" for table in _APPEND_ONLY),
        *(f"{table}_no_replace" for table in _APPEND_ONLY),
    ),
}
"""What keeps the trail whole, by database (S-85, S-86)."""
_PRESENT: Final = {
    # 'A' is ENABLE ALWAYS: also for sessions that claim to be a replica
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgenabled = 'A'",
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
}


@register(Tags.database)
def check_triggers(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 - Django's signature
    databases: Sequence[str] | None = None,
    **_kwargs: Any,  # noqa: ANN401 - Django's signature
) -> list[CheckMessage]:
    """Every trigger that the trail relies on is there and switched on."""
    return [
        Error(
            f"the trigger {name} is missing or switched off in {alias!r}",
            hint="run `manage.py migrate`; if that was done, reinstall the triggers:"
            " somebody or some migration removed them",
            id="bootstrap.E001",
        )
        for alias in databases or ()
        for name in _missing(connections[alias])
    ]


@register(Tags.database)
def check_sqlite(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 - Django's signature
    databases: Sequence[str] | None = None,
    **_kwargs: Any,  # noqa: ANN401 - Django's signature
) -> list[CheckMessage]:
    """SQLite runs with recursive triggers and immediate transactions (S-86)."""
    return [
        Error(problem, hint="see DATABASES in portal/settings.py", id="bootstrap.E002")
        for alias in databases or ()
        if connections[alias].vendor == "sqlite"
        for problem in _sqlite_problems(connections[alias])
    ]


def _missing(connection: BaseDatabaseWrapper) -> list[str]:
    if not set(_APPEND_ONLY) <= set(connection.introspection.table_names()):
        return []  # not migrated yet
    with connection.cursor() as cursor:
        cursor.execute(_PRESENT[connection.vendor])
        present = {row[0] for row in cursor.fetchall()}
    return [name for name in TRIGGERS[connection.vendor] if name not in present]


def _sqlite_problems(connection: BaseDatabaseWrapper) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers")
        if cursor.fetchone()[0] != 1:
            yield "recursive_triggers is off: REPLACE would overwrite the trail"
    if connection.settings_dict["OPTIONS"].get("transaction_mode") != "IMMEDIATE":
        yield "transactions are not IMMEDIATE: workers would meet a locked database"
