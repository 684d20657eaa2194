"""The engine without one rule: in this process, and whole again afterwards."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from types import CodeType, FunctionType
from typing import Any, Final

from bootstrap.core.dnssec import crypto, nsec3
from bootstrap.core.dnssec.memory import Memory
from bootstrap.core.evaluation import facts, proofs, servers, steps
from bootstrap.core.evaluation.proofs import Memo

from .rules import Kind, Rule, Site
from .tables import Row

DNSSEC: Final = "bootstrap.core.dnssec."
CRYPTO: Final = "bootstrap.core.dnssec.crypto"


@contextmanager
def without(rule: Rule) -> Iterator[None]:
    """Leave the rule out while the block runs; nothing remembered comes in or out."""
    with ExitStack() as stack:
        stack.enter_context(_asked_anew())
        if rule.module.startswith(DNSSEC):  # else the validator's outcomes stay true
            stack.enter_context(forgetful(signatures=rule.module == CRYPTO))
        match rule.what:
            case Site() as site:
                stack.enter_context(_cut(rule.kind, site))
            case Row() as row:
                stack.enter_context(replaced(row.table.value, row.without()))
            case number:
                stages = list(steps.STAGES)
                stages[number] = replace(
                    stages[number], step=_nothing(stages[number].step)
                )
                stack.enter_context(replaced(steps.STAGES, tuple(stages)))
        yield


@contextmanager
def forgetful(*, signatures: bool = False) -> Iterator[None]:
    """Start and end with memories that no other run has filled."""
    with ExitStack() as stack:
        stack.enter_context(_asked_anew())
        stack.enter_context(replaced(proofs.MEMORY, Memory(10**6, 10**6)))
        if signatures:
            stack.enter_context(replaced(proofs.MEMO, Memo()))
            _forget()
            stack.callback(_forget)
        yield


@contextmanager
def _asked_anew() -> Iterator[None]:
    """Start and end without what is remembered of names."""
    servers.is_hostname.cache_clear()
    yield
    servers.is_hostname.cache_clear()


def _forget() -> None:
    crypto.key_check.cache_clear()
    crypto._verifies.cache_clear()  # noqa: SLF001
    nsec3.hash_name.cache_clear()


def _nothing(step: steps.Step) -> steps.Step:
    @functools.wraps(step)
    def found(_facts: facts.Facts) -> Iterator[Any]:
        return iter(())

    return found


@contextmanager
def replaced(old: object, new: object) -> Iterator[None]:
    """Give every module of the core that names `old` the new object instead."""
    places = [
        (module, name)
        for title, module in list(sys.modules.items())
        if title.startswith("bootstrap.")
        for name, value in list(vars(module).items())
        if value is old
    ]
    for module, name in places:
        setattr(module, name, new)
    try:
        yield
    finally:
        for module, name in places:
            setattr(module, name, old)


# ── surgery on functions ──────────────────────────────────────────────────────


@contextmanager
def _cut(kind: Kind, site: Site) -> Iterator[None]:
    function = _function(site)
    whole = function.__code__
    function.__code__ = _mutated(kind, site)
    try:
        yield
    finally:
        function.__code__ = whole


def _function(site: Site) -> FunctionType:
    found: Any = importlib.import_module(site.module)
    for name in site.function.split("."):
        found = inspect.getattr_static(found, name)
    if isinstance(found, functools.cached_property):
        found = found.func
    if isinstance(found, property):
        found = found.fget
    if isinstance(found, classmethod | staticmethod):
        found = found.__func__
    function: FunctionType = inspect.unwrap(found)
    return function


def _mutated(kind: Kind, site: Site) -> CodeType:
    module = importlib.import_module(site.module)
    tree = _Cutter(kind, site).visit(ast.parse(inspect.getsource(module)))
    code = compile(
        ast.fix_missing_locations(tree),
        module.__file__ or "",
        "exec",
        dont_inherit=True,
    )
    return next(found for found in _codes(code) if found.co_qualname == site.function)


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


class _Cutter(ast.NodeTransformer):
    """Takes one rule out of a syntax tree."""

    def __init__(self, kind: Kind, site: Site) -> None:
        self.kind, self.site = kind, site

    def visit(self, node: ast.AST) -> Any:  # noqa: ANN401 - as in the base class
        node = self.generic_visit(node)
        place = (
            type(node),
            getattr(node, "lineno", 0),
            getattr(node, "col_offset", -1),
        )
        if place != (self.site.node, self.site.line, self.site.column):
            return node
        return self._cut(node)

    def _cut(self, node: ast.AST) -> ast.AST:
        match node:
            case ast.Expr():
                nothing = ast.YieldFrom(ast.Tuple([], ast.Load()))
                return ast.copy_location(ast.Expr(nothing), node)
            case ast.If(test=test):
                # The condition is still looked at: it may bind a name.
                pair = ast.Tuple([test, ast.Constant(value=False)], ast.Load())
                node.test = ast.Subscript(pair, ast.Constant(1), ast.Load())
                return node
            case ast.BoolOp(values=values):
                node.values = values[: self.site.part] + values[self.site.part + 1 :]
                return node if len(node.values) > 1 else node.values[0]
            case _:
                raise TypeError(ast.dump(node))
