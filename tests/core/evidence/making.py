"""Arbitrary cases and verdicts, built from the types that they declare."""

from __future__ import annotations

import types
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from dns.name import Name
from dns.rdatatype import RdataType
from hypothesis import strategies as st

from bootstrap.core.evidence.bundle import Bundle

LABELS = st.binary(min_size=1, max_size=20).map(bytes.lower)
TIMES = st.integers(0, 2**52).map(
    lambda us: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)

LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**64 - 1),
    str: TEXTS,
    bytes: st.binary(max_size=20),
    Name: st.lists(LABELS, max_size=3).map(lambda labels: Name([*labels, b""])),
    datetime: TIMES,
    timedelta: st.integers(0, 2**45).map(lambda us: timedelta(microseconds=us)),
    RdataType: st.integers(0, 65_535).map(RdataType.make),
}


@cache
def anything(kind: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for values of a type that evidence can hold."""
    if kind in LEAVES:
        return LEAVES[kind]
    origin, args = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return st.one_of(
            *(st.none() if arg is types.NoneType else anything(arg) for arg in args)
        )
    if origin is tuple and args[1:] == (Ellipsis,):
        return st.lists(anything(args[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*(anything(arg) for arg in args))
    if origin is frozenset:
        return st.frozensets(anything(args[0]), max_size=2)
    return _instances(kind)


def _instances(kind: type) -> st.SearchStrategy[Any]:
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    hints = get_type_hints(kind)
    names = (
        [field.name for field in fields(kind)]
        if is_dataclass(kind)
        else list(kind._fields)  # type: ignore[attr-defined]  # a named tuple
    )
    return st.builds(kind, **{name: anything(hints[name]) for name in names})


BUNDLES = anything(Bundle)
