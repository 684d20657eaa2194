"""Evidence as one file: a case, its verdict, and every packet in it (P-8.5, P-8.8).

The encoding is deterministic CBOR, described in docs/evidence-format.md. It is
split in a *manifest*, where packets are named by their SHA-256, and the packets
themselves, so that a store keeps a shared packet once (P-8.37); both together
give back the identical octets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.observations import Observation
from bootstrap.core.evaluation.verdict import Verdict

from . import cbor, values
from .cbor import BundleMalformed, Item

__all__ = ["BundleMalformed"]

FORMAT: Final = "dnssec-bootstrap-evidence"
VERSION: Final = 1
MAX_OCTETS: Final = 16 * 1024 * 1024
"""Largest bundle that a reader takes (S-24)."""
PARTS: Final = 5
SEAL: Final = 32
PACKET_FIELDS: Final = ("sent", "received")


@dataclass(frozen=True, slots=True)
class Clock:
    """How the observer's clock stood to NTP's when the case was judged (P-8.7).

    `source` says who told it, `offset` what was still to be added to the clock,
    `error` how far it was off at most. Unless it was `synchronised`, nobody
    corrected it.
    """

    source: str
    synchronised: bool = False
    offset: timedelta = timedelta(0)
    error: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A case, the verdict on it, and who made it.

    `made_by` pairs a name with a version: the software, its libraries (P-8.1,
    S-45). Like `clock`, which is None when nothing was told of it, this is
    attested, not proven. `inputs` has for each check of the verdict, in their
    order, the observations that it rests on, as a set of bits (P-8.8): their
    messages are named by their hashes in the manifest. Without any, which ones is
    not said.
    """

    case: Case
    verdict: Verdict
    made_by: tuple[tuple[str, str], ...] = ()
    clock: Clock | None = None
    inputs: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Parts:
    """A bundle as it is stored: the manifest, and packets by hex digest."""

    manifest: bytes
    packets: Mapping[str, bytes]


def encode(bundle: Bundle) -> bytes:
    """Return the one encoding of `bundle`."""
    return join(split(bundle))


def address(octets: bytes) -> str:
    """Return the content address of an encoded bundle: its SHA-256 in hex."""
    return hashlib.sha256(octets).hexdigest()


def second_hash(octets: bytes) -> str:
    """Return the SHA-512 of an encoded bundle in hex: another kind of name for it.

    It stands in the log beside the address, so that what a broken SHA-256 would
    let pass does not pass (P-8.25, S-98).
    """
    return hashlib.sha512(octets).hexdigest()


def decode(octets: bytes) -> Bundle:
    """Return the bundle that `octets` encode.

    Raises:
        BundleMalformed: they are no bundle in its one form, or damaged.
    """
    return merge(parts(octets))


def split(bundle: Bundle) -> Parts:
    """Return the manifest of `bundle`, and its packets."""
    case = bundle.case
    packets = {
        hashlib.sha256(packet).hexdigest(): packet
        for seen in case.observations
        for packet in (seen.sent or None, seen.received)
        if packet is not None
    }
    shown = tuple(referring(seen) for seen in case.observations)
    manifest = values.encode(
        Bundle, replace(bundle, case=replace(case, observations=shown))
    )
    return Parts(manifest, packets)


def referring(seen: Observation) -> Observation:
    """Return an observation as a manifest has it: digests instead of packets."""
    return replace(
        seen,
        sent=hashlib.sha256(seen.sent).digest() if seen.sent else b"",
        received=None
        if seen.received is None
        else hashlib.sha256(seen.received).digest(),
    )


def join(found: Parts) -> bytes:
    """Return the encoding of the bundle of which these are the parts."""
    packets: list[Item] = [found.packets[digest] for digest in sorted(found.packets)]
    opened = (
        cbor.head(cbor.ARRAY, PARTS)
        + cbor.encode(FORMAT)
        + cbor.encode(VERSION)
        + found.manifest
        + cbor.encode(packets)
        + cbor.head(cbor.BYTES, SEAL)
    )
    return opened + hashlib.sha256(opened).digest()


def parts(octets: bytes) -> Parts:
    """Return manifest and packets of an encoded bundle.

    Raises:
        BundleMalformed: the frame is not that of a bundle, or damaged.
    """
    if len(octets) > MAX_OCTETS:
        raise BundleMalformed(0, f"larger than {MAX_OCTETS} octets")
    if hashlib.sha256(octets[:-SEAL]).digest() != octets[-SEAL:]:
        raise BundleMalformed("seal", "the SHA-256 at the end is of other octets")
    reader = cbor.Reader(octets)
    if reader.head() != (cbor.ARRAY, PARTS) or reader.item() != FORMAT:
        raise BundleMalformed(0, f'does not begin with "{FORMAT}"')
    if reader.item() != VERSION:
        raise BundleMalformed("version", f"not {VERSION}")
    start = reader.at
    reader.item()
    manifest = octets[start : reader.at]
    packets = _packets(reader.item())
    if reader.head() != (cbor.BYTES, SEAL) or reader.at + SEAL != len(octets):
        raise BundleMalformed(reader.at, "the seal is not the end")
    return Parts(manifest, packets)


def merge(found: Parts) -> Bundle:
    """Return the bundle of a manifest and its packets.

    Raises:
        BundleMalformed: no bundle, a packet is missing, or one is not referred to.
    """
    body = cbor.decode(found.manifest)
    unused = set(found.packets)

    def resolve(reference: Item, path: str) -> Item:
        if not isinstance(reference, bytes):
            return reference
        digest = reference.hex()
        if digest not in found.packets:
            raise BundleMalformed(path, f"the packet {digest} is missing")
        unused.discard(digest)
        return found.packets[digest]

    _replace_packets(body, resolve)
    if unused:
        raise BundleMalformed("packets", f"nothing refers to {min(unused)}")
    return values.read(Bundle, body, "")


def _packets(items: Item) -> Mapping[str, bytes]:
    if not isinstance(items, list):
        raise BundleMalformed("packets", "not an array")
    found: dict[str, bytes] = {}
    last = ""
    for index, packet in enumerate(items):
        if not isinstance(packet, bytes):
            raise BundleMalformed(f"packets[{index}]", "not octets")
        digest = hashlib.sha256(packet).hexdigest()
        if digest <= last:
            raise BundleMalformed(f"packets[{index}]", "out of order, or twice")
        found[digest] = packet
        last = digest
    return found


def _replace_packets(body: Item, swap: Callable[[Any, str], Item]) -> None:
    """Put `swap(value)` in place of each packet of each observation."""
    for index, observation in enumerate(_observations(body)):
        if not isinstance(observation, dict):
            raise BundleMalformed(f"case.observations[{index}]", "not a map")
        for field in PACKET_FIELDS:
            if field in observation:
                path = f"case.observations[{index}].{field}"
                observation[field] = swap(observation[field], path)


def _observations(body: Item) -> list[Any]:
    match body:
        case {"case": {"observations": list() as observations}}:
            return observations
        case _:
            return []
