"""Each mutant on the cases in which its rule plays a part."""

from __future__ import annotations

import importlib
import multiprocessing
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

import coverage

from bootstrap.core.evaluation.reasons import Reason

from . import rules
from .kit import Recorded
from .rules import Rule
from .surgery import forgetful, without
from .tables import Row

ENOUGH: Final = 3
"""Cases that are named for a mutant; more teach nothing."""
PATIENCE: Final = 20.0
"""Seconds for one case: a mutant may never end, which is no verdict either."""

Reach = Mapping[tuple[str, int], frozenset[str]]
"""By module and line: the cases that run it."""


class NeverEnds(BaseException):
    """A mutant that would go on for ever; nothing in the engine catches it."""


@dataclass(frozen=True, slots=True)
class Result:
    """A rule, how many cases it plays a part in, and the first that miss it."""

    rule: Rule
    tried: int
    caught: tuple[str, ...]


def reach(kit: Iterable[Recorded]) -> Reach:
    """Return which cases run which lines, when nothing is remembered."""
    names = rules.modules()
    files = {name: importlib.import_module(name).__file__ or "" for name in names}
    found = coverage.Coverage(
        data_file=None, config_file=False, include=list(files.values())
    )
    with _undisturbed(found):
        for one in kit:
            found.switch_context(one.id)
            with forgetful(signatures=True):
                one.catches()
    data = found.get_data()
    return {
        (name, line): frozenset(cases)
        for name, file in files.items()
        for line, cases in data.contexts_by_lineno(file).items()
    }


@contextmanager
def _undisturbed(mine: coverage.Coverage) -> Iterator[None]:
    """Measure, though somebody else may measure too: the suite's own coverage."""
    other = coverage.Coverage.current()
    if other is not None:
        other.stop()
    mine.start()
    try:
        yield
    finally:
        mine.stop()
        if other is not None:
            other.start()


def cases_for(rule: Rule, kit: tuple[Recorded, ...], lines: Reach) -> list[Recorded]:
    """Return the cases whose verdict the rule may change."""
    if isinstance(rule.what, Row):
        key = rule.what.key
        if isinstance(key, Reason) and rule.what.table.name == "MEANINGS":
            return [one for one in kit if key in one.reasons]
        if rule.what.table.name == "MATRIX":
            return [one for one in kit if one.cell == key]
    if not rule.fires:
        return list(kit)
    hit = {i for line in rule.fires for i in lines.get((rule.module, line), ())}
    return [one for one in kit if one.id in hit]


def attempt(rule: Rule, kit: tuple[Recorded, ...], lines: Reach) -> Result:
    """Try one mutant; what raises or never ends is no verdict, and so caught."""
    concerned = cases_for(rule, kit, lines)
    caught: list[str] = []
    with without(rule):
        for one in concerned:
            if _misses(one):
                caught.append(one.id)
                if len(caught) == ENOUGH:
                    break
    return Result(rule, len(concerned), tuple(caught))


def _misses(one: Recorded) -> bool:
    signal.signal(signal.SIGALRM, _end)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        return one.catches()
    except (Exception, NeverEnds):  # noqa: BLE001 - whatever a mutant comes to
        return True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise NeverEnds


_SHARED: dict[str, tuple[tuple[Rule, ...], tuple[Recorded, ...], Reach]] = {}
"""What the processes that try mutants are born with."""


def attempts(
    wanted: tuple[Rule, ...], kit: tuple[Recorded, ...], *, jobs: int = 2
) -> Iterator[Result]:
    """Yield what becomes of each mutant, in the order of the rules."""
    _SHARED["all"] = wanted, kit, reach(kit)
    fork = multiprocessing.get_context("fork")
    with fork.Pool(jobs) as pool:
        for number, found in enumerate(pool.imap(_numbered, range(len(wanted)))):
            yield Result(wanted[number], *found)


def _numbered(number: int) -> tuple[int, tuple[str, ...]]:
    wanted, kit, lines = _SHARED["all"]
    found = attempt(wanted[number], kit, lines)
    return found.tried, found.caught
