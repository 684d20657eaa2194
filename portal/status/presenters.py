"""Where a name stands, for its owner and its operator: five steps and one sentence.

Meets P-5.16.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _, gettext_noop

from bootstrap.core.workflow.lifecycle import State
from bootstrap.models import Domain, DomainState, ScanAttempt
from bootstrap.services import requests, states
from portal import words

from . import criteria
from .changes import Change, Seen, changes, concerned
from .held import gone
from .rules import Rules, rules_of
from .software import guides

STEPS: Final = (
    gettext_noop("signed"),
    gettext_noop("announced"),
    gettext_noop("signals found"),
    gettext_noop("accepted"),
    gettext_noop("secured"),
)
TELLING: Final = frozenset(
    {
        DomainState.ANNOUNCED,
        DomainState.BLOCKED,
        DomainState.BROKEN,
        DomainState.SIGNED,
        DomainState.UNSIGNED,
        DomainState.WAITING,
    }
)
"""States in which something is still to be done, and so to be explained."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`reached` counts finished steps; `sentence` is all that an owner must read."""

    word: str
    sentence: str
    reached: int
    stuck: bool = False


STANDINGS: Final[Mapping[str, Standing]] = {
    DomainState.SUSPENDED: Standing(
        gettext_noop("automation is off"),
        gettext_noop(
            "Automation of DNSSEC is off for this name; its registrar can say why."
        ),
        0,
        stuck=True,
    ),
    DomainState.BROKEN: Standing(
        gettext_noop("secured, but failing validation"),
        gettext_noop(
            "This name has DS records at its parent, but what its nameservers answer"
            " does not validate: validating resolvers cannot reach it now."
        ),
        4,
        stuck=True,
    ),
    DomainState.PUBLISHED: Standing(
        gettext_noop("published, being observed"),
        gettext_noop(
            "The DS records were sent to the parent zone and are being observed."
        ),
        4,
    ),
    DomainState.PENDING: Standing(
        gettext_noop("accepted, waiting for review or publication"),
        gettext_noop(
            "Everything was found as it must be; the change waits for review or"
            " publication at the registry."
        ),
        4,
    ),
    DomainState.SECURED: Standing(
        gettext_noop("secured"),
        gettext_noop("This name is secured with DNSSEC, and its nameservers validate."),
        5,
    ),
    DomainState.ANNOUNCED: Standing(
        gettext_noop("announced, being checked"),
        gettext_noop(
            "This name asks for DNSSEC; a check could not be finished yet and will be"
            " repeated by itself."
        ),
        2,
    ),
    DomainState.BLOCKED: Standing(
        gettext_noop("needs a change at your DNS operator"),
        gettext_noop(
            "This name asks for DNSSEC, but something at its DNS operator must change"
            " first."
        ),
        2,
        stuck=True,
    ),
    DomainState.WAITING: Standing(
        gettext_noop("announced, but your DNS operator does not vouch for it yet"),
        gettext_noop(
            "This name asks for DNSSEC, but its DNS operator publishes no signal that"
            " vouches for it."
        ),
        2,
        stuck=True,
    ),
    DomainState.SIGNED: Standing(
        gettext_noop("signed, not announced"),
        gettext_noop(
            "The zone is signed but publishes no CDS or CDNSKEY records, so nobody has"
            " asked us to secure it."
        ),
        1,
    ),
    DomainState.UNSIGNED: Standing(
        gettext_noop("not signed yet"),
        gettext_noop("The zone of this name is not signed with DNSSEC."),
        0,
    ),
}
"""Every state but alarms, which are for staff; owners see the state below (ux.md)."""


def public_state(row: Domain) -> DomainState:
    """Return the state that the public sees: alarms are for staff (ux.md)."""
    if row.state != DomainState.ALARM:
        return DomainState(row.state)
    under_way = row.proposals.open().first()
    proposal = State(under_way.state) if under_way else None
    return states.state_of(row, states.Known(proposal=proposal))


@dataclass(frozen=True, slots=True)
class Step:
    """One of the five: its mark is done, now, next or stopped."""

    word: str
    mark: str


def road(standing: Standing) -> tuple[Step, ...]:
    """Return the five steps, each with its mark."""
    return tuple(
        Step(word, _mark(position, standing)) for position, word in enumerate(STEPS)
    )


def _mark(position: int, standing: Standing) -> str:
    if position < standing.reached:
        return "done"
    if position > standing.reached:
        return "next"
    return "stopped" if standing.stuck else "now"


