"""What the validator says of the names of one case, each asked once.

The steps take a `Prove` and never the validator itself, so that a table of
hand-made proofs shows what each of them concludes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
from .observations import Observation, Trouble, see

Prove = Callable[[Name, RdataType], Proof | Needs]
"""A proof about a name and type, or the questions that it still lacks."""

MEMO_ENTRIES: Final = 20_000
"""Two megabytes; what children of one batch share is a hundredth of it."""
SETTLED: Final = frozenset({Security.SECURE, Security.INSECURE})


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
    return Sights(case).prove


class Sights:
    """What an evaluation has seen so far, and what the validator says of it.

    Whoever asks in rounds keeps it from one to the next, so that nothing is read
    twice. What holds is not proven twice either: more answers cannot make it less
    true. The verdict starts anew, from all observations of its case.
    """

    def __init__(self, case: Case) -> None:
        self._case = case
        self._answers: dict[Question, tuple[Response, ...]] = {}
        self._heard: set[Question] = set()
        """Questions for which any packet came, of whatever worth."""
        self._known: dict[tuple[Name, RdataType], Proof | Needs] = {}
        self.add(case.observations)

    def add(self, observations: Iterable[Observation]) -> None:
        """Take in what was seen since."""
        more = tuple(observations)
        see(self._answers, more)
        self._heard |= {
            Question(o.query.zone, o.query.name, o.query.rdtype)
            for o in more
            if o.received is not None or o.trouble is Trouble.JUNK
        }
        self._known = {key: one for key, one in self._known.items() if _holds(one)}

    def prove(self, name: Name, rdtype: RdataType) -> Proof | Needs:
        """Return the proof, or the questions that it still lacks."""
        key = (name, rdtype)
        if key not in self._known:
            self._known[key] = self._proof(name, rdtype)
        return self._known[key]

    def _proof(self, name: Name, rdtype: RdataType) -> Proof | Needs:
        try:
            found = validate(
                name,
                rdtype,
                seen=self._answers,
                anchors=self._case.anchors,
                now=self._case.now,
                budget=Budget(),
                memo=MEMO,
                memory=MEMORY,
            )
        except (BudgetSpent, NoTrustAnchor) as cause:
            return unproven(name, rdtype, Flaw.LIMIT, str(cause))
        return self._told_apart(found)

    def _told_apart(self, found: Proof | Needs) -> Proof | Needs:
        """Return the proof with malformed answers told from none (protocol.md 2.5).

        Packets that cannot be parsed count like packets that answer something
        else, as they do for a child's own server (`NS_MALFORMED`).
        """
        if isinstance(found, Needs) or found.flaw is not Flaw.UNREACHABLE:
            return found
        if found.blame not in self._heard or self._answers.get(found.blame):
            return found
        detail = "no answer of the zone's servers could be read"
        return replace(found, flaw=Flaw.MALFORMED, detail=detail)


def _holds(found: Proof | Needs) -> bool:
    return isinstance(found, Proof) and found.security in SETTLED


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
