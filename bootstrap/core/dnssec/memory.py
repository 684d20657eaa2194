"""What earlier walks found, so that the next one need not find it again.

A walk is a function of the answers that it looks at, in an order that they alone
decide, and of the second at which it is judged. So its outcome may be had again
when the same answers are met, question by question; the answers are compared by
identity, for a packet is read into one object. Budgets are charged as if the work
had been done; where they do not suffice, it is done, and ends as it would have.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Generic, TypeVar, cast

from bootstrap.core.dns.messages import Response

from .budget import Budget
from .proofs import Needs, Proof, Question, Seen

T = TypeVar("T")

MAX_WALKS: Final = 8_192
"""Remembered answers on the way to an outcome; a full memory starts again."""
MAX_LOOKS: Final = 8_192
"""Remembered judgements on the answers to one question."""


@dataclass(frozen=True, slots=True)
class Price:
    """What an outcome cost when it was worked out."""

    verifications: int = 0
    hashes: int = 0

    def paid_from(self, budget: Budget) -> bool:
        """Charge the budget; False, and nothing charged, where it has too little."""
        if budget.verifications < self.verifications:
            return False
        if budget.nsec3_hashes < self.hashes:
            return False
        budget.verifications -= self.verifications
        budget.nsec3_hashes -= self.hashes
        return True


def price(before: tuple[int, int], budget: Budget) -> Price:
    """Return what was spent since the budget held `before`."""
    verifications, hashes = before
    return Price(verifications - budget.verifications, hashes - budget.nsec3_hashes)


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """An outcome, its price, and what must live as long as its key names it."""

    outcome: T
    price: Price
    holds: tuple[object, ...] = ()


@dataclass(slots=True)
class _Node:
    """A question that walks asked at this point, and where each answer led."""

    question: Question
    roads: dict[tuple[int, ...] | None, _Node | Kept[Proof | Needs]] = field(
        default_factory=dict
    )
    holds: list[tuple[Response, ...]] = field(default_factory=list)


class Memory:
    """Outcomes of whole walks, and of single looks; bounded."""

    def __init__(self, walks: int = MAX_WALKS, looks: int = MAX_LOOKS) -> None:
        self._max_walks, self._max_looks = walks, looks
        self._walks: dict[Hashable, _Node] = {}
        self._holds: list[object] = []
        self._nodes = 0
        self._looks: dict[Hashable, Kept[object]] = {}

    def walked(self, key: Hashable, seen: Seen) -> Kept[Proof | Needs] | None:
        """Return where the walk of this key over `seen` led before, if known.

        It looks at exactly what the walk itself would look at.
        """
        node = self._walks.get(key)
        while node is not None:
            found = node.roads.get(identity(seen.get(node.question)))
            if isinstance(found, Kept):
                return found
            node = found
        return None

    def keep_walk(self, key: Hashable, trace: Trace, kept: Kept[Proof | Needs]) -> None:
        """Remember where a walk led that looked at `trace`."""
        steps = list(trace.looked.items())
        if not steps:
            return
        if self._nodes + len(steps) > self._max_walks:
            self._walks.clear()
            self._holds.clear()
            self._nodes = 0
        self._holds += kept.holds
        first, _answers = steps[0]
        node = self._walks.setdefault(key, _Node(first))
        for (_asked, answers), (question, _) in pairwise(steps):
            road = identity(answers)
            following = node.roads.get(road)
            if not isinstance(following, _Node):
                following = node.roads[road] = _Node(question)
                node.holds += [answers] if answers is not None else []
                self._nodes += 1
            node = following
        _asked, answers = steps[-1]
        node.roads[identity(answers)] = kept
        node.holds += [answers] if answers is not None else []
        self._nodes += 1

    def look(
        self,
        key: Hashable,
        judge: Callable[[], T],
        *,
        budget: Budget,
        holds: tuple[object, ...],
    ) -> T:
        """Return what a look finds, or what it found before under the same key.

        `holds` are the objects whose identity is part of the key.

        Raises:
            BudgetSpent: the evaluation's allowance is used up.
        """
        known = self._looks.get(key)
        if known is not None and known.price.paid_from(budget):
            return cast("T", known.outcome)
        before = budget.verifications, budget.nsec3_hashes
        found = judge()
        if len(self._looks) >= self._max_looks:
            self._looks.clear()
        self._looks[key] = Kept(found, price(before, budget), holds)
        return found


class Trace(Mapping[Question, tuple[Response, ...]]):
    """Answers as a walk sees them; `looked` is what it asked for, in order."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self.looked: dict[Question, tuple[Response, ...] | None] = {}

    def __getitem__(self, question: Question) -> tuple[Response, ...]:
        if question not in self.looked:
            self.looked[question] = self._seen.get(question)
        found = self.looked[question]
        if found is None:
            raise KeyError(question)
        return found

    def __iter__(self) -> Iterator[Question]:
        return iter(self._seen)

    def __len__(self) -> int:
        return len(self._seen)


def identity(answers: tuple[Response, ...] | None) -> tuple[int, ...] | None:
    """Return the key of answers: which objects they are."""
    return None if answers is None else tuple(map(id, answers))