def told(row: Domain, *, now: datetime) -> dict[str, Any]:
    """Return all that the page of a name shows, and nothing else of the row (S-108)."""
    state = public_state(row)
    standing = STANDINGS[state]
    scan = row.scans.first()
    reason = (
        words.reason(row.last_reason) if row.last_reason and state in TELLING else None
    )
    awaited = requests.is_awaited(row, now=now)
    return {
        "name": row.name,
        "parent": row.zone.name,
        "state": str(state),
        "standing": standing,
        "badge": badge_of(row),
        "road": road(standing),
        "reason": reason,
        "ds": sorted(row.ds),
        "gone": gone(row, now=now),
        "looked_at": row.last_scan_at,
        "scan": scan,
        "awaited": awaited,
        "next_at": requests.next_look(row, now=now),
        "now": now,
        **held_to(scan, rules_of(row.zone)),
        **to_do(reason, row, scan),
    }


def held_to(scan: ScanAttempt | None, rules: Rules) -> dict[str, Any]:
    """Return what is asked of a change, as the last evaluation found it (P-5.4)."""
    items = criteria.found(scan, rules.limits())
    ends = [item.badge for item in items]
    version = rules.version
    return {
        "criteria": items,
        "criteria_met": ends.count(criteria.MET),
        "criteria_unmet": ends.count(criteria.NOT_MET),
        "criteria_moved": bool(
            items and scan and version and version.created_at > scan.started_at
        ),
    }


def to_do(
    reason: words.ReasonWords | None, row: Domain, scan: ScanAttempt | None
) -> dict[str, Any]:
    """Return the records to change and how, for the operator."""
    if reason is None or scan is None:
        return {"changes": (), "groups": (), "guides": (), "concerned": ()}
    seen = Seen(row.name, row.nameservers, scan.nameservers, scan.signals)
    found = changes(reason.code, reason.recipe, seen)
    return {
        "changes": found,
        "groups": grouped(found),
        "guides": guides(found, row.nameservers),
        "concerned": () if found else concerned(reason.code, scan.signals),
    }


def as_json(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same as plain JSON; its keys are a contract."""
    looked, reason, scan = facts["looked_at"], facts["reason"], facts["scan"]
    old = facts["gone"]
    return {
        "domain": facts["name"],
        "state": facts["state"],
        "sentence": _(facts["standing"].sentence),
        "steps": [{"step": s.word, "mark": s.mark} for s in facts["road"]],
        "reason": reason.code if reason else None,
        "ds": facts["ds"],
        "ds_removed": old.removed_at.isoformat() if old else None,
        "caches_clear": old.clear_at.isoformat() if old else None,
        "last_look": looked.isoformat() if looked else None,
        "next_look": facts["next_at"].isoformat(),
        "awaited": facts["awaited"],
        "evaluation": str(scan.pk) if scan else None,
        "publish": [c.line for c in facts["changes"] if not c.remove],
        "remove": [c.line for c in facts["changes"] if c.remove],
        "criteria": [
            {"check": item.check, "result": item.badge.word if item.badge else None}
            for item in facts["criteria"]
        ],
    }


def badge_of(row: Domain) -> words.Badge:
    """Return icon, word and tone of a name, in the public's words for pages."""
    state = public_state(row)
    word = STANDINGS[state].word
    return replace(words.badge("domain", state), word=word, meaning="")


BADGE_TONES: Final[Mapping[str, str]] = {
    "ok": "#1b6b3a",
    "bad": "#a81c26",
    "warn": "#97410b",
    "wait": "#7a5200",
    "info": "#1f5c80",
    "calm": "#555b63",
}
"""Colours of the picture: those of the light pages, dark enough for white text."""
CHARACTER: Final = 6.4
"""Width of one character of the badge's text, in units of the picture."""


def short_badge_of(row: Domain) -> words.Badge:
    """Return the same in one word, for the picture."""
    return words.badge("domain", public_state(row))


@dataclass(frozen=True, slots=True)
class Group:
    """Records for one place, to be copied together."""

    server: str
    zone: str
    remove: bool
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The records as lines of a zone file."""
        return "\n".join(self.lines)


def grouped(found: tuple[Change, ...]) -> tuple[Group, ...]:
    """Return the changes by place, what is to come before what is to go."""
    places = sorted({(c.server, c.zone, c.remove) for c in found})
    return tuple(
        Group(
            *place,
            tuple(c.line for c in found if (c.server, c.zone, c.remove) == place),
        )
        for place in places
    )


@dataclass(frozen=True, slots=True)
class Picture:
    """The badge to show elsewhere: two words on two grounds."""

    word: str
    colour: str
    left: int
    right: int


def picture(badge: words.Badge) -> Picture:
    """Return the badge as a picture wide enough for its word."""
    word = _(badge.word)
    right = round(len(word) * CHARACTER) + 16
    return Picture(word, BADGE_TONES[badge.tone], left=58, right=right)


UNKNOWN: Final = words.Badge("unknown", "dot", "calm")
"""For names that we do not act for, whoever owns them."""
