"""What a change must meet, item by item, and which of them the last look found met.

One item for each step of an evaluation that can speak against a change, worded with
the limits of the policy in force; a test holds the list to the steps (P-5.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any, Final

from django.utils.translation import gettext as _, gettext_noop

from bootstrap.core.evaluation.paths import Path
from bootstrap.core.evaluation.reasons import MEANINGS, Kind, Reason
from bootstrap.core.evaluation.verdict import Mark
from bootstrap.models import ScanAttempt
from portal import words


@unique
class Scope(StrEnum):
    """Which changes an item is asked of; part of the JSON."""

    EVERY = "every"
    FIRST = "first"
    PRESENT = "present"
    KEYS = "keys"


SCOPES: Final[Mapping[Scope, str]] = {
    Scope.EVERY: gettext_noop("For every change"),
    Scope.FIRST: gettext_noop("For the first DS records of a name (RFC 9615)"),
    Scope.PRESENT: gettext_noop("For a name that has DS records (RFC 7344)"),
    Scope.KEYS: gettext_noop("For every new set of DS records"),
}
ASKED: Final[Mapping[str, frozenset[Scope]]] = {
    Path.BOOTSTRAP: frozenset({Scope.EVERY, Scope.FIRST, Scope.KEYS}),
    Path.UPDATE: frozenset({Scope.EVERY, Scope.PRESENT, Scope.KEYS}),
    Path.REMOVAL: frozenset({Scope.EVERY, Scope.PRESENT}),
}
"""What is asked on each path."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One item: the step that looks at it, and what it demands."""

    check: str
    scope: Scope
    text: str


EVERY, FIRST, PRESENT, KEYS = Scope
CRITERIA: Final = (
    Criterion(
        "check_own_site",
        EVERY,
        gettext_noop(
            "We ourselves can look: our clock, our trust anchors and our network are"
            " in order."
        ),
    ),
    Criterion(
        "check_preconditions",
        EVERY,
        gettext_noop(
            "The registry delegates the name, nothing else changes it at the moment,"
            " and automation is not off for it."
        ),
    ),
    Criterion(
        "check_published_ds",
        EVERY,
        gettext_noop(
            "The parent zone provably publishes the DS records that the registry holds."
        ),
    ),
    Criterion(
        "check_nameservers",
        EVERY,
        gettext_noop(
            "Every nameserver has public addresses: at most %(nameservers)s"
            " nameservers, %(each)s addresses each and %(addresses)s in all."
        ),
    ),
    Criterion(
        "check_responses",
        EVERY,
        gettext_noop(
            "Every address of every nameserver answers each question about the zone"
            " over TCP, with authority."
        ),
    ),
    Criterion(
        "check_apex",
        EVERY,
        gettext_noop(
            "All servers publish the same CDS and CDNSKEY records, and where there are"
            " both, both name the same keys; at most %(records)s of each."
        ),
    ),
    Criterion(
        "check_signals",
        FIRST,
        gettext_noop(
            "Every nameserver outside the zone vouches for it with signed CDS or"
            " CDNSKEY records of its own, below _signal and the nameserver's name, and"
            " all of them validate from the root."
        ),
    ),
    Criterion(
        "check_agreement",
        FIRST,
        gettext_noop(
            "All of these records equal those that the zone itself publishes."
        ),
    ),
    Criterion(
        "check_current_chain",
        PRESENT,
        gettext_noop("The zone validates under the DS records that it has."),
    ),
    Criterion(
        "check_signer",
        PRESENT,
        gettext_noop(
            "A key that the present DS records name has signed the CDS and CDNSKEY"
            " records."
        ),
    ),
    Criterion(
        "check_replay",
        PRESENT,
        gettext_noop(
            "The request is newer than the last one that was accepted: old records"
            " played back undo nothing."
        ),
    ),
    Criterion(
        "check_keys",
        KEYS,
        gettext_noop(
            "The keys are of algorithms that we take (%(algorithms)s); RSA keys have"
            " at least %(rsa)s bits."
        ),
    ),
    Criterion(
        "check_path",
        KEYS,
        gettext_noop(
            "On every server, a key that the new DS records name has signed the DNSKEY"
            " records."
        ),
    ),
    Criterion(
        "check_zone_data",
        KEYS,
        gettext_noop(
            "SOA, NS, addresses and mail of the zone validate under the new DS records,"
            " whichever server is asked."
        ),
    ),
    Criterion(
        "check_windows",
        KEYS,
        gettext_noop(
            "No signature that the change rests on ends within %(validity)s, and none"
            " begins in the future."
        ),
    ),
    Criterion(
        "check_completeness",
        KEYS,
        gettext_noop(
            "Every algorithm of the new DS records signs the zone as a whole (RFC 4035,"
            " section 2.2)."
        ),
    ),
    Criterion(
        "check_denial",
        KEYS,
        gettext_noop(
            "Names that do not exist provably do not; with NSEC3, at most"
            " %(iterations)s iterations."
        ),
    ),
    Criterion(
        "check_ns_set",
        KEYS,
        gettext_noop("Nameservers that only the zone itself names meet the same."),
    ),
    Criterion(
        "check_work",
        KEYS,
        gettext_noop("Validating the zone costs no more than resolvers spend on it."),
    ),
)
"""Every step of an evaluation that can stop a change, in the order of the steps."""

