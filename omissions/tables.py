"""The tables of the engine, and what each says when a row is left out."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from bootstrap.core.evaluation import matrix
from bootstrap.core.evaluation.decision import Outcome
from bootstrap.core.evaluation.reasons import Kind, Meaning, Reason
from bootstrap.core.evaluation.signals import SignalState

GONE: Final = object()
"""The row is taken away, and what the code does without it is the mutant."""
ELSEWHERE: Final = ("PUB_", "POST_", "NTF_")
"""Codes of publication, of the look afterwards, and of notifications."""
OF_OTHERS: Final = {
    Reason.PRE_RECENT_NS_CHANGE: "when to publish, not whether (S-63)",
    Reason.PRE_RATE_LIMITED: "whether to evaluate at all",
    Reason.POL_MANUAL_REVIEW: "who may approve",
    Reason.UPD_REGISTRAR_STALE_PUSH: "the registrar's channel",
}
"""Codes that decide of something else than an evaluation, and of what."""


@dataclass(frozen=True, slots=True)
class Table:
    """A constant of a module; `neutral` takes the place of a row's value.

    It is what makes the engine go on as if the row had nothing to say.
    """

    module: str
    name: str
    reference: str
    neutral: Any = GONE

    @property
    def value(self) -> Any:  # noqa: ANN401 - mappings, sets and tuples
        """The table as the engine has it now."""
        return getattr(
            importlib.import_module(f"bootstrap.core.{self.module}"), self.name
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table; `without` gives the table as the mutant has it."""

    table: Table
    key: Any
    id: str
    reference: str
    without: Callable[[], Any]


TABLES: Final = (
    Table("evaluation.paths", "STATUSES", "P-5.31"),
    Table("evaluation.paths", "SUSPENSIONS", "P-5.46", Reason.PRE_LOCK_IGNORED),
    Table("evaluation.classify", "TROUBLES", "P-2.30", Reason.NS_OK_NODATA),
    Table("evaluation.classify", "TCP_TROUBLES", "P-2.20"),
    Table("evaluation.classify", "RCODES", "P-2.30", None),
    Table("evaluation.classify", "USABLE", "P-2.30"),
    Table("evaluation.classify", "USABLE_FOR_UPDATE", "RFC 9975, 3"),
    Table("evaluation.servers", "FAMILIES", "P-2.3"),
    Table("evaluation.requests", "COMBINED", "P-2.43"),
    Table("evaluation.apex", "REQUIRED_TYPES", "P-2.30"),
    Table("evaluation.apex", "DIFFER", "P-2.42", Reason.APEX_CONSISTENT),
    Table("evaluation.signals", "FLAWS", "protocol.md, 2.5"),
    Table("evaluation.signals", "UNPROVEN", "P-1.20", Reason.SIG_OK),
    Table("evaluation.signals", "GENUINE", "P-1.28"),
    Table("evaluation.signals", "COLUMNS", "protocol.md, 2.6", SignalState.EQUAL),
    Table("evaluation.signals", "WORST", "protocol.md, 2.6"),
    Table("evaluation.acceptance", "BROKEN", "P-3.5", Reason.ACC_STANDBY_KEY),
    Table("evaluation.acceptance", "BY_FLAW", "protocol.md, 2.7"),
    Table("evaluation.trial", "DATA_TYPES", "P-3.5"),
    Table("evaluation.facts", "DEAD", "P-2.31"),
    Table("evaluation.decision", "OUTCOMES", "P-2.50", Outcome.ACCEPT),
    Table("evaluation.decision", "UNDENIABLE", "P-3.5"),
    Table("dnssec.algorithms", "VERIFIED_ALGORITHMS", "P-7.26"),
    Table("dnssec.algorithms", "VERIFIED_DIGESTS", "P-7.9"),
    Table("dnssec.walk", "ANSWERING", "P-7.92"),
    Table("dnssec.walk", "_UNPROVEN", "P-7.53; P-7.81"),
)


