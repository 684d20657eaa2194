"""Looks at raw bytes before any parser: size, records, labels (S-15)."""

from __future__ import annotations

from typing import Final

MAX_OCTETS: Final = 16_384


class Refused(Exception):
    """The packet exceeds what we are willing to parse."""


def inspect(wire: bytes) -> None:
    """Refuse a packet that would be dear to parse.

    Raises:
        Refused: with the limit that was exceeded.
    """
    if len(wire) > MAX_OCTETS:
        raise Refused(f"{len(wire)} octets")
