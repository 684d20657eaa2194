"""What goes into a walk down the tree and what comes out of it: values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bootstrap.core.dns.messages import Response
from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import Ds, Key, RdataType, Signed

from .security import Absence, Flaw, Security


class Question(NamedTuple):
    """`name` and `rdtype`, asked of the servers of `zone`."""

    zone: Name
    name: Name
    rdtype: RdataType


Seen = Mapping[Question, tuple[Response, ...]]
"""Answers so far; an empty tuple says that no server of the zone answered."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One zone on the way down, as the picture of the chain shows it."""

    zone: Name
    security: Security
    ds: tuple[Ds, ...] = ()
    keys: tuple[Key, ...] = ()
    flaw: Flaw | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What can be said of one name and type (P-7.73).

    `answer` is the RRset when it exists (the last one of an alias chain),
    `absence` how it is missing. `zone` is the deepest cut at or above the name,
    `signer` whose key signed the answer or its denial; for an alias both speak
    of the last name of the chain, and `aliases` are the names it led through,
    that one included. `not_before` and `not_after` bound all signatures relied
    on. `blame` is the question whose answers failed: another server of that
    zone may know better (P-7.92).

    A result that is not SECURE may carry an answer all the same: what was seen,
    for the report.
    """

    name: Name
    rdtype: RdataType
    security: Security
    answer: Signed | None = None
    absence: Absence | None = None
    zone: Name | None = None
    signer: Name | None = None
    cuts: tuple[Cut, ...] = ()
    aliases: tuple[Name, ...] = ()
    wildcard: bool = False
    mixed_servers: bool = False
    not_before: datetime | None = None
    not_after: datetime | None = None
    flaw: Flaw | None = None
    detail: str = ""
    blame: Question | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """These questions must be asked before the walk can go on."""

    questions: tuple[Question, ...]
