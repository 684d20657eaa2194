"""The words, icons and tones of every state: the same on each page (ux.md).

A badge has icon, word and tone, so that colour is never the only sign. The
mappings are total over their enums; a test holds them to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from django.utils.translation import gettext as _, gettext_noop

from bootstrap.core.dns.signaling import Ending
from bootstrap.core.dnssec.security import Security
from bootstrap.core.evaluation.reasons import MEANINGS, Kind, Reason
from bootstrap.core.evaluation.texts import TEXTS, Act
from bootstrap.core.evaluation.verdict import Mark, Outcome
from bootstrap.core.workflow.lifecycle import State
from bootstrap.models import DomainState
from bootstrap.services.proofs import Proof


@dataclass(frozen=True, slots=True)
class Badge:
    """`tone` is ok, wait, warn, bad, info or calm; `icon` a symbol of the sprite."""

    word: str
    icon: str
    tone: str
    meaning: str = ""


UNKNOWN: Final = Badge("unknown", "dot", "calm", "A word that this page does not know.")

DOMAIN: Final[Mapping[str, Badge]] = MappingProxyType(
    {
        DomainState.ALARM: Badge(
            "alarm", "octagon", "bad", "An open alarm concerns this name."
        ),
        DomainState.SUSPENDED: Badge(
            "suspended", "pause", "calm", "Automation is off for this name."
        ),
        DomainState.BROKEN: Badge(
            "broken",
            "ring-broken",
            "bad",
            "The parent has DS, but the child fails validation.",
        ),
        DomainState.PUBLISHED: Badge(
            "published",
            "ring-half",
            "info",
            "DS was sent to the parent and is being observed.",
        ),
        DomainState.PENDING: Badge(
            "pending", "clock", "wait", "A change waits for a decision or publication."
        ),
        DomainState.SECURED: Badge(
            "secured", "ring-key", "ok", "The parent has DS and the child validates."
        ),
        DomainState.ANNOUNCED: Badge(
            "announced",
            "ring-dotted",
            "info",
            "Announced; a check could not be finished yet.",
        ),
        DomainState.BLOCKED: Badge(
            "blocked", "triangle", "warn", "Something must change at the child."
        ),
        DomainState.WAITING: Badge(
            "waiting",
            "triangle-open",
            "wait",
            "Announced, but no operator vouches for it.",
        ),
        DomainState.SIGNED: Badge(
            "signed", "ring-dot", "calm", "The zone is signed and announces nothing."
        ),
        DomainState.UNSIGNED: Badge(
            "unsigned", "ring", "calm", "The zone is not signed."
        ),
    }
)

PROPOSAL: Final[Mapping[str, Badge]] = MappingProxyType(
    {
        State.CANDIDATE: Badge(
            "candidate", "clock", "wait", "Waits for the approval rule or for staff."
        ),
        State.HELD: Badge("held", "pause", "warn", "Stopped; only staff can go on."),
        State.APPROVED: Badge("approved", "check", "info", "Waits for the publisher."),
        State.SENDING: Badge("sending", "arrow", "info", "Is being sent."),
        State.SENT: Badge(
            "sent", "ring-half", "info", "The parent took it; not yet on every server."
        ),
        State.VISIBLE: Badge(
            "visible", "ring-half", "info", "On every parent server; under observation."
        ),
        State.SETTLED: Badge("settled", "ring-key", "ok", "Done and observed."),
        State.REJECTED: Badge("rejected", "cross", "calm", "Refused by staff."),
        State.STALE: Badge("stale", "clock", "calm", "Its evidence no longer holds."),
        State.CONFLICT: Badge(
            "conflict", "octagon", "bad", "The parent holds something else."
        ),
        State.FAILED: Badge("failed", "octagon", "bad", "The publisher gave up."),
    }
)

OUTCOME: Final[Mapping[str, Badge]] = MappingProxyType(
    {
        Outcome.ACCEPT: Badge("accept", "check", "ok", "The evidence supports it."),
        Outcome.NOTHING: Badge("nothing to do", "ring", "calm", "Nothing to change."),
        Outcome.HOLD: Badge("hold", "pause", "warn", "Only a person may let it pass."),
        Outcome.REJECT: Badge(
            "reject", "triangle", "warn", "Not until the child or the policy changes."
        ),
        Outcome.RETRY: Badge("retry", "clock", "info", "Will be tried again."),
        Outcome.ERROR: Badge(
            "we could not look", "octagon", "bad", "A fault of ours, not of the child."
        ),
    }
)

MARK: Final[Mapping[str, Badge]] = MappingProxyType(
    {
        Mark.PASS: Badge("pass", "check", "ok"),
        Mark.FAIL: Badge("fail", "cross", "bad"),
        Mark.NOTE: Badge("note", "dot", "info"),
        Mark.SKIPPED: Badge("skipped", "dash", "calm"),
    }
)

KIND: Final[Mapping[str, Badge]] = MappingProxyType(
    {
        Kind.INFO: Badge("information", "dot", "calm", "Nobody has to act."),
        Kind.RETRY: Badge("try again", "clock", "info", "It may pass by itself."),
        Kind.CHILD: Badge("child", "triangle", "warn", "The DNS operator must act."),
        Kind.POLICY: Badge("policy", "pause", "warn", "The registry decides."),
        Kind.ALARM: Badge("alarm", "octagon", "bad", "Somebody must look at it."),
        Kind.OURS: Badge("ours", "octagon", "bad", "A fault of ours."),
    }
)

SECURITY: Final[Mapping[str, Badge]] = MappingProxyType(
    {
        Security.SECURE: Badge("secure", "ring-key", "ok"),
        Security.INSECURE: Badge("insecure", "ring", "warn"),
        Security.BOGUS: Badge("bogus", "ring-broken", "bad"),
        Security.INDETERMINATE: Badge("indeterminate", "ring-dotted", "info"),
    }
)

PROOF: Final[Mapping[str, Badge]] = MappingProxyType(
    {
        Proof.SEALED: Badge(
            "sealed", "check", "ok", "Under a signed checkpoint: anybody can check it."
        ),
        Proof.WAITING: Badge(
            "not yet sealed", "clock", "wait", "The sealer has not come to it yet."
        ),
        Proof.FAILING: Badge(
            "verification failing",
            "octagon",
            "bad",
            "The log does not hold to itself; nothing in it counts as proven.",
        ),
    }
)

LISTED: Final[Mapping[str, Badge]] = MappingProxyType(
    {
        Ending.COMPLETE: Badge("complete", "check", "ok", "All names were seen."),
        Ending.LIMIT: Badge(
            "cut short", "dash", "info", "There is more, and we stopped."
        ),
        Ending.HASHED: Badge(
            "cannot be listed", "dash", "calm", "NSEC3: names cannot be read off."
        ),
        Ending.MADE_UP: Badge(
            "cannot be listed",
            "dash",
            "calm",
            "Next names are computed for each question.",
        ),
        Ending.UNSIGNED: Badge(
            "not signed", "ring", "calm", "No signal there could be valid."
        ),
        Ending.REFUSED: Badge(
            "refused", "cross", "warn", "An error instead of an answer."
        ),
        Ending.SILENT: Badge("no answer", "clock", "warn", "No usable answer came."),
    }
)

FAMILIES: Final[Mapping[str, Mapping[str, Badge]]] = MappingProxyType(
    {
        "domain": DOMAIN,
        "proposal": PROPOSAL,
        "outcome": OUTCOME,
        "mark": MARK,
        "kind": KIND,
        "security": SECURITY,
        "proof": PROOF,
        "listed": LISTED,
    }
)


def badge(family: str, value: str) -> Badge:
    """Return the badge of a state; an unknown one is shown as such, not hidden."""
    return FAMILIES[family].get(value, UNKNOWN)


STEPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "check_own_site": "Our own site",
        "check_preconditions": "The registry's preconditions",
        "check_published_ds": "DS at the parent",
        "check_nameservers": "Addresses of the nameservers",
        "check_responses": "Answers of every server",
        "check_apex": "All servers ask for the same",
        "check_signals": "Signals",
        "check_agreement": "Signals agree with the child",
        "check_current_chain": "Chain of trust today",
        "check_signer": "Signed by a key that DS names",
        "check_replay": "Newer than what was accepted before",
        "check_change": "What the change does",
        "check_keys": "Keys behind the new DS",
        "check_path": "A path of validation under the new DS",
        "check_zone_data": "Signed data of the zone",
        "check_windows": "Life of the signatures",
        "check_completeness": "Every algorithm signs everything",
        "check_denial": "Proofs of absence",
        "check_ns_set": "NS set of child and parent",
        "check_work": "Work that validation costs",
    }
)
"""The steps of an evaluation, for people."""

ACTS: Final[Mapping[Act, str]] = MappingProxyType(
    {
        Act.OWNER: gettext_noop("The holder of the name must act."),
        Act.OPERATOR: gettext_noop("The DNS operator must act."),
        Act.REGISTRY: gettext_noop("The registry must act."),
        Act.NOBODY: gettext_noop("Nobody has to act."),
    }
)


@dataclass(frozen=True, slots=True)
class ReasonWords:
    """A reason code in words for people."""

    code: str
    title: str
    staff: str
    owner: str
    clause: str
    who: str
    """Who must act, in plain words."""
    kind: Badge
    recipe: str = ""
    """Records to publish, with places for the case's own values."""


