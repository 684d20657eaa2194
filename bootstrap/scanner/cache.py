"""What one run remembers: answers by question.

They belong to one run over one shard (S-22). A zone that says much pushes out
its own answers before those of others, signals are never kept (P-1.43), and
what did not lead to a proof is forgotten by whoever found out (S-26).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bootstrap.core.dns.messages import Response
from bootstrap.core.dns.names import SIGNAL, Name
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.chain import Question
from bootstrap.core.evaluation.observations import Observation

MAX_ENTRIES: Final = 50_000
MAX_OCTETS: Final = 64 * 2**20
MAX_ENTRIES_OF_ZONE: Final = 2_000
LONGEST: Final = 3600.0
"""Seconds after which even a long TTL is over."""
FRESH: Final = frozenset({RdataType.CDS, RdataType.CDNSKEY})
"""Types that are asked anew for every child (P-1.43)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The observations of one question, and what could be read in them."""

    observations: tuple[Observation, ...]
    responses: tuple[Response, ...] = ()

    def joined(self, other: Entry) -> Entry:
        """Return both, in the order of asking; what is in both comes once."""
        known = {id(observation) for observation in self.observations}
        if all(id(observation) in known for observation in other.observations):
            return self
        return Entry(
            (*self.observations, *other.observations),
            (*self.responses, *other.responses),
        )

    @property
    def octets(self) -> int:
        """Octets received."""
        return sum(response.size for response in self.responses)

    @property
    def ttl(self) -> int:
        """Seconds that the shortest-lived of its RRsets lives."""
        ttls = (
            signed.rrset.ttl
            for response in self.responses
            for signed in (*response.answer, *response.authority)
        )
        return min(ttls, default=0)


def may_be_kept(question: Question) -> bool:
    """Say whether the answer may serve another child.

    Signals may not, and neither may what speaks of one child only: names two or
    more labels below `_signal` (P-1.43).
    """
    labels = question.name.labels
    if question.rdtype in FRESH:
        return False
    return SIGNAL not in labels or labels.index(SIGNAL) <= 1


class Answers:
    """The shared answers of a run; bounded in all directions (S-22)."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._zones: dict[Name, dict[Question, tuple[float, Entry]]] = {}
        self._entries = 0
        self._octets = 0

    def get(self, question: Question) -> Entry | None:
        """Return the answers to `question` if they are still good."""
        kept = self._zones.get(question.zone, {}).get(question)
        if kept is None:
            return None
        until, entry = kept
        if until > self._time():
            return entry
        self.forget((question,))
        return None

    def put(self, question: Question, entry: Entry) -> None:
        """Keep an answer as long as its TTL says, and the caps allow."""
        if not entry.responses or not may_be_kept(question):
            return
        self.forget((question,))
        zone = self._zones.setdefault(question.zone, {})
        until = self._time() + min(entry.ttl, LONGEST)
        zone[question] = (until, entry)
        self._entries += 1
        self._octets += entry.octets
        while len(zone) > MAX_ENTRIES_OF_ZONE or self._is_over():
            self._drop_oldest(question.zone)

    def forget(self, questions: Iterable[Question]) -> None:
        """Drop what turned out to be no good (S-26)."""
        for question in questions:
            zone = self._zones.get(question.zone, {})
            kept = zone.pop(question, None)
            if kept is not None:
                self._entries -= 1
                self._octets -= kept[1].octets
                if not zone:
                    del self._zones[question.zone]

    def __len__(self) -> int:
        return self._entries

    def _is_over(self) -> bool:
        return self._entries > MAX_ENTRIES or self._octets > MAX_OCTETS

    def _drop_oldest(self, grower: Name) -> None:
        # Who grows pays, so that one zone cannot flush the others (CacheFlush).
        zone = self._zones.get(grower) or next(iter(self._zones.values()))
        self.forget((next(iter(zone)),))


class View(Mapping[Question, tuple[Response, ...]]):
    """What the validator may see: own answers first, then shared ones.

    Of the zone `private` nothing is shared: the registry's knowledge of a child
    is for its own evaluation. `used` remembers what was looked at: that is the
    evidence of the walk.
    """

    def __init__(
        self, own: Mapping[Question, Entry], shared: Answers, *, private: Name | None
    ) -> None:
        self._own = own
        self._shared = shared
        self._private = private
        self.used: dict[Question, Entry] = {}

    def entry(self, question: Question) -> Entry | None:
        """Return the answers to `question` with their observations."""
        found = self.used.get(question) or self._own.get(question)
        if found is None and question.zone != self._private:
            found = self._shared.get(question)
        if found is not None:
            self.used[question] = found
        return found

    def __getitem__(self, question: Question) -> tuple[Response, ...]:
        found = self.entry(question)
        if found is None:
            raise KeyError(question)
        return found.responses

    def __iter__(self) -> Iterator[Question]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)
