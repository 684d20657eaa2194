"""What the validator says of the names of one case, each asked once.

The steps take a `Prove` and never the validator itself, so that a table of
hand-made proofs shows what each of them concludes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from bootstrap.core.dns.messages import Response
from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.budget import Budget, BudgetSpent
from bootstrap.core.dnssec.chain import Needs, NoTrustAnchor, Proof, Question, validate
from bootstrap.core.dnssec.memory import Memory
from bootstrap.core.dnssec.security import Flaw, Security

from .case import Case
from .observations import Trouble, seen

Prove = Callable[[Name, RdataType], Proof | Needs]
"""A proof about a name and type, or the questions that it still lacks."""

MEMO_ENTRIES: Final = 100_000


class Memo(dict[bytes, bool]):
    """Signatures checked before; a full memory starts again.

    What a signature is worth never changes, so that children who share root,
    parent and operator share the work, and no verdict can depend on it.
    """

    def __init__(self, entries: int = MEMO_ENTRIES) -> None:
        super().__init__()
        self.entries = entries

    def __setitem__(self, digest: bytes, good: bool) -> None:
        if len(self) >= self.entries:
            self.clear()
        super().__setitem__(digest, good)


MEMO: Final = Memo()
MEMORY: Final = Memory()
"""Walks over the same answers: from round to round, and from plan to verdict."""


def proving(case: Case) -> Prove:
    """Return the validator over what `case` has seen, with a memory.

    Each name has its own allowance (P-7.81): a long list of nameservers does
    not starve, and no single chain can be dear.
    """
    answers: Final = seen(case.observations)
    unreadable: Final = _unreadable(case, answers)
    known: dict[tuple[Name, RdataType], Proof | Needs] = {}

    def prove(name: Name, rdtype: RdataType) -> Proof | Needs:
        key = (name, rdtype)
        if key not in known:
            try:
                found = validate(
                    name,
                    rdtype,
                    seen=answers,
                    anchors=case.anchors,
                    now=case.now,
                    budget=Budget(),
                    memo=MEMO,
                    memory=MEMORY,
                )
                known[key] = _told_apart(found, unreadable)
            except (BudgetSpent, NoTrustAnchor) as cause:
                known[key] = unproven(name, rdtype, Flaw.LIMIT, str(cause))
        return known[key]

    return prove


def _unreadable(
    case: Case, answers: Mapping[Question, tuple[Response, ...]]
) -> frozenset[Question]:
    """Return the questions that were answered, and by nothing that can be used.

    Packets that cannot be parsed count like packets that answer something else,
    as they do for a child's own server (`NS_MALFORMED`).
    """
    received = (
        o.query
        for o in case.observations
        if o.received is not None or o.trouble is Trouble.JUNK
    )
    asked = {Question(query.zone, query.name, query.rdtype) for query in received}
    return frozenset(question for question in asked if not answers[question])


def _told_apart(found: Proof | Needs, unreadable: frozenset[Question]) -> Proof | Needs:
    """Return the proof with malformed answers told from none (protocol.md 2.5)."""
    if isinstance(found, Needs) or found.flaw is not Flaw.UNREACHABLE:
        return found
    if found.blame not in unreadable:
        return found
    detail = "no answer of the zone's servers could be read"
    return replace(found, flaw=Flaw.MALFORMED, detail=detail)


def settled(prove: Prove, name: Name, rdtype: RdataType) -> Proof:
    """Return the proof as it stands: what was never fetched proves nothing."""
    found = prove(name, rdtype)
    if isinstance(found, Needs):
        lacking = ", ".join(
            f"{question.name} {question.rdtype.name}" for question in found.questions
        )
        return unproven(name, rdtype, Flaw.NO_DATA_SEEN, f"not seen: {lacking}")
    return found


def unproven(name: Name, rdtype: RdataType, flaw: Flaw, detail: str) -> Proof:
    """Return a proof that nothing can be said."""
    return Proof(name, rdtype, Security.INDETERMINATE, flaw=flaw, detail=detail)
