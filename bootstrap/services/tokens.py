"""Keys of machines: issued, found, revoked; a token never decides (S-111)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Token, Zone

from . import audit, powers
from .actors import MACHINE, Actor, ActorKind
from .powers import Zones

SCOPES: Final = {
    "zones:read": "bootstrap.view_zone",
    "domains:read": "bootstrap.view_domain",
    "scans:read": "bootstrap.view_scanattempt",
    "proposals:read": "bootstrap.view_proposal",
    "publications:read": "bootstrap.view_publication",
    "alarms:read": "bootstrap.view_alarm",
    "audit:read": "bootstrap.view_audit",
    "scans:request": "bootstrap.request_scan",
    "alarms:acknowledge": "bootstrap.hold_proposal",
    "automation:switch": "bootstrap.hold_proposal",
    "notes:write": "bootstrap.comment_proposal",
}
"""What a token can be for, and which permission its owner must hold for it."""
MARK: Final = "dsb"
PREFIX_BYTES: Final = 6
SECRET_BYTES: Final = 32
LONGEST: Final = timedelta(days=366)
NOTE_EVERY: Final = timedelta(minutes=1)
"""Between writes of "last used", so that reading stays cheap."""


class TokenRefused(Exception):
    """Such a token would be worth nothing, or too much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a token is for: its name for people, scopes, zones (none: all), life."""

    name: str
    scopes: tuple[str, ...]
    zones: tuple[Zone, ...] = ()
    life: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who came in with a token: what holds at this moment."""

    token: Token
    scopes: frozenset[str]
    reach: Mapping[str, Zones]
    """For each scope the zones: those of the token where its owner may that."""
    zones: Zones = None
    """The zones of the scope that it came in with; None for all."""

    def with_scope(self, scope: str) -> Bearer:
        """Return the same bearer, confined to where this scope reaches."""
        return replace(self, zones=self.reach[scope])

    def actor(self, scope: str) -> Actor:
        """Return the owner, acting through the token, with what `scope` lends.

        One permission for one call: services see no other, and none decides.
        """
        lent = frozenset({SCOPES[scope]} if scope in self.scopes else ())
        zones = self.reach.get(scope, frozenset())
        name, via = self.token.owner.get_username(), f"{MACHINE}:{self.token.prefix}"
        if zones is None:
            return Actor(ActorKind.STAFF, name, via, lent)
        there = frozenset((zone, held) for zone in zones for held in lent)
        return Actor(ActorKind.STAFF, name, via, grants=there)


@transaction.atomic
def issue(
    owner: User, terms: Terms, *, actor: Actor, now: datetime
) -> tuple[Token, str]:
    """Make a token; return it with its secret, which is shown once and not kept.

    Raises:
        TokenRefused: an unknown scope, one beyond the owner, none, or no good life.
    """
    scopes = sorted(set(terms.scopes))
    _examine(owner, scopes, terms.life)
    prefix, secret = (
        secrets.token_hex(PREFIX_BYTES),
        secrets.token_urlsafe(SECRET_BYTES),
    )
    token = Token.objects.create(
        name=terms.name,
        prefix=prefix,
        digest=_digest(secret),
        owner=owner,
        scopes=scopes,
        created_at=now,
        expires_at=now + terms.life,
    )
    token.zones.set(terms.zones)
    audit.record(
        EntryType.TOKEN_ISSUED,
        stream="people",
        actor=actor,
        now=now,
        private={"name": terms.name, "person": owner.get_username()},
        token=prefix,
        scopes=scopes,
        zones=sorted(zone.name for zone in terms.zones),
        expires=token.expires_at,
        subject=audit.pseudonym(owner.get_username()),
    )
    return token, f"{MARK}_{prefix}_{secret}"


@transaction.atomic
def revoke(token: Token, *, actor: Actor, now: datetime) -> bool:
    """End a token at once; say whether it was still alive."""
    if not Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        return False
    token.revoked_at = now
    audit.record(
        EntryType.TOKEN_REVOKED,
        stream="people",
        actor=actor,
        now=now,
        token=token.prefix,
    )
    return True


def find(text: str, *, now: datetime) -> Bearer | None:
    """Return who comes with this secret; None if nobody may.

    The secret has 256 random bits, so one round of SHA-256 keeps it.
    """
    mark, prefix, secret = [*text.split("_", 2), "", ""][:3]
    if mark != MARK or not (prefix.isascii() and prefix.isalnum() and secret.isascii()):
        return None
    rows = Token.objects.usable(now).select_related("owner").prefetch_related("zones")
    token = rows.filter(prefix=prefix[: 2 * PREFIX_BYTES]).first()
    if token is None or not hmac.compare_digest(token.digest, _digest(secret)):
        return None
    _note(token, now)
    return _bearer(token)


def _bearer(token: Token) -> Bearer:
    own: Zones = frozenset(zone.pk for zone in token.zones.all()) or None
    scopes = granted(token.owner, token.scopes)
    reach = {s: powers.both(own, powers.where(token.owner, SCOPES[s])) for s in scopes}
    return Bearer(token, scopes, reach)


def granted(owner: User, scopes: Iterable[str]) -> frozenset[str]:
    """Return those scopes that the owner's own permissions carry somewhere right now."""
    if not owner.is_staff:
        return frozenset()
    held = owner.get_all_permissions() | {code for _, code in powers.grants_of(owner)}
    return frozenset(s for s in scopes if SCOPES.get(s) in held)


def _examine(owner: User, scopes: Collection[str], life: timedelta) -> None:
    if unknown := set(scopes) - SCOPES.keys():
        raise TokenRefused(f"there is no scope {', '.join(sorted(unknown))}")
    if not scopes:
        raise TokenRefused("a token without scopes can do nothing")
    if beyond := set(scopes) - granted(owner, scopes):
        raise TokenRefused(f"{owner} may not {', '.join(sorted(beyond))}")
    if not timedelta() < life <= LONGEST:
        raise TokenRefused(f"a token lives up to {LONGEST.days} days")


def _note(token: Token, now: datetime) -> None:
    late = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTE_EVERY)
    if token.last_used_at is None or token.last_used_at < now - NOTE_EVERY:
        Token.objects.filter(late, pk=token.pk).update(last_used_at=now)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
