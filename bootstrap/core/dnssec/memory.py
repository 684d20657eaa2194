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
from typing import Any, Final, Generic, TypeVar, cast

from bootstrap.core.dns.messages import Response
from bootstrap.core.dns.names import Name

from .budget import Budget
from .proofs import Needs, Proof, Question, Seen

T = TypeVar("T")

MAX_WALKS: Final = 8_192
"""Remembered answers on the way to an outcome; a full memory starts again."""
MAX_LOOKS: Final = 8_192
"""Remembered judgements on the answers to one question."""
MAX_WAYS: Final = 2_048
"""Remembered places on the way to names below them."""


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


@dataclass(frozen=True, slots=True)
class Way:
    """The beginning of walks: what they looked at and saw, and where that led.

    The walks of all names below a place have the way to it in common.
    """

    looked: tuple[tuple[Question, tuple[int, ...] | None], ...]
    kept: Kept[Any]

    def taken(self, trace: Trace, budget: Budget) -> Any | None:  # noqa: ANN401 - the walk's own place
        """Return its end if the same answers are met and the budget can pay for it.

        Only then did this walk look at them: another way is none of its own.
        """
        found = {}
        for question, road in self.looked:
            answers = found[question] = trace.peek(question)
            if identity(answers) != road:
                return None
        if not self.kept.price.paid_from(budget):
            return None
        trace.looked |= found
        return self.kept.outcome


class Memory:
    """Outcomes of whole walks, of their beginnings, and of single looks; bounded."""

    def __init__(
        self, walks: int = MAX_WALKS, looks: int = MAX_LOOKS, ways: int = MAX_WAYS
    ) -> None:
        self._max_walks, self._max_looks, self._max_ways = walks, looks, ways
        self._walks: dict[Hashable, _Node] = {}
        self._holds: list[object] = []
        self._nodes = 0
        self._looks: dict[Hashable, Kept[object]] = {}
        self._ways: dict[Hashable, dict[Name, Way]] = {}
        self._places = 0

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

    def ways(self, base: Hashable) -> dict[Name, Way]:
        """Return the places that walks of this base reached, by the names they are at.

        Read it now: it is dropped when the memory is full.
        """
        return self._ways.get(base, {})

    def keep_way(
        self, base: Hashable, name: Name, trace: Trace, kept: Kept[Any]
    ) -> None:
        """Remember the place that a walk reached at `name` after all it looked at."""
        if self._places >= self._max_ways:
            self._ways.clear()
            self._places = 0
        looked = tuple(trace.looked.items())
        roads = tuple((question, identity(answers)) for question, answers in looked)
        holds = (*kept.holds, *(answers for _question, answers in looked))
        way = Way(roads, Kept(kept.outcome, kept.price, holds))
        self._ways.setdefault(base, {})[name] = way
        self._places += 1

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

    def peek(self, question: Question) -> tuple[Response, ...] | None:
        """Return answers, if there are any, without taking note of it."""
        return self._seen.get(question)

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