NO_RULES: Final = {
    "evaluation.answers.REQUEST_TYPES": "the two types that everything is about",
    "evaluation.answers.USED_TYPES": "what people use; its rows are in DATA_TYPES",
    "evaluation.trial.EMPTY": "the two ways to say nothing; which proofs it takes is a rule",
    "evaluation.servers.ADDRESS_OCTETS": "the length of addresses",
    "evaluation.steps.STAGES": "each stage is a rule of its own kind",
    "dnssec.algorithms.ALGORITHMS": "a registry; what is verified is a table above",
    "dnssec.algorithms.DIGESTS": "the same",
    "dnssec.chain.WEAKEST": "an order; of several causes, which one speaks",
    "dnssec.crypto.IMPLEMENTED": "what there is code for",
    "dnssec.crypto._MAKERS": "the code itself",
    "dnssec.denial._HEAVY": "an order",
    "dnssec.denial._LIGHT": "an order",
    "dnssec.signatures.GRAVITY": "an order",
    "dnssec.walk.SEVERITY": "an order",
}
"""Other constants that look like tables, and why their rows are no rules."""


def rows() -> Iterator[Row]:
    """Yield every row: of the tables above, of the matrix, of the catalogue of reasons."""
    for table in TABLES:
        yield from _of(table)
    yield from _cells()
    yield from _reasons()


def _of(table: Table) -> Iterator[Row]:
    for entry in _entries(table.value):
        yield Row(
            table,
            entry,
            f"{table.module}.{table.name}: {_said(entry)}",
            table.reference,
            partial(_without, table, entry),
        )


def _entries(value: Any) -> list[Any]:  # noqa: ANN401
    return list(value) if isinstance(value, tuple | Mapping) else sorted(value)


def _said(key: Any) -> str:  # noqa: ANN401
    if isinstance(key, tuple):
        return " ".join(_said(part) for part in key)
    return str(getattr(key, "name", key))


def _without(table: Table, entry: Any) -> Any:  # noqa: ANN401
    value = table.value
    if isinstance(value, Mapping):
        kept = {key: found for key, found in value.items() if key != entry}
        if table.neutral is not GONE:
            kept = {**value, entry: table.neutral}
        return MappingProxyType(kept)
    return type(value)(one for one in value if one != entry)


def _with(table: Mapping[Any, Any], key: object, value: object) -> Mapping[Any, Any]:
    return MappingProxyType({**table, key: value})


def _cells() -> Iterator[Row]:
    table = Table("evaluation.matrix", "MATRIX", "protocol.md, 2.6")
    accepting = next(cell for cell in matrix.MATRIX.values() if cell.accepts)
    for state, cell in matrix.MATRIX.items():
        if cell != accepting:
            yield Row(
                table,
                state,
                f"cell {state[0].value}/{state[1].value}: goes on to the acceptance checks",
                table.reference,
                partial(_with, matrix.MATRIX, state, accepting),
            )


def _reasons() -> Iterator[Row]:
    table = Table("evaluation.reasons", "MEANINGS", "P-2.50")
    for reason, meaning in table.value.items():
        if reason.startswith(ELSEWHERE) or reason in OF_OTHERS:
            continue
        for what, mutant in _meanings(meaning):
            yield Row(
                table,
                reason,
                f"{reason.value} {what}",
                table.reference,
                partial(_with, table.value, reason, mutant),
            )


def _meanings(meaning: Meaning) -> Iterator[tuple[str, Meaning]]:
    if meaning.kind is not Kind.INFO:
        yield "counts for nothing", Meaning(Kind.INFO)
    if meaning.then is not None:
        yield "never weighs more", replace(meaning, then=None)
    if meaning.held:
        yield "is for nobody to let pass", replace(meaning, held=False)
    if meaning.structural:
        yield "is like others of its class", replace(meaning, structural=False)
