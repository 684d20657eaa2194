"""The rules of the decision, read off the engine's own source and tables.

A rule is a place where the engine can say no, or note something; without it
there is a mutant. Nobody lists the rules, so none can be forgotten:

step       a stage of an evaluation (`STAGES`)
finding    a statement by which a step yields what it found
refusal    a condition under which a function ends early
condition  one of several that a predicate wants together, or of which one is enough
row        a row of a table (`omissions.tables`)
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum, unique
from functools import lru_cache
from typing import Final, NamedTuple

from bootstrap.core import dnssec, evaluation
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.steps import STAGES
from bootstrap.core.evaluation.texts import TEXTS

from . import tables
from .tables import Row

WITHOUT_RULES: Final = {
    "evaluation.case": "values alone",
    "evaluation.delegation": "values alone",
    "evaluation.ede": "what is told of a reason to others",
    "evaluation.findings": "values alone",
    "evaluation.glance": "whether a whole evaluation is needed; it accepts nothing",
    "evaluation.inputs": "what is told of a verdict's grounds; nothing is decided by it",
    "evaluation.matrix": "a table; its cells are rules",
    "evaluation.notes": "lines beside a verdict; nothing is decided by them",
    "evaluation.observations": "values, and the reading of packets",
    "evaluation.plan": "what to ask; what was not asked is never accepted (`Facts.missing`)",
    "evaluation.policy": "limits; relaxed by the registry, not by us",
    "evaluation.proofs": "memory of the validator's outcomes",
    "evaluation.queries": "values alone",
    "evaluation.reasons": "a table; its rows are rules",
    "evaluation.uses": "what to ask; nothing is decided by it",
    "evaluation.verdict": "what is shown of a decision",
    "evaluation.views": "what is shown of a verdict",
    "evaluation.windows": "how long a verdict may be held to; nothing is decided by it",
    "dnssec.anchor_files": "the reading of files",
    "dnssec.budget": "limits; tests/core/dnssec shows each of them",
    "dnssec.memory": "speed; changes no outcome",
    "dnssec.proofs": "values alone",
    "dnssec.security": "values alone",
}
"""Modules in which nothing is decided about a child, and why."""
CITED: Final = re.compile(
    r"[PSF]-\d+(?:\.\d+)?|RFC \d+(?:, (?:section |appendix )?[\w.]+)?"
)
LONGEST: Final = 100
"""Characters of source that name a rule."""
ENDS: Final = (ast.Return, ast.Continue, ast.Raise, ast.Break)


@unique
class Kind(StrEnum):
    """What is left out."""

    STEP = "step"
    FINDING = "finding"
    REFUSAL = "refusal"
    CONDITION = "condition"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class Site:
    """Where a rule stands: module, function, place of its node, number of its part."""

    module: str
    function: str
    node: type[ast.AST]
    line: int
    column: int
    part: int = -1


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `id` names it for people, and changes only if the rule does.

    `what` is the place in the source, the table's row, or the stage's number.
    `fires` are lines of `module` of which one runs whenever the rule plays a part;
    without any, it may play a part in every case.
    """

    id: str
    kind: Kind
    reference: str
    what: Site | Row | int
    module: str = ""
    fires: tuple[int, ...] = ()


def modules() -> tuple[str, ...]:
    """Return the modules that decide, by full name."""
    found = [
        f"{package.__name__}.{one.name}"
        for package in (evaluation, dnssec)
        for one in pkgutil.iter_modules(package.__path__)
        if not one.ispkg
    ]
    return tuple(name for name in found if short(name) not in WITHOUT_RULES)


def short(module: str) -> str:
    """Return a module's name without what all have in common."""
    return module.removeprefix("bootstrap.core.")


@lru_cache(maxsize=1)
def every() -> tuple[Rule, ...]:
    """Return all rules, each id once, in the order of the source."""
    found = [
        *_steps(),
        *(rule for name in modules() for rule in _sites(name)),
        *_rows(),
    ]
    seen: Counter[str] = Counter()
    named = []
    for rule in found:
        seen[rule.id] += 1
        again = f" #{seen[rule.id]}" if seen[rule.id] > 1 else ""
        named.append(replace(rule, id=rule.id + again))
    return tuple(named)


def _steps() -> Iterator[Rule]:
    for number, stage in enumerate(STAGES):
        reference = _cited(inspect.getdoc(stage.step) or "") or "protocol.md, 2"
        yield Rule(f"step {stage.id}", Kind.STEP, reference, number)


