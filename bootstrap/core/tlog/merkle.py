"""The tree of RFC 6962, section 2.1: roots, and proofs of inclusion and growth.

The tree is never in memory. Whoever asks for a root or a proof brings `Nodes`,
a way to read the hash of a complete subtree; proofs cost a logarithm of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

LEAF: Final = b"\x00"
NODE: Final = b"\x01"
HASH_SIZE: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

Nodes = Callable[[int, int], bytes]
"""(level, index) → hash of the complete subtree of 2^level leaves at that index."""


class ProofWrong(Exception):
    """The proof does not lead from what is claimed to the root."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one leaf."""
    return hashlib.sha256(LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(NODE + left + right).digest()


@dataclass(slots=True)
class Frontier:
    """A tree that only grows: the roots of its complete subtrees, largest first.

    `append` returns the nodes that the new leaf completes, lowest first, so
    that a sealer can store them as it goes.
    """

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf hash; return the (level, index, hash) nodes now complete."""
        made = [(0, self.size, leaf)]
        level, index, current = 0, self.size, leaf
        while index & 1:
            current = node_hash(self.peaks.pop(), current)
            level, index = level + 1, index >> 1
            made.append((level, index, current))
        self.peaks.append(current)
        self.size += 1
        return made

    def root(self) -> bytes:
        """Return the root of all leaves so far."""
        if not self.peaks:
            return EMPTY_ROOT
        current = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            current = node_hash(peak, current)
        return current

    @classmethod
    def of(cls, size: int, nodes: Nodes) -> Frontier:
        """Return the frontier of a stored tree."""
        peaks, start = [], 0
        for level in range(size.bit_length() - 1, -1, -1):
            if size >> level & 1:
                peaks.append(nodes(level, start >> level))
                start += 1 << level
        return cls(size, peaks)


def range_hash(start: int, end: int, nodes: Nodes) -> bytes:
    """Return MTH over the leaves [start, end); `start` is aligned to its split."""
    width = end - start
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return nodes(level, start >> level)
    middle = start + _split(width)
    return node_hash(range_hash(start, middle, nodes), range_hash(middle, end, nodes))


def root(size: int, nodes: Nodes) -> bytes:
    """Return the root of the first `size` leaves."""
    return range_hash(0, size, nodes) if size else EMPTY_ROOT


def prove_inclusion(index: int, size: int, nodes: Nodes) -> tuple[bytes, ...]:
    """Return PATH(index, D[size]) of RFC 6962, 2.1.1, leaf side first.

    Raises:
        ValueError: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_hash(middle, end, nodes))
            end = middle
        else:
            path.append(range_hash(start, middle, nodes))
            start = middle
    return tuple(reversed(path))


def prove_consistency(old: int, new: int, nodes: Nodes) -> tuple[bytes, ...]:
    """Return PROOF(old, D[new]) of RFC 6962, 2.1.2.

    Raises:
        ValueError: the old tree is not a beginning of the new one.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves never was one of {old}")
    if old in (0, new):
        return ()
    path: list[bytes] = []
    start, end, known = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(range_hash(middle, end, nodes))
            end = middle
        else:
            path.append(range_hash(start, middle, nodes))
            start, known = middle, False
    if not known:
        path.append(range_hash(start, end, nodes))
    return tuple(reversed(path))


def check_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], wanted: bytes
) -> None:
    """Check that `leaf` (a leaf hash) is number `index` of the tree `wanted`.

    Raises:
        ProofWrong: it is not, as far as this proof can tell.
    """
    if not 0 <= index < size or any(len(part) != HASH_SIZE for part in proof):
        raise ProofWrong("the proof has not the form of an inclusion proof")
    steps = iter(proof)
    current, number, last = leaf, index, size - 1
    for sibling in steps:
        if last == 0:
            raise ProofWrong("the inclusion proof is too long")
        if number & 1 or number == last:
            current = node_hash(sibling, current)
            while number and not number & 1:
                number, last = number >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        number, last = number >> 1, last >> 1
    if last:
        raise ProofWrong("the inclusion proof is too short")
    if current != wanted:
        raise ProofWrong("the inclusion proof leads to another root")


def check_consistency(
    old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of `old` leaves is the beginning of that of `new`.

    Raises:
        ProofWrong: it is not, as far as this proof can tell.
    """
    if not 0 <= old <= new or any(len(part) != HASH_SIZE for part in proof):
        raise ProofWrong("the proof has not the form of a consistency proof")
    if old in (0, new):
        expected = EMPTY_ROOT if old == 0 else new_root
        if proof or old_root != expected:
            raise ProofWrong("the trees differ although one is the other")
        return
    first, second = _climb(old, old_root, new, proof)
    if first != old_root:
        raise ProofWrong("the consistency proof leads to another old root")
    if second != new_root:
        raise ProofWrong("the consistency proof leads to another new root")


def _climb(
    old: int, old_root: bytes, new: int, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Follow a consistency proof; return the two roots that it leads to."""
    number, last = old - 1, new - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    steps = list(proof) if number else [old_root, *proof]
    if not steps:
        raise ProofWrong("the consistency proof is too short")
    first = second = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            raise ProofWrong("the consistency proof is too long")
        if number & 1 or number == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while number and not number & 1:
                number, last = number >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        number, last = number >> 1, last >> 1
    if last:
        raise ProofWrong("the consistency proof is too short")
    return first, second


def _split(width: int) -> int:
    """Return the largest power of two smaller than `width` (2 or more)."""
    return 1 << ((width - 1).bit_length() - 1)


def in_memory(leaves: Iterable[bytes]) -> Nodes:
    """Return the nodes of a small tree held in memory, from its leaf hashes."""
    held: dict[tuple[int, int], bytes] = {}
    frontier = Frontier()
    for leaf in leaves:
        held |= {(level, index): value for level, index, value in frontier.append(leaf)}
    return lambda level, index: held[level, index]
