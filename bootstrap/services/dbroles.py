"""Rights in PostgreSQL, as SQL: who may write which table (S-86, P-8.35).

`app` is web, workers and publisher; `sealer` the sealer; `monitor` reads. Tables
belong to the role that migrates, which serves nothing. A table that is not named
here is an ordinary one: the application may do with it what it likes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import connection

IDENTIFIER: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
KEPT: Final = "SELECT, INSERT"
"""Written once and never changed."""

APP: Final[Mapping[str, str]] = {
    "bootstrap_auditentry": KEPT,
    "bootstrap_auditpending": KEPT,  # by trigger, with the entry
    "bootstrap_audithead": "SELECT, INSERT, UPDATE",
    "bootstrap_auditdisclosure": "SELECT, INSERT, DELETE",  # erasure (S-95)
    "bootstrap_auditperson": "SELECT, INSERT, DELETE",
    "bootstrap_auditleaf": "SELECT",
    "bootstrap_checkpoint": "SELECT",
    "bootstrap_cosignature": "SELECT",
    "bootstrap_decision": KEPT,
    "bootstrap_policyversion": KEPT,
    "bootstrap_scanbatch": KEPT,
    "django_migrations": "SELECT",
}
"""Tables of which the application may do less than everything."""

MONTHS: Final = "public.bootstrap_evidence_months(date, integer)"
"""Makes partitions of evidence: the application stores it and owns no table."""

SEALER: Final[Mapping[str, str]] = {
    "bootstrap_auditentry": KEPT,  # heartbeats, keys, steps of the clock
    "bootstrap_auditpending": "SELECT, INSERT, DELETE",
    "bootstrap_audithead": "SELECT, INSERT, UPDATE",
    "bootstrap_auditdisclosure": KEPT,
    "bootstrap_auditleaf": KEPT,
    "bootstrap_checkpoint": KEPT,
    "bootstrap_cosignature": KEPT,
    "bootstrap_alarm": "SELECT, INSERT, UPDATE",
    "bootstrap_heartbeat": "SELECT, INSERT, UPDATE",
    "bootstrap_delivery": KEPT,  # what webhooks are told of its entries
    "django_q_ormq": KEPT,
}
"""Tables of which the sealer may do more than read."""

PRIVATE: Final = frozenset(
    {
        "auth_user",
        "bootstrap_preferences",
        "django_session",
        "mfa_authenticator",
    }
)
"""Of no use to those who only read the trail."""


class NoSuchName(Exception):
    """A role needs a plain name: small letters, digits, underscores."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the roles are called in this cluster."""

    app: str = "portal_app"
    sealer: str = "portal_sealer"
    monitor: str = "portal_monitor"

    def __post_init__(self) -> None:
        for name in (self.app, self.sealer, self.monitor):
            if not IDENTIFIER.fullmatch(name):
                raise NoSuchName(name)


def statements(names: Names, *, database: str, tables: Iterable[str]) -> Iterator[str]:
    """Yield the SQL that makes the roles and gives each its rights, and no others.

    For somebody who may create roles and owns the tables; to be repeated after
    each migration, with the same end however often.
    """
    roles = (names.app, names.sealer, names.monitor)
    for role in roles:
        yield (
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname ="
            f" '{role}') THEN CREATE ROLE {role} LOGIN; END IF; END $$"
        )
    everybody = ", ".join(roles)
    yield f"REVOKE ALL ON DATABASE {_quoted(database)} FROM PUBLIC"
    yield f"GRANT CONNECT, TEMPORARY ON DATABASE {_quoted(database)} TO {everybody}"
    yield "REVOKE ALL ON SCHEMA public FROM PUBLIC"
    yield f"GRANT USAGE ON SCHEMA public TO {everybody}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {names.app}, {names.sealer}"
    yield f"REVOKE ALL ON FUNCTION {MONTHS} FROM PUBLIC"
    yield f"GRANT EXECUTE ON FUNCTION {MONTHS} TO {names.app}"
    for table in sorted(tables):
        yield f"REVOKE ALL ON {_quoted(table)} FROM PUBLIC, {everybody}"
        for role, rights in _rights(names, table):
            yield f"GRANT {rights} ON {_quoted(table)} TO {role}"


def tables() -> list[str]:
    """Return all tables of this database."""
    return connection.introspection.table_names()


def _rights(names: Names, table: str) -> Iterator[tuple[str, str]]:
    yield names.app, APP.get(table, "SELECT, INSERT, UPDATE, DELETE")
    if table not in PRIVATE:
        yield names.sealer, SEALER.get(table, "SELECT")
        yield names.monitor, "SELECT"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
