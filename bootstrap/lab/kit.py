"""The conformance kit: each situation as a case that any engine can be tried with.

A case says what a parent would know, what must be found, and what was found
instead. docs/conformance.md is its manual, `cases.json` its interface.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bootstrap.core.dns.names import unrooted
from bootstrap.core.evaluation.delegation import Delegation, History

from .circumstances import Memory, Registry, Rules, wanted_ds
from .hierarchy import Lab
from .placing import Placer
from .sites import Site
from .situations import Situation

VERSION: Final = 1
"""Of `cases.json`; fields are added without a new one, never changed or removed."""
CASES: Final = "cases.json"
ACCEPT: Final = "accept"
REFUSE: Final = "refuse"
SHA1: Final = "1"
"""The digest type, as a DS record has it in presentation form."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an engine made of one case. Only `answer` and `ds` are asked of all.

    `answer` is accept or refuse, `ds` the records that it would publish, in
    presentation form and upper case. What follows is ours.
    """

    answer: str
    ds: tuple[str, ...] = ()
    outcome: str = ""
    path: str = ""
    codes: frozenset[str] = frozenset()
    primary: str = ""
    """The code that shows first (P-2.50)."""
    skipped: frozenset[str] = frozenset()
    """The steps that did not apply."""
    failed: frozenset[str] = frozenset()
    """The steps that refuse."""
    trouble: str = ""
    """Why there is no answer at all."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be found in a case, without where it is served."""

    answer: str
    ds: tuple[str, ...]
    situation: Situation

    def faults(self, seen: Seen) -> tuple[str, ...]:
        """Return what is wrong with an answer, a line each; nothing if it passes."""
        if seen.trouble:
            return (seen.trouble,)
        faults = []
        if seen.answer != self.answer:
            faults.append(f"must {self.answer}, said {seen.answer}")
        elif seen.ds and sorted(_sha256(seen.ds)) != sorted(self.ds):
            faults.append(f"DS must be {list(self.ds)}, is {list(seen.ds)}")
        elif self.ds and not seen.ds:
            faults.append("accepted without naming the DS")
        if any(text.split()[2] == SHA1 for text in seen.ds):
            faults.append("publishes a digest with SHA-1 (RFC 9905, 2)")
        return (*faults, *self._own_faults(seen))

    def _own_faults(self, seen: Seen) -> Iterable[str]:
        """Compare outcome, path and codes, where the engine has them."""
        wanted = self.situation
        if not seen.outcome:
            return
        if seen.outcome != wanted.outcome:
            yield f"outcome must be {wanted.outcome}, is {seen.outcome}"
        if seen.path != wanted.path:
            yield f"path must be {wanted.path}, is {seen.path}"
        if seen.primary != wanted.primary:
            yield f"{wanted.primary} must show first, {seen.primary} does"
        if lacking := set(wanted.codes) - seen.codes:
            yield f"lacks {', '.join(sorted(lacking))}"
        if wrong := set(wanted.without) & seen.codes:
            yield f"must not have {', '.join(sorted(wrong))}"
        yield from self._faults_of_steps(seen)

    def _faults_of_steps(self, seen: Seen) -> Iterable[str]:
        if ran := set(self.situation.skipped) - seen.skipped:
            yield f"must not run {', '.join(sorted(ran))}"
        if passed := set(self.situation.failed) - seen.failed:
            yield f"must fail {', '.join(sorted(passed))}"


