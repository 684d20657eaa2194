"""What the validator says of the names of one case, each asked once.

The steps take a `Prove` and never the validator itself, so that a table of
hand-made proofs shows what each of them concludes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.budget import Budget, BudgetSpent
from bootstrap.core.dnssec.chain import Needs, NoTrustAnchor, Proof, validate
from bootstrap.core.dnssec.memory import Memory
from bootstrap.core.dnssec.security import Flaw, Security

from .case import Case
from .observations import seen

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
    known: dict[tuple[Name, RdataType], Proof | Needs] = {}

    def prove(name: Name, rdtype: RdataType) -> Proof | Needs:
        key = (name, rdtype)
        if key not in known:
            try:
                known[key] = validate(
                    name,
                    rdtype,
                    seen=answers,
                    anchors=case.anchors,
                    now=case.now,
                    budget=Budget(),
                    memo=MEMO,
                    memory=MEMORY,
                )
            except (BudgetSpent, NoTrustAnchor) as cause:
                known[key] = unproven(name, rdtype, Flaw.LIMIT, str(cause))
        return known[key]

    return prove


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
