"""Values to octets and items to values, driven by the types that they declare.

A dataclass is a map of its fields by name. A field that holds the empty value
of its type (null, 0, false, no text, no octets, no elements) is left out, and a
field that is not there holds that value: so a field added later, whose empty
value means "as before", changes no bundle that was written earlier.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache, lru_cache
from itertools import pairwise
from typing import (
    Any,
    Final,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import dns.exception
import dns.name

from bootstrap.core.dns.names import Name, pack

from . import cbor
from .cbor import BundleMalformed, Item

T = TypeVar("T")

MICROSECOND: Final = timedelta(microseconds=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NEVER: Final = object()
"""The type has no empty value: the field is always written."""


@dataclass(frozen=True, slots=True)
class Codec:
    """How one type is written and read; `read` takes the path for complaints."""

    write: Callable[[Any, bytearray], None]
    read: Callable[[Item, str], Any]
    empty: Any = NEVER


def encode(kind: Hashable, value: object) -> bytes:
    """Return the encoding of `value`, which is of type `kind`."""
    out = bytearray()
    codec(kind).write(value, out)
    return bytes(out)


def read(kind: type[T], item: Item, path: str) -> T:
    """Return the value of type `kind` that `item` stands for.

    Raises:
        BundleMalformed: it stands for none; the message gives the path.
    """
    value: T = codec(cast("Hashable", kind)).read(item, path)
    return value


@cache
def codec(kind: Hashable) -> Codec:
    """Return the codec of a type.

    Raises:
        TypeError: evidence holds no values of this type.
    """
    plain = PLAIN.get(kind)
    if plain is not None:
        return plain
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        return _optional(kind)
    if origin is tuple:
        return _tuple(get_args(kind))
    if origin is frozenset:
        return _set(codec(get_args(kind)[0]))
    if isinstance(kind, type):
        return _class(kind)
    raise TypeError(f"no evidence of type {kind}")


def _class(kind: type) -> Codec:
    if issubclass(kind, Enum):
        return _enum(kind)
    if is_dataclass(kind):
        return _record(kind)
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        hints = get_type_hints(kind)
        inner = _tuple(tuple(hints[name] for name in kind._fields))
        return Codec(inner.write, lambda item, path: kind(*inner.read(item, path)))
    raise TypeError(f"no evidence of type {kind.__name__}")


def _expect(wanted: type[T], item: Item, path: str) -> T:
    # bool is an int in Python, and never one here
    if type(item) is not wanted:
        raise BundleMalformed(path, f"not of type {wanted.__name__}")
    return item


def _same(wanted: type, empty: object, put: Callable[[Any, bytearray], None]) -> Codec:
    return Codec(put, lambda item, path: _expect(wanted, item, path), empty)


def _read_name(item: Item, path: str) -> Name:
    octets = _expect(bytes, item, path)
    try:
        name, used = dns.name.from_wire(octets, 0)
    except dns.exception.DNSException as exc:
        raise BundleMalformed(path, "no name in wire format") from exc
    if used != len(octets) or name.to_wire() != octets:
        raise BundleMalformed(path, "not the one wire form of a name")
    return name


def _write_name(name: Name, out: bytearray) -> None:
    out += _encoded_name(name.labels)


@lru_cache(maxsize=8_192)
def _encoded_name(labels: tuple[bytes, ...]) -> bytes:
    return cbor.encode(pack(labels))


def _write_time(value: datetime, out: bytearray) -> None:
    cbor.write_integer((value - EPOCH) // MICROSECOND, out)


def _write_span(value: timedelta, out: bytearray) -> None:
    cbor.write_integer(value // MICROSECOND, out)


def _read_time(item: Item, path: str) -> datetime:
    return _ranged(lambda span: EPOCH + span, item, path)


def _read_span(item: Item, path: str) -> timedelta:
    return _ranged(lambda span: span, item, path)


def _ranged(make: Callable[[timedelta], T], item: Item, path: str) -> T:
    try:
        return make(timedelta(microseconds=_expect(int, item, path)))
    except OverflowError as exc:
        raise BundleMalformed(path, "a time out of range") from exc


PLAIN: Final[Mapping[object, Codec]] = {
    bool: _same(bool, False, cbor.write_simple),  # noqa: FBT003 - the empty value
    int: _same(int, 0, cbor.write_integer),
    str: _same(str, "", cbor.write_text),
    bytes: _same(bytes, b"", cbor.write_bytes),
    Name: Codec(_write_name, _read_name),
    datetime: Codec(_write_time, _read_time),
    timedelta: Codec(_write_span, _read_span, timedelta(0)),
}


def _enum(kind: type[Enum]) -> Codec:
    base = int if issubclass(kind, int) else str

    def read_member(item: Item, path: str) -> Enum:
        raw = _expect(base, item, path)
        try:
            return kind(raw)
        except ValueError as exc:
            raise BundleMalformed(path, f"{raw!r} is no {kind.__name__}") from exc

    encoded = {member: cbor.encode(base(member.value)) for member in kind}

    def write_member(member: Enum, out: bytearray) -> None:
        known = encoded.get(member)
        out += cbor.encode(base(member.value)) if known is None else known

    return Codec(write_member, read_member)


def _optional(kind: object) -> Codec:
    inner_kinds = [arg for arg in get_args(kind) if arg is not types.NoneType]
    if len(inner_kinds) != 1:
        raise TypeError(f"no evidence of type {kind}")
    inner = codec(inner_kinds[0])

    def write_optional(value: object, out: bytearray) -> None:
        if value is None:
            cbor.write_simple(None, out)
        else:
            inner.write(value, out)

    return Codec(
        write_optional,
        lambda item, path: None if item is None else inner.read(item, path),
        None,
    )


def _tuple(kinds: tuple[Any, ...]) -> Codec:
    if kinds[1:] == (Ellipsis,):
        return _sequence(codec(kinds[0]))
    inner = tuple(codec(kind) for kind in kinds)

    def read_fixed(item: Item, path: str) -> tuple[Any, ...]:
        items = _expect(list, item, path)
        if len(items) != len(inner):
            raise BundleMalformed(path, f"not {len(inner)} elements")
        return tuple(
            each.read(element, f"{path}[{index}]")
            for index, (each, element) in enumerate(zip(inner, items, strict=True))
        )

    def write_fixed(value: tuple[Any, ...], out: bytearray) -> None:
        out += cbor.head(cbor.ARRAY, len(inner))
        for each, element in zip(inner, value, strict=True):
            each.write(element, out)

    return Codec(write_fixed, read_fixed)


def _sequence(inner: Codec) -> Codec:
    def write_each(value: tuple[Any, ...], out: bytearray) -> None:
        out += cbor.head(cbor.ARRAY, len(value))
        for element in value:
            inner.write(element, out)

    return Codec(
        write_each,
        lambda item, path: tuple(
            inner.read(element, f"{path}[{index}]")
            for index, element in enumerate(_expect(list, item, path))
        ),
        (),
    )


def _set(inner: Codec) -> Codec:
    def write_set(value: frozenset[Any], out: bytearray) -> None:
        encodings = []
        for element in value:
            encoding = bytearray()
            inner.write(element, encoding)
            encodings.append(encoding)
        out += cbor.head(cbor.ARRAY, len(encodings))
        for encoding in sorted(encodings):
            out += encoding

    def read_set(item: Item, path: str) -> frozenset[Any]:
        items = _expect(list, item, path)
        encodings = [cbor.encode(element) for element in items]
        if any(a >= b for a, b in pairwise(encodings)):
            raise BundleMalformed(path, "elements out of order, or twice")
        return frozenset(
            inner.read(element, f"{path}[{index}]")
            for index, element in enumerate(items)
        )

    return Codec(write_set, read_set, frozenset())


def _record(kind: type) -> Codec:
    hints = get_type_hints(kind)
    inner = {field.name: codec(hints[field.name]) for field in fields(kind)}

    # A map has its keys in the order of their encodings.
    keyed = sorted((cbor.encode(name), name, each) for name, each in inner.items())

    def write_record(value: object, out: bytearray) -> None:
        found = [
            (key, each, held)
            for key, name, each in keyed
            if (held := getattr(value, name)) != each.empty or each.empty is NEVER
        ]
        out += cbor.head(cbor.MAP, len(found))
        for key, each, held in found:
            out += key
            each.write(held, out)

    def read_record(item: Item, path: str) -> object:
        items = _expect(dict, item, path)
        unknown = items.keys() - inner.keys()
        if unknown:
            raise BundleMalformed(path, f"no field is named {min(unknown)!r}")
        return kind(
            **{
                name: _read_field(items, name, each, path)
                for name, each in inner.items()
            }
        )

    return Codec(write_record, read_record)


def _read_field(items: dict[str, Item], name: str, inner: Codec, path: str) -> object:
    where = f"{path}.{name}" if path else name
    if name not in items:
        if inner.empty is NEVER:
            raise BundleMalformed(where, "is missing")
        return inner.empty
    value = inner.read(items[name], where)
    if inner.empty is not NEVER and value == inner.empty:
        raise BundleMalformed(where, "is empty, and so must be left out")
    return value
