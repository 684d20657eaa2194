"""Reading signaling zones that are walked or transferred: hints, never proofs.

Whoever serves a signaling zone lists which children have a signal under a
nameserver. Such lists save questions; they decide nothing (RFC 9615, section
4.3; P-1.41), so no signature is looked at here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

from .messages import Rcode, Response
from .names import DSBOOT, Name, canonical, is_within, place, signaling_domain
from .records import RdataType
from .wire import name_at

MADE_UP: Final = b"\x00"
"""First label, or ending of one, of next names that are computed, not listed."""


@unique
class Ending(StrEnum):
    """Why a list of signals ends where it does."""

    COMPLETE = "complete"
    """All names below the signaling domain and our zones were seen."""
    HASHED = "hashed"
    """NSEC3: names cannot be read off."""
    MADE_UP = "made-up"
    """Next names are computed for each question (RFC 4470, RFC 9824)."""
    UNSIGNED = "unsigned"
    """No denial of existence at all; no signal there could be valid."""
    REFUSED = "refused"
    """An error instead of an answer."""
    SILENT = "silent"
    """No usable answer came."""
    LIMIT = "limit"
    """There is more, and we stopped."""


NO_LIST: Final = frozenset({Ending.HASHED, Ending.MADE_UP, Ending.UNSIGNED})
"""Endings that will be the same tomorrow: this zone cannot be walked."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a walk: the next name of the zone, or why there is none."""

    next: Name | None
    ending: Ending | None = None


def child_at(name: Name, host: Name, parents: Iterable[Name]) -> Name | None:
    """Return the child that `name` would vouch for under `host`, if it is one.

    Accepted is `_dsboot`, a child directly below one of `parents` or deeper,
    `_signal` and the host, and nothing else (P-1.42).
    """
    signal = signaling_domain(host)
    if name.labels[0].lower() != DSBOOT or not is_within(canonical(name), signal):
        return None
    labels = canonical(name).labels[1 : -len(signal.labels)]
    child = canonical(Name((*labels, b"")))
    if any(child != parent and is_within(child, parent) for parent in parents):
        return child
    return None


def step(response: Response, at: Name, within: Name) -> Step:
    """Return where a walk goes from `at`, and never out of `within`.

    `response` answers the question for the NSEC at `at`, which need not exist.
    """
    if response.rcode not in {Rcode.NOERROR, Rcode.NXDOMAIN}:
        return Step(None, Ending.REFUSED)
    denials = [
        signed.rrset
        for signed in (*response.answer, *response.authority)
        if signed.rrset.rdtype == RdataType.NSEC
    ]
    for rrset in denials:
        following = canonical(name_at(rrset.rdatas[0], 0)[0])
        if not _covers(rrset.owner, following, at):
            continue  # about the wildcard, say
        if _is_made_up(rrset.owner, following, at):
            return Step(None, Ending.MADE_UP)
        if not is_within(following, within) or place(following) <= place(at):
            return Step(None, Ending.COMPLETE)
        return Step(following)
    return Step(None, _without_nsec(response, has_denials=bool(denials)))


def _covers(owner: Name, following: Name, at: Name) -> bool:
    """Say whether `at` is the owner or lies between it and the next name."""
    if place(following) <= place(owner):  # the last one, back to the apex
        return place(at) >= place(owner)
    return place(owner) <= place(at) < place(following)


def _is_made_up(owner: Name, following: Name, at: Name) -> bool:
    """Say whether the interval was computed around the question."""
    if following.labels[0] == MADE_UP and following.labels[1:] == owner.labels:
        return True  # RFC 9824: the very next name there could be
    return following.labels[0].endswith(MADE_UP) and owner != at  # RFC 4470


def _without_nsec(response: Response, *, has_denials: bool) -> Ending:
    if has_denials:
        return Ending.SILENT  # intervals elsewhere: of no use, and odd
    hashed = any(s.rrset.rdtype == RdataType.NSEC3 for s in response.authority)
    return Ending.HASHED if hashed else Ending.UNSIGNED