MET: Final = words.Badge(gettext_noop("met"), "check", "ok")
NOT_MET: Final = words.Badge(gettext_noop("not met"), "cross", "bad")
NOT_REACHED: Final = words.Badge(gettext_noop("not reached"), "dash", "calm")

EARLY: Final[Mapping[str, frozenset[Reason]]] = {
    "check_apex": frozenset({Reason.APEX_NO_CDS}),
    "check_signals": frozenset({Reason.APEX_NO_CDS}),
    "check_agreement": frozenset({Reason.APEX_NO_CDS, Reason.SIG_NONE}),
}
"""Findings of an evaluation after which there is nothing yet to hold an item to."""
MISSING: Final[Mapping[str, frozenset[Reason]]] = {
    "check_signals": frozenset({Reason.SIG_NONE}),
}
"""Findings that speak against nothing, and leave an item unmet all the same."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item as the last look found it; `badge` is None where no look is told of."""

    check: str
    scope: Scope
    text: str
    badge: words.Badge | None = None


def demanded(limits: Mapping[str, object]) -> tuple[tuple[str, tuple[Item, ...]], ...]:
    """Return all items, by what they are asked of; `limits` are the policy's."""
    items = [Item(c.check, c.scope, _(c.text) % limits) for c in CRITERIA]
    return tuple(
        (_(title), tuple(item for item in items if item.scope is scope))
        for scope, title in SCOPES.items()
    )


def found(scan: ScanAttempt | None, limits: Mapping[str, object]) -> tuple[Item, ...]:
    """Return the items that the last look was held to, each with how it ended.

    Empty when no evaluation tells: none was made, or its details were not kept.
    """
    if scan is None or not scan.checks:
        return ()
    ran = {check["id"]: check for check in scan.checks}
    seen = set(scan.reasons)
    asked = ASKED.get(scan.path, frozenset({Scope.EVERY}))
    return tuple(
        Item(c.check, c.scope, _(c.text) % limits, _end(ran.get(c.check), seen))
        for c in CRITERIA
        if c.scope in asked or _ran(ran.get(c.check))
    )


def _ran(check: Mapping[str, Any] | None) -> bool:
    return check is not None and check["result"] != Mark.SKIPPED


def _end(check: Mapping[str, Any] | None, seen: set[str]) -> words.Badge:
    """Return how a step ended; what was not asked is never called met (P-2.51)."""
    if check is None or not _ran(check):
        return NOT_REACHED
    if check["result"] == Mark.FAIL:
        return NOT_MET
    if seen & EARLY.get(check["id"], frozenset()):
        return NOT_REACHED
    missing = seen & MISSING.get(check["id"], frozenset())
    return NOT_MET if missing or _objects(check["reasons"]) else MET


def _objects(codes: Iterable[str]) -> bool:
    """Say whether a step noted what would count if the change were asked for."""
    known = [Reason(code) for code in codes if code in Reason.__members__]
    return any(MEANINGS[code].kind is not Kind.INFO for code in known)
