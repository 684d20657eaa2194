"""The conformance kit, scanned once: what was seen, and what must be found in it."""

from __future__ import annotations

import functools
import gc
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bootstrap import clock
from bootstrap.core.dns import messages
from bootstrap.core.dnssec.memory import Memory
from bootstrap.core.evaluation import proofs
from bootstrap.core.evaluation.apex import ApexState
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.facts import Facts
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.signals import SignalState
from bootstrap.core.evaluation.verdict import conclude, judge
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.kit import Expected, cases_of
from bootstrap.lab.network import has_ipv6
from bootstrap.lab.situations import catalogue, world_for
from bootstrap.services import conformance

from .surgery import replaced

PREFIX: Final = "127.58"
SEED: Final = b"mutants"
MANY: Final = 1_000_000
"""More than a run over the whole kit remembers."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One case as it was seen; `reasons` and `cell` are what the whole engine says."""

    id: str
    case: Case
    expected: Expected
    reasons: frozenset[Reason]
    cell: tuple[ApexState, SignalState]

    def catches(self) -> bool:
        """Say whether the engine, as it is now, fails this case."""
        return bool(self.expected.faults(conformance.seen(judge(self.case))))


def record(only: Iterable[str] = ()) -> tuple[Recorded, ...]:
    """Serve the kit, or some cases of it, and scan each once.

    Raises:
        LookupError: the whole engine fails a case, so that nothing can be learnt.
    """
    wanted = set(only)
    situations = {
        identifier: situation
        for identifier, situation in catalogue().items()
        if (not wanted or identifier in wanted) and (has_ipv6() or not situation.ipv6)
    }
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        world = world_for(situations)
        lab = Lab(world, clock=clock.now, folder=Path(folder), seed=SEED, prefix=PREFIX)
        with lab:
            seen = conformance.observed(lab, cases_of(lab, situations))
            recorded = tuple(
                _recorded(kit.id, case, kit.expected) for kit, case in seen
            )
    if failed := [one.id for one in recorded if one.catches()]:
        raise LookupError(f"the engine fails {', '.join(failed)}")
    return recorded


def _recorded(identifier: str, case: Case, expected: Expected) -> Recorded:
    facts = Facts(case, proofs.proving(case))
    reasons = frozenset(conclude(facts).reasons)
    return Recorded(
        identifier, case, expected, reasons, (facts.apex.state, facts.signal_state)
    )


@contextmanager
def remembered(kit: Iterable[Recorded]) -> Iterator[None]:
    """Read every packet and walk every chain once, for all mutants that follow."""
    reading = functools.lru_cache(maxsize=None)(messages._read.__wrapped__)  # noqa: SLF001
    with ExitStack() as stack:
        stack.enter_context(replaced(messages._read, reading))  # noqa: SLF001
        stack.enter_context(replaced(proofs.MEMORY, Memory(MANY, MANY)))
        for one in kit:
            one.catches()
        gc.collect()
        gc.freeze()  # what is remembered is garbage for nobody; forks share it
        stack.callback(gc.unfreeze)
        yield