@dataclass(frozen=True, slots=True)
class KitCase:
    """A situation, where it is served."""

    situation: Situation
    placer: Placer

    @property
    def id(self) -> str:
        """Its name in the catalogue."""
        return self.situation.id

    @property
    def answer(self) -> str:
        """What any engine must say: accept, or refuse for whatever reason."""
        return ACCEPT if self.situation.outcome == ACCEPT else REFUSE

    @property
    def needs(self) -> tuple[str, ...]:
        """What must be told beside NS, glue and DS; empty: the DNS says it all."""
        s = self.situation
        told = {
            "registry": s.registry != Registry(),
            "memory": s.remembers != Memory(),
            "policy": s.policy != Rules(),
            "site": s.site != Site(),
        }
        return tuple(key for key, needed in told.items() if needed)

    @property
    def ds(self) -> tuple[str, ...]:
        """The DS set after an accepted request, with SHA-256; empty: removed."""
        if self.answer == REFUSE or self.situation.path == "removal":
            return ()
        return tuple(ds.to_text().upper() for ds in wanted_ds(self.placer))

    def delegation(self, now: datetime) -> Delegation:
        """Return what the registry holds."""
        return self.situation.registry.delegation(self.placer, now)

    @property
    def expected(self) -> Expected:
        """What must be found, as a value that stands alone."""
        return Expected(self.answer, self.ds, self.situation)

    def faults(self, seen: Seen) -> tuple[str, ...]:
        """Return what is wrong with an answer, a line each; nothing if it passes."""
        return self.expected.faults(seen)

    def as_json(self, now: datetime) -> dict[str, Any]:
        """Return the case as it stands in `cases.json`."""
        situation, delegation = self.situation, self.delegation(now)
        return {
            "id": self.id,
            "title": situation.title,
            "served": situation.served,
            "reference": situation.reference,
            "child": unrooted(delegation.child),
            "parent": unrooted(delegation.parent),
            "time": _moment(now),
            "delegation": {
                "ns": [unrooted(name) or "." for name in delegation.nameservers],
                "glue": [[unrooted(n), address] for n, address in delegation.glue],
                "ds": [ds.to_text().upper() for ds in delegation.ds],
            },
            "needs": {key: self._told(key, now) for key in self.needs},
            "expected": {
                "answer": self.answer,
                "ds": list(self.ds),
                "path": situation.path,
                "outcome": situation.outcome,
                "primary": situation.primary,
                "codes": list(situation.codes),
                "without": list(situation.without),
                "skipped": list(situation.skipped),
                "failed": list(situation.failed),
            },
        }

    def _told(self, key: str, now: datetime) -> dict[str, Any]:
        parts: dict[str, Registry | History | Rules | Site] = {
            "registry": self.situation.registry,
            "memory": self.situation.remembers.history(now),
            "policy": self.situation.policy,
            "site": self.situation.site,
        }
        part = parts[key]
        values = {one.name: getattr(part, one.name) for one in fields(part)}
        return {name: _plain(value) for name, value in values.items() if value}


def _sha256(ds: Iterable[str]) -> list[str]:
    return [text.upper() for text in ds if text.split()[2] == "2"]


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    match value:
        case datetime():
            return _moment(value)
        case tuple():
            return [_plain(item) for item in value]
        case bool() | int() | str():
            return value
        case _:
            return dict(value)  # type: ignore[call-overload]  # mappings of the catalogue


def cases_of(lab: Lab, situations: dict[str, Situation]) -> tuple[KitCase, ...]:
    """Return the cases that a laboratory serves, in the order of the catalogue."""
    placers = {p.child.situation: p for p in lab.built.children.values()}
    return tuple(
        KitCase(situation, placers[situation.id])
        for situation in situations.values()
        if situation.id in placers
    )


def write_cases(lab: Lab, cases: Iterable[KitCase]) -> Path:
    """Write `cases.json` beside hints and anchor; return its path."""
    value = {
        "version": VERSION,
        "time": _moment(lab.now()),
        "port": lab.port,
        "networks": list(lab.allowed_networks),
        "root_hints": str(lab.root_hints),
        "trust_anchors": str(lab.anchors),
        "cases": [case.as_json(lab.now()) for case in cases],
    }
    path = lab.folder / CASES
    path.write_text(json.dumps(value, indent=1) + "\n")
    return path
