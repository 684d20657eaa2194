"""Makes RRSIGs, right or deliberately wrong (RFC 4034, sections 3.1 and 6)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import RdataType, Rrsig

from . import rdatas
from .defects import Flawed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from dns.rdata import Rdata
    from dns.rrset import RRset

    from .defects import Signing
    from .keys import ZoneKey

WILDCARD: Final = b"*"
SERIAL_SPACE: Final = 2**32
ECDSA: Final = 13
ED25519: Final = 15
UNKNOWN: Final = 200
"""An algorithm number that is not assigned."""


def sign(
    rrset: RRset, key: ZoneKey, signer: Name, *, signing: Signing, at: datetime
) -> Rdata:
    """Return the RRSIG of `rrset` by `key` of the zone `signer`, made at `at`."""
    owner, rdtype = rrset.name, rrset.rdtype

    def flawed(kind: Flawed) -> bool:
        return signing.flawed(kind, owner, rdtype, key.label)

    begins, ends = signing.window_of(owner, rdtype, key.label)
    labels = _labels(owner) + flawed(Flawed.OVERLONG) - flawed(Flawed.EXPANDED)
    value = Rrsig(
        type_covered=rdtype,
        algorithm=_algorithm(key.key.algorithm, flawed),
        labels=labels,
        original_ttl=rrset.ttl,
        expiration=int((at + ends).timestamp()) % SERIAL_SPACE,
        inception=int((at + begins).timestamp()) % SERIAL_SPACE,
        key_tag=key.key.key_tag ^ (1 if flawed(Flawed.WRONG_KEY) else 0),
        signer=signer,
        signature=b"",
    )
    if flawed(Flawed.EXPANDED):
        owner = Name((WILDCARD, *owner.labels[1:]))
    octets = value.prefix() + _canonical(rrset, owner)
    signature = key.private.sign(octets, verify=False)
    if flawed(Flawed.CORRUPT):
        signature = signature[:-1] + bytes([signature[-1] ^ 0x40])
    if flawed(Flawed.PADDED):
        half = len(signature) // 2
        signature = signature[:half] + b"\0" + signature[half:]
    return rdatas.from_wire(RdataType.RRSIG, value.prefix() + signature)


def _algorithm(real: int, flawed: Callable[[Flawed], bool]) -> int:
    if flawed(Flawed.ALIEN):
        return UNKNOWN
    if flawed(Flawed.MISLABELED):
        return ED25519 if real != ED25519 else ECDSA
    return real


def _labels(owner: Name) -> int:
    return len(owner.labels) - 1 - (owner.labels[0] == WILDCARD)


def _canonical(rrset: RRset, owner: Name) -> bytes:
    """Return the records as they are signed (RFC 4034, section 3.1.8.1)."""
    head = owner.to_wire() or b""
    head += struct.pack("!HHI", rrset.rdtype, rrset.rdclass, rrset.ttl)
    return b"".join(
        head + struct.pack("!H", len(data)) + data
        for data in sorted(rdata.to_digestable() for rdata in rrset)
    )
