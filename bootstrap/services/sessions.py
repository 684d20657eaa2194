"""Who came and went, and what became of accounts, in the trail (S-87)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bootstrap.core.tlog.types import EntryType

from . import audit
from .actors import Actor, ActorKind

DOOR = Actor(ActorKind.SYSTEM, "sign-in", "accounts")
STREAM = "people"


def signed_in(actor: Actor, *, now: datetime) -> None:
    """Record that a person came in, after all factors."""
    audit.record(EntryType.USER_SIGNED_IN, stream=STREAM, actor=actor, now=now)


def signed_out(actor: Actor, *, now: datetime) -> None:
    """Record that a person left."""
    audit.record(EntryType.USER_SIGNED_OUT, stream=STREAM, actor=actor, now=now)


def stepped_up(actor: Actor, *, now: datetime) -> None:
    """Record that a person who is in showed a second factor again (S-66)."""
    audit.record(EntryType.USER_STEPPED_UP, stream=STREAM, actor=actor, now=now)


def sign_in_failed(
    typed: str, *, known: bool, now: datetime, factor: str = "password"
) -> None:
    """Record a wrong password, or another factor; a name only if it is an account's.

    What else people type there may be a password, and is not kept at all.
    """
    audit.record(
        EntryType.USER_SIGN_IN_FAILED,
        stream=STREAM,
        actor=DOOR,
        now=now,
        private={"person": typed} if known else {},
        known=known,
        factor=factor,
    )


def account_changed(
    person: str, columns: Iterable[str], *, actor: Actor, now: datetime
) -> None:
    """Record that an account was made or changed: which columns, never their values."""
    audit.record(
        EntryType.USER_CHANGED,
        stream=STREAM,
        actor=actor,
        now=now,
        private={"person": person},
        subject=audit.pseudonym(person),
        columns=sorted(columns),
    )


def factors_changed(
    person: str,
    *,
    added: Iterable[str],
    removed: Iterable[str],
    actor: Actor,
    now: datetime,
) -> None:
    """Record that an account has other second factors than before: of which kinds.

    Call it in the transaction that changes them.
    """
    audit.record(
        EntryType.USER_CHANGED,
        stream=STREAM,
        actor=actor,
        now=now,
        private={"person": person},
        subject=audit.pseudonym(person),
        columns=["second factor"],
        added=sorted(added),
        removed=sorted(removed),
    )


def ended(person: str, count: int, why: str, *, actor: Actor, now: datetime) -> None:
    """Record that `count` sessions of a person are no more; `actor` ended them (S-103).

    Call it in the transaction that ends them. `why` is a word: revoked, password.
    """
    audit.record(
        EntryType.SESSION_ENDED,
        stream=STREAM,
        actor=actor,
        now=now,
        private={"person": person},
        subject=audit.pseudonym(person),
        count=count,
        why=why,
    )
