"""Several files as one, in one way only: a POSIX archive (tar, ustar form).

Every tar reads it, and the same files give the same octets: sorted names, no
owner, no time, mode 0644. Whatever else an archive could say is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

BLOCK: Final = 512
RECORD: Final = 20 * BLOCK
"""tar pads an archive with zeros to a multiple of this."""
MAX_OCTETS: Final = 128 * 1024 * 1024
"""Largest archive that a reader takes (S-24)."""
NAME: Final = 100
SIZE_AT: Final = slice(124, 135)
OCTAL: Final = 8
CHECKSUM: Final = 148


class ArchiveMalformed(Exception):
    """The octets are no archive in its one form; the message says where."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return the archive of these files, by name.

    Raises:
        ValueError: a name has more than 100 octets, or is not ASCII.
    """
    parts = []
    for name in sorted(files):
        content = files[name]
        parts += [_header(name, len(content)), content, bytes(-len(content) % BLOCK)]
    packed = b"".join(parts) + bytes(2 * BLOCK)
    return packed + bytes(-len(packed) % RECORD)


def unpack(octets: bytes) -> dict[str, bytes]:
    """Return the files of an archive, in order.

    Raises:
        ArchiveMalformed: they are not what `pack` makes, to the last octet.
    """
    if len(octets) > MAX_OCTETS:
        raise ArchiveMalformed(f"larger than {MAX_OCTETS} octets")
    files: dict[str, bytes] = {}
    last = ""
    for name, content in _files(octets):
        if name <= last:
            raise ArchiveMalformed(f"{name}: out of order, or twice")
        files[name] = content
        last = name
    if octets != pack(files):
        raise ArchiveMalformed("the octets after a file are not as they must be")
    return files


def _files(octets: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while any(header := octets[at : at + BLOCK]):
        name, size = _read(header, at)
        if header != _header(name, size):
            raise ArchiveMalformed(f"the header of {name!a} is not as it must be")
        start = at + BLOCK
        if start + size > len(octets):
            raise ArchiveMalformed(f"{name} is cut off")
        yield name, octets[start : start + size]
        at = start + size + -size % BLOCK


def _read(header: bytes, at: int) -> tuple[str, int]:
    try:
        name = header[:NAME].rstrip(b"\0").decode("ascii")
        size = int(header[SIZE_AT], OCTAL)
        _header(name, size)
    except ValueError as exc:
        raise ArchiveMalformed(f"no header of a file at octet {at}") from exc
    return name, size


def _header(name: str, size: int) -> bytes:
    """Return a file's header: POSIX.1-1988 "ustar", nothing in it but name and size."""
    encoded = name.encode("ascii")
    if not 0 < len(encoded) <= NAME or size < 0:
        raise ValueError(f"{name!a} cannot be the name of a file")
    fields = (
        encoded.ljust(NAME, b"\0"),
        b"0000644\0" + b"0000000\0" * 2,  # mode, user, group
        b"%011o\0" % size,
        b"00000000000\0",  # time
        b" " * 8,  # where the checksum will be
        b"0".ljust(NAME + 1, b"\0"),  # a file; no link
        b"ustar\x0000",
    )
    blank = b"".join(fields).ljust(BLOCK, b"\0")
    checksum = b"%06o\0 " % sum(blank)
    return blank[:CHECKSUM] + checksum + blank[CHECKSUM + len(checksum) :]
