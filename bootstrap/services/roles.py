"""Who may have which powers: granted together only where nobody gets two keys.

Nobody both makes the rules and decides under them, or administers people and
decides (S-67). Checked when a role is granted; `powers` are permissions.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction

from bootstrap.core.tlog.types import EntryType

from . import audit
from .actors import Actor

DECIDE: Final = "decide_proposal"
APART: Final = (
    frozenset({DECIDE, "manage_zones"}),
    frozenset({DECIDE, "change_user"}),
)
"""Powers that no person may hold together."""


class GrantRefused(Exception):
    """The person would hold powers that must stay apart."""


@transaction.atomic
def set_roles(
    user: User, names: Iterable[str], *, actor: Actor, now: datetime
) -> tuple[str, ...]:
    """Give a person exactly these roles; return the names.

    Raises:
        GrantRefused: they do not go together, or one of them does not exist.
    """
    wanted = sorted(set(names))
    groups = list(Group.objects.filter(name__in=wanted).order_by("name"))
    if missing := set(wanted) - {group.name for group in groups}:
        raise GrantRefused(f"there is no role {', '.join(sorted(missing))}")
    check(user, groups)
    before = set(user.groups.values_list("name", flat=True))
    user.groups.set(groups)
    for entry_type, changed in (
        (EntryType.ROLE_GRANTED, set(wanted) - before),
        (EntryType.ROLE_REVOKED, before - set(wanted)),
    ):
        for name in sorted(changed):
            audit.record(
                entry_type,
                stream="people",
                actor=actor,
                now=now,
                private={"person": user.get_username()},
                subject=audit.pseudonym(user.get_username()),
                role=name,
            )
    return tuple(wanted)


def check(user: User, groups: Iterable[Group]) -> None:
    """Refuse roles that do not go together, or with what the user has beside them.

    Raises:
        GrantRefused: with the powers that must stay apart.
    """
    held = set(
        Permission.objects.filter(group__in=list(groups)).values_list(
            "codename", flat=True
        )
    ) | set(user.user_permissions.values_list("codename", flat=True))
    for pair in APART:
        if pair <= held:
            raise GrantRefused(f"nobody may hold {' and '.join(sorted(pair))} together")
