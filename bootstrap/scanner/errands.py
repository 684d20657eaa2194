"""One evaluation's errand to the resolver: what it may cost, and what it brought."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from bootstrap.core.dns.names import Name
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.dnssec.chain import Question
from bootstrap.core.evaluation.observations import Observation

from .cache import Entry
from .pacing import Allowance
from .zones import ZoneServers


@dataclass(slots=True)
class Errand:
    """The look-ups of one evaluation: its budget, its answers, its evidence.

    `now` and `anchors` are what validation goes by.
    """

    now: datetime
    anchors: tuple[Anchor, ...]
    allowance: Allowance | None = None
    own: ZoneServers | None = None
    """The child's servers as the registry knows them: glue first (P-1.10)."""
    answers: dict[Question, Entry] = field(default_factory=dict)
    hosts: dict[Name, tuple[str, ...]] = field(default_factory=dict)
    _evidence: dict[int, Observation] = field(default_factory=dict)

    @property
    def is_spent(self) -> bool:
        """Nothing more may be asked."""
        return self.allowance is not None and self.allowance.is_spent

    @property
    def observations(self) -> tuple[Observation, ...]:
        """Everything that was seen or relied on, in the order of first use."""
        return tuple(self._evidence.values())

    def note(self, observations: Iterable[Observation]) -> None:
        """Add evidence; what is there already is not added again."""
        for observation in observations:
            self._evidence.setdefault(id(observation), observation)

    def add(self, question: Question, entry: Entry) -> Entry:
        """Add answers to a question to those that this evaluation has."""
        known = self.answers.get(question)
        if known is not None:
            entry = known.joined(entry)
        self.answers[question] = entry
        self.note(entry.observations)
        return entry


@dataclass(frozen=True, slots=True)
class Path:
    """How deep we are: names whose servers or addresses are being looked for."""

    depth: int = 0
    names: frozenset[Name] = frozenset()

    def into(self, name: Name, *, deeper: bool = False) -> Path:
        """Return the path one step further."""
        return Path(self.depth + deeper, self.names | {name})
