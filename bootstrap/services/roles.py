"""Who may have which powers: granted together only where nobody gets two keys.

Nobody both makes the rules and decides under them in one zone, or administers
people and decides (S-67). One administrator asks for a role, another confirms it
(S-64); taking one away needs no second person. Whoever has a shell grants the
first roles of an installation: `set_roles`, `grant`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction

from bootstrap.core.tlog.types import EntryType
from bootstrap.models import RoleRequest, Zone, ZoneRole

from . import audit, powers
from .actors import Actor, ActorKind
from .people import UnknownPerson, person, same_person

DECIDE: Final = "decide_proposal"
APART: Final = (
    frozenset({DECIDE, "manage_zones"}),
    frozenset({DECIDE, "change_user"}),
)
"""Powers that no person may hold together, everywhere or in one zone."""
PEOPLE: Final = "auth.change_user"
IN_A_ZONE: Final = ("viewer", "reviewer", "approver", "zone manager")
"""Roles that can be held in one zone; the others look at everything."""


class GrantRefused(Exception):
    """The role cannot be asked for, granted or taken; the message says why."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Who shall have which role, in one zone or everywhere, and why."""

    user: User
    role: str
    zone: Zone | None = None
    reason: str = ""


@transaction.atomic
def set_roles(
    user: User, names: Iterable[str], *, actor: Actor, now: datetime
) -> tuple[str, ...]:
    """Give a person exactly these roles everywhere; return the names.

    Raises:
        GrantRefused: they do not go together, one of them does not exist, or a
            person tries: people `ask`.
    """
    wanted = sorted(set(names))
    groups = [_role(name) for name in wanted]
    before = set(user.groups.values_list("name", flat=True))
    if set(wanted) - before:
        _check_shell(actor)
    check(user, groups)
    user.groups.set(groups)
    for kind, changed in (
        (EntryType.ROLE_GRANTED, set(wanted) - before),
        (EntryType.ROLE_REVOKED, before - set(wanted)),
    ):
        for name in sorted(changed):
            _record(kind, Wish(user, name), actor=actor, now=now)
    return tuple(wanted)


@transaction.atomic
def grant(wish: Wish, *, actor: Actor, now: datetime) -> None:
    """Give a person one role more, at the word of whoever has a shell.

    Raises:
        GrantRefused: held already, unknown, not for one zone, or not together
            with what the person has; or a person tries: people `ask`.
    """
    _check_shell(actor)
    _check_wish(wish)
    _give(wish, actor=actor, now=now)


@transaction.atomic
def ask(wish: Wish, *, actor: Actor, now: datetime) -> RoleRequest:
    """Write down that a person shall have a role, for somebody else to confirm.

    Raises:
        GrantRefused: no right, no reason, or it could not be granted anyway.
    """
    _check_right(actor)
    if not wish.reason.strip():
        raise GrantRefused("say why: a role needs a reason")
    _check_wish(wish)
    try:
        with transaction.atomic():
            row = RoleRequest.objects.create(
                user=wish.user,
                role=_role(wish.role),
                zone=wish.zone,
                reason=wish.reason,
                author=actor.name,
                created_at=now,
            )
    except IntegrityError as race:
        raise GrantRefused("it is asked for already") from race
    _record(EntryType.ROLE_ASKED, wish, actor=actor, now=now, said=wish.reason)
    return row


@transaction.atomic
def confirm(
    request: RoleRequest, *, actor: Actor, comment: str, now: datetime
) -> RoleRequest:
    """Grant it, as a second person.

    Raises:
        GrantRefused: the one who asked or who would get it, by whatever account;
            no right (of either, at this moment); or it no longer can be granted.
    """
    row = _locked(request)
    _check_right(actor)
    if same_person(actor.name) & {row.author, row.user.get_username()}:
        raise GrantRefused(
            "somebody else than who asked and who gets the role must confirm it"
        )
    _check_author(row.author)
    wish = Wish(row.user, row.role.name, row.zone)
    _check_wish(wish)
    _give(wish, actor=actor, now=now)
    return _close(row, RoleRequest.Stand.CONFIRMED, actor, comment, now)


@transaction.atomic
def refuse(
    request: RoleRequest, *, actor: Actor, comment: str, now: datetime
) -> RoleRequest:
    """Say no, or take one's own back.

    Raises:
        GrantRefused: no right, or it does not wait any more.
    """
    row = _locked(request)
    _check_right(actor)
    wish = Wish(row.user, row.role.name, row.zone)
    _record(EntryType.ROLE_REFUSED, wish, actor=actor, now=now, said=comment)
    return _close(row, RoleRequest.Stand.REFUSED, actor, comment, now)