def _rows() -> Iterator[Rule]:
    for row in tables.rows():
        reference = row.reference
        if isinstance(row.key, Reason):
            reference = TEXTS[row.key].clause
        module = f"bootstrap.core.{row.table.module}"
        yield Rule(f"row {row.id}", Kind.ROW, reference, row, module)


# ── places in the source ──────────────────────────────────────────────────────


class Around(NamedTuple):
    """What a node stands in: classes and function, and their docstrings from within."""

    path: tuple[str, ...] = ()
    docs: tuple[str, ...] = ()
    in_function: bool = False
    says_whether: bool = False
    """The function is a predicate: it returns a truth value."""


def source(module: str) -> str:
    """Return the source of a module."""
    return inspect.getsource(importlib.import_module(module))


def _sites(name: str) -> Iterator[Rule]:
    yield from _Reader(name, source(name)).rules()


class _Reader:
    """Reads one module; a function's docstring tells what its rules are for."""

    def __init__(self, module: str, text: str) -> None:
        self.module = module
        self.lines = text.splitlines()
        self.tree = ast.parse(text)

    def rules(self) -> Iterator[Rule]:
        """Yield the rules in the order of the source."""
        doc = ast.get_docstring(self.tree) or ""
        yield from self._below(self.tree, Around(docs=(doc,)))

    def _below(self, node: ast.AST, around: Around) -> Iterator[Rule]:
        """Yield the rules below a node; nested functions count as their outermost."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef | ast.FunctionDef):
                yield from self._below(child, _inside(child, around))
                continue
            if around.in_function and isinstance(child, ast.stmt | ast.expr):
                yield from self._at(child, around)
            yield from self._below(child, around)

    def _at(self, node: ast.stmt | ast.expr, around: Around) -> Iterator[Rule]:
        match node:
            case ast.Expr(value=ast.Yield() | ast.YieldFrom() as made):
                text = ast.unparse(made.value) if made.value else ""
                yield self._rule(Kind.FINDING, node, text, around)
            case ast.If(test=test, body=body) if isinstance(body[-1], ENDS):
                fires = tuple(line for part in body for line in _span(part))
                rule = self._rule(Kind.REFUSAL, node, ast.unparse(test), around)
                yield replace(rule, fires=fires)
            case ast.Return(value=ast.BoolOp(op=op, values=values) as node) if (
                around.says_whether
            ):
                word = "and" if isinstance(op, ast.And) else "or"
                for part, value in enumerate(values):
                    text = f"{word} {ast.unparse(value)}"
                    yield self._rule(Kind.CONDITION, node, text, around, part)
            case _:
                return

    def _rule(
        self,
        kind: Kind,
        node: ast.stmt | ast.expr,
        text: str,
        around: Around,
        part: int = -1,
    ) -> Rule:
        function = ".".join(around.path)
        place = (node.lineno, node.col_offset)
        shown = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
        return Rule(
            id=f"{short(self.module)}.{function}: {shown}",
            kind=kind,
            reference=self._reference(node, text, around.docs),
            what=Site(self.module, function, type(node), *place, part),
            module=self.module,
            fires=_span(node),
        )

    def _reference(
        self, node: ast.stmt | ast.expr, text: str, docs: tuple[str, ...]
    ) -> str:
        """Return what is cited beside the rule, else by its reason, else above it."""
        lines = (self.lines[line - 1] for line in _span(node))
        if cited := _cited(" ".join(line.partition("#")[2] for line in lines)):
            return cited
        if named := re.search(r"Reason\.([A-Z0-9_]+)", text):
            return TEXTS[Reason[named[1]]].clause
        return next(filter(None, map(_cited, docs)), "protocol.md, 7")


def _inside(node: ast.ClassDef | ast.FunctionDef, around: Around) -> Around:
    docs = (ast.get_docstring(node) or "", *around.docs)
    if around.in_function:
        return around._replace(docs=docs)
    path = (*around.path, node.name)
    if isinstance(node, ast.ClassDef):
        return Around(path, docs)
    returns = ast.unparse(node.returns) if node.returns else ""
    return Around(path, docs, in_function=True, says_whether=returns == "bool")


def _span(node: ast.stmt | ast.expr) -> tuple[int, ...]:
    return tuple(range(node.lineno, (node.end_lineno or node.lineno) + 1))


def _cited(text: str) -> str:
    return "; ".join(dict.fromkeys(CITED.findall(" ".join(text.split()))))
