"""The second hash of evidence, on its way from the store to the trail (P-8.25, S-98).

It is kept in the entries that first name the evidence, where nobody can change it,
and nowhere else: most evaluations are named by no entry. Whoever stores a bundle
writes its entries a moment later in the same process; an entry that names it again
later goes without.
"""

from __future__ import annotations

from typing import Final

from bootstrap.core.evidence import bundle

MOST: Final = 4_096
"""Bundles whose hash is remembered: many more than one transaction stores."""

_known: Final[dict[str, str]] = {}


def remember(address: str, octets: bytes) -> None:
    """Take the hash of a bundle that is being stored; the oldest are forgotten."""
    _known.pop(address, None)
    _known[address] = bundle.second_hash(octets)
    while len(_known) > MOST:
        del _known[next(iter(_known))]


def of(address: str) -> str:
    """Return the SHA-512 of a bundle that was stored just now, else nothing."""
    return _known.get(address, "")