@transaction.atomic
def revoke(wish: Wish, *, actor: Actor, now: datetime) -> None:
    """Take a role away at once: less power needs no second person.

    Raises:
        GrantRefused: no right, or the person does not have it.
    """
    if actor.kind is ActorKind.STAFF:
        _check_right(actor)
    role = _role(wish.role)
    if not _held(wish, role):
        raise GrantRefused(f"{wish.user} does not have this role")
    if wish.zone is None:
        wish.user.groups.remove(role)
    else:
        ZoneRole.objects.filter(user=wish.user, role=role, zone=wish.zone).delete()
    _record(EntryType.ROLE_REVOKED, wish, actor=actor, now=now)


def check(user: User, groups: Iterable[Group]) -> None:
    """Refuse roles everywhere that do not go together, or with what is held beside.

    Raises:
        GrantRefused: with the powers that must stay apart.
    """
    everywhere = powers.codes(groups) | _own(user)
    _check_apart(everywhere)
    for roles in _by_zone(user).values():
        _check_apart(everywhere | powers.codes(roles))


def _check_wish(wish: Wish) -> None:
    role = _role(wish.role)
    if _held(wish, role):
        raise GrantRefused(f"{wish.user} has this role already")
    groups = list(wish.user.groups.all())
    if wish.zone is None:
        check(wish.user, [*groups, role])
        return
    if role.name not in IN_A_ZONE:
        raise GrantRefused(f"the role {role.name} is not for one zone")
    there = _by_zone(wish.user).get(wish.zone.pk, [])
    _check_apart(powers.codes([*groups, *there, role]) | _own(wish.user))


def _check_apart(held: frozenset[str]) -> None:
    for pair in APART:
        if pair <= held:
            raise GrantRefused(f"nobody may hold {' and '.join(sorted(pair))} together")


def _own(user: User) -> frozenset[str]:
    return frozenset(user.user_permissions.values_list("codename", flat=True))


def _by_zone(user: User) -> dict[int, list[Group]]:
    found: dict[int, list[Group]] = {}
    for row in ZoneRole.objects.filter(user=user).select_related("role"):
        found.setdefault(row.zone_id, []).append(row.role)
    return found


def _held(wish: Wish, role: Group) -> bool:
    if wish.zone is None:
        return wish.user.groups.filter(pk=role.pk).exists()
    rows = ZoneRole.objects.filter(user=wish.user, role=role, zone=wish.zone)
    return rows.exists()


def _give(wish: Wish, *, actor: Actor, now: datetime) -> None:
    role = _role(wish.role)
    if wish.zone is None:
        wish.user.groups.add(role)
    else:
        ZoneRole.objects.create(user=wish.user, role=role, zone=wish.zone, since=now)
    _record(EntryType.ROLE_GRANTED, wish, actor=actor, now=now)


def _role(name: str) -> Group:
    role = Group.objects.filter(name=name).first()
    if role is None:
        raise GrantRefused(f"there is no role {name}")
    return role


def _locked(request: RoleRequest) -> RoleRequest:
    User.objects.select_for_update().get(pk=request.user_id)  # one grant at a time
    rows = RoleRequest.objects.select_for_update(of=("self",))
    row = rows.select_related("user", "role", "zone").get(pk=request.pk)
    if row.stand != RoleRequest.Stand.OPEN:
        raise GrantRefused(f"it is {row.stand} already")
    return row


def _close(
    row: RoleRequest,
    stand: RoleRequest.Stand,
    actor: Actor,
    comment: str,
    now: datetime,
) -> RoleRequest:
    row.stand, row.decided_by, row.decided_at = stand.value, actor.name, now
    row.comment = comment
    row.save(update_fields=["stand", "decided_by", "decided_at", "comment"])
    return row


def _check_author(name: str) -> None:
    """Let the word count only while its speaker still administers people (S-64)."""
    try:
        author = person(name, via="dashboard")
    except UnknownPerson as gone:
        raise GrantRefused(str(gone)) from gone
    _check_right(author)


def _check_right(actor: Actor) -> None:
    if actor.kind is not ActorKind.STAFF or not actor.may(PEOPLE):
        raise GrantRefused(f"{actor.name} lacks the permission {PEOPLE}")


def _check_shell(actor: Actor) -> None:
    if actor.kind is ActorKind.STAFF:
        raise GrantRefused("a role needs a second person")


def _record(
    kind: EntryType, wish: Wish, *, actor: Actor, now: datetime, said: str = ""
) -> None:
    name = wish.user.get_username()
    audit.record(
        kind,
        stream="people",
        actor=actor,
        now=now,
        private={"person": name} | ({"said": said} if said else {}),
        subject=audit.pseudonym(name),
        role=wish.role,
        zone=wish.zone.name if wish.zone else None,
    )
