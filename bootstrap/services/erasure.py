"""Erases who a person is, or what an entry keeps apart; proofs stay as they are (S-95).

Entries hold digests and pseudonyms only. What these stand for is deleted, with the
key of the pseudonym, so that nothing leads from them to anybody. The erasure is an
entry itself, and names nobody. Decisions, notes and accounts are the workflow's own
rows: they keep names for as long as the registry must account for its decisions.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction

from bootstrap.core.tlog.types import EntryType
from bootstrap.models import AuditDisclosure, AuditEntry, AuditPerson

from . import audit
from .actors import Actor

STREAM: Final = "people"
WHO: Final = "actor"


class StillActive(Exception):
    """The person may still come in, and would be named anew."""


class NothingToErase(Exception):
    """Nothing of it is kept, or not any more."""


@transaction.atomic
def person(name: str, *, actor: Actor, now: datetime) -> int:
    """Forget who a pseudonym stands for; return in how many places it was said.

    Raises:
        StillActive: the account is not switched off.
        NothingToErase: the trail names nobody so.
    """
    if User.objects.filter(username=name, is_active=True).exists():
        raise StillActive(f"{name} has an account that is not switched off")
    known = AuditPerson.objects.filter(name=name)
    subject = audit.pseudonym(name) if known.exists() else ""
    count, _ = AuditDisclosure.objects.filter(value=name).delete()
    forgotten, _ = known.delete()
    if not count + forgotten:
        raise NothingToErase(f"the trail names nobody {name!r}")
    audit.record(
        EntryType.DATA_ERASED,
        stream=STREAM,
        actor=actor,
        now=now,
        what="person",
        count=count,
        subject=subject,
    )
    return count


@transaction.atomic
def words(entry: AuditEntry, *, actor: Actor, now: datetime) -> int:
    """Forget what an entry keeps apart, but for who acted; return how many values.

    Raises:
        NothingToErase: it keeps nothing apart.
    """
    rows = AuditDisclosure.objects.filter(entry_uid=entry.uid).exclude(name=WHO)
    count, _ = rows.delete()
    if not count:
        raise NothingToErase(f"entry {entry.uid} keeps nothing apart")
    audit.record(
        EntryType.DATA_ERASED,
        stream=STREAM,
        actor=actor,
        now=now,
        what="words",
        count=count,
        entry=entry.uid,
    )
    return count
