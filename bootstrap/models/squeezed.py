"""Octets made small for a row, and opened again under a limit (S-24).

The first octet of a stored blob is the number of the dictionary that it was made
with: what is alike in all of its kind is in there, and not in each row. A
dictionary is never edited: what was written with it needs it for ever.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path
from typing import Any, Final

PLAIN: Final = 0
"""No dictionary."""
EVIDENCE: Final = 1
VIEWS: Final = 2
FOLDER: Final = Path(__file__).parent / "dictionaries"
LEVEL: Final = 6
RAW: Final = -zlib.MAX_WBITS
"""Deflate without header and checksum: addresses say what evidence must be."""


class CannotOpen(Exception):
    """The blob is damaged, larger than allowed, or of a dictionary that is not here."""


def squeeze(octets: bytes, dictionary: int = PLAIN) -> bytes:
    """Return octets as a row keeps them."""
    # Reading a dictionary in costs more than most blobs: it is done once.
    writer = _writer(dictionary).copy()
    return b"".join((bytes((dictionary,)), writer.compress(octets), writer.flush()))


def unsqueeze(blob: bytes, limit: int) -> bytes:
    """Return what `squeeze` was given.

    Raises:
        CannotOpen: it is not whole, or has more than `limit` octets.
    """
    if not blob:
        raise CannotOpen("cannot be opened: it is empty")
    try:
        opener = zlib.decompressobj(RAW, zdict=words(blob[0]))
        octets = opener.decompress(blob[1:], limit + 1)
    except (OSError, zlib.error) as exc:
        raise CannotOpen(f"cannot be opened: {exc}") from exc
    if len(octets) > limit:
        raise CannotOpen(f"larger than {limit} octets")
    if not opener.eof or opener.unused_data:
        raise CannotOpen("ends in the middle, or goes on after its end")
    return octets


@cache
def words(dictionary: int) -> bytes:
    """Return the octets of a dictionary.

    Raises:
        OSError: there is none of this number.
    """
    if dictionary == PLAIN:
        return b""
    return (FOLDER / f"{dictionary}.bin").read_bytes()


@cache
def _writer(dictionary: int) -> Any:  # noqa: ANN401 - zlib does not name the type
    return zlib.compressobj(LEVEL, zlib.DEFLATED, RAW, zdict=words(dictionary))