def reason(code: str) -> ReasonWords:
    """Return the words of a reason; a code of another release stays its own title."""
    known = Reason.__members__.get(code)
    if known is None:
        return ReasonWords(code, code, "", "", "", "", UNKNOWN)
    text = TEXTS[known]
    return ReasonWords(
        code=code,
        title=_(text.title),
        staff=text.staff,
        owner=_(text.owners),
        clause=text.clause,
        who=_(ACTS[text.act]),
        kind=KIND[MEANINGS[known].kind],
        recipe=text.recipe,
    )


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a domain stands, in a sentence; why, and what to change."""

    sentence: str
    why: str
    who: str
    change: str


EXPLAINED: Final = frozenset(
    {
        DomainState.ALARM,
        DomainState.BROKEN,
        DomainState.BLOCKED,
        DomainState.WAITING,
        DomainState.ANNOUNCED,
    }
)
"""States whose reason is the answer to "why not yet?"."""


def standing(state: str, code: str) -> Stand:
    """Return what staff reads first on the page of a domain."""
    sentence = badge("domain", state).meaning
    if state not in EXPLAINED or not code:
        return Stand(sentence, "", "", "")
    found = reason(code)
    return Stand(sentence, code, found.who, found.owner)


EVENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "delegation.ns-changed": "The nameservers changed at the registry.",
        "delegation.ds-changed": "DS was changed by another channel.",
        "delegation.transferred": "The name went to another registrar.",
        "delegation.removed": "The registry removed the delegation.",
        "suspension.began": "Automation was turned off.",
        "suspension.ended": "Automation was turned on again.",
    }
)
"""What only the trail tells of a child."""

CAUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "OOB_REMOVAL": "DS was removed by another channel",
        "HOLDER_OPT_OUT": "the holder does not want it",
        "REGISTRAR_AUTOMATES": "the registrar does it",
        "PROPRIETARY_LOCK": "a lock of the registry",
        "SECURITY_ALARM": "a security alarm",
    }
)
"""Why automation is off, in words (P-5.46)."""
