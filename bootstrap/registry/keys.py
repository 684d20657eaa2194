"""Names as sortable bytes: what a million of them are compared and sorted by.

A key is the labels from the root down, each behind a zero octet and in lower
case; octets 0 and 1 within a label are escaped. Sorting keys is the canonical order (RFC 4034, section 6.1), and whatever
lies below a name follows it at once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import dns.exception
import dns.name

from bootstrap.core.dns.names import MAX_WIRE, InvalidName, Name

ROOT_KEY: Final = b""
MAX_LABEL: Final = 63
_POINTER: Final = 0xC0


def label_key(label: bytes) -> bytes:
    """Return one label in lower case, led by its separator."""
    lowered = label.lower()
    if b"\x00" in lowered or b"\x01" in lowered:
        lowered = lowered.replace(b"\x01", b"\x01\x03").replace(b"\x00", b"\x01\x02")
    return b"\x00" + lowered


def key_of(name: Name) -> bytes:
    """Return the key of an absolute name."""
    return b"".join(label_key(label) for label in reversed(name.labels[:-1]))


def new_name(key: bytes) -> Name:
    """Return the name of a key."""
    labels = key.split(b"\x00")[1:]
    if b"\x01" in key:
        labels = [
            label.replace(b"\x01\x02", b"\x00").replace(b"\x01\x03", b"\x01")
            for label in labels
        ]
    return Name((*reversed(labels), b""))


def _wire_length(key: bytes) -> int:
    return len(key) - key.count(b"\x01") + 1


name_of: Final = lru_cache(maxsize=65_536)(new_name)
"""The same with a memory: nameservers recur."""


def is_below(key: bytes, above: bytes) -> bool:
    """Say whether `key` lies strictly below `above`."""
    return len(key) > len(above) and key.startswith(above) and key[len(above)] == 0


def key_from_text(text: str, origin: bytes) -> bytes:
    """Return the key of a name in presentation form, below `origin` if relative.

    Raises:
        InvalidName: no name, or one that is too long.
    """
    if text == "@":
        return origin
    if "\\" in text or not text.isascii() or text == ".":
        return _key_from_escaped(text, origin)
    labels = text.encode().split(b".")
    if labels[-1]:
        key = origin + b"".join(label_key(label) for label in reversed(labels))
    else:
        labels.pop()
        key = b"".join(label_key(label) for label in reversed(labels))
    if not labels or not all(0 < len(label) <= MAX_LABEL for label in labels):
        raise InvalidName(f"{text!r} has an empty or over-long label")
    if _wire_length(key) > MAX_WIRE:
        raise InvalidName(f"{text!r} has more than {MAX_WIRE} octets")
    return key


target_key: Final = lru_cache(maxsize=65_536)(key_from_text)
"""The same with a memory: nameservers recur."""


def _key_from_escaped(text: str, origin: bytes) -> bytes:
    if not text.isascii():
        raise InvalidName(f"{text!r} is not ASCII; zone files hold A-labels")
    try:
        return key_of(dns.name.from_text(text, name_of(origin)))
    except dns.exception.DNSException as exc:
        raise InvalidName(f"{text!r} is not a domain name: {exc}") from exc


class MalformedWire(Exception):
    """The octets do not spell a name."""


def key_from_wire(wire: bytes, at: int, known: dict[int, bytes]) -> tuple[bytes, int]:
    """Return the key of the name at `at` and the offset behind it.

    `known` holds the keys by offset of this message, for compression (RFC 1035,
    section 4.1.4). Pointers may only lead backwards.

    Raises:
        MalformedWire: not a name, or one of more than 255 octets.
    """
    labels: list[tuple[int, bytes]] = []
    end = 0
    key = ROOT_KEY
    position = at
    try:
        while length := wire[position]:
            if length >= _POINTER:
                target = (length & 0x3F) << 8 | wire[position + 1]
                end = end or position + 2
                if target >= position:
                    raise MalformedWire("a pointer that does not lead backwards")
                position = target
            elif length > MAX_LABEL:
                raise MalformedWire("an unknown kind of label")
            else:
                label = wire[position + 1 : position + 1 + length]
                labels.append((position, label_key(label)))
                position += 1 + length
            if position in known:
                key = known[position]
                end = end or position
                break
            if len(labels) > MAX_WIRE // 2:
                raise MalformedWire("a name of more than 255 octets")
        else:
            end = end or position + 1
    except IndexError as exc:
        raise MalformedWire("the message ends within a name") from exc
    return _assembled(key, labels, known), end


def _assembled(
    key: bytes, labels: list[tuple[int, bytes]], known: dict[int, bytes]
) -> bytes:
    for position, label in reversed(labels):
        key += label
        known[position] = key
    if _wire_length(key) > MAX_WIRE:
        raise MalformedWire("a name of more than 255 octets")
    return key
