"""Zone keys of the laboratory: derived from a seed, so that a restart has the same.

Elliptic keys (algorithms 13 to 16) are pure functions of seed and label. RSA
keys cannot be derived and are kept in the state folder, or for the process.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum, unique
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import dns.dnssecalgs
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from dns.dnssecalgs.base import GenericPrivateKey

from bootstrap.core.dns.records import (
    REVOKE_FLAG,
    SEP_FLAG,
    SHA256,
    ZONE_FLAG,
    Ds,
    Key,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bootstrap.core.dns.names import Name

DNSSEC_PROTOCOL: Final = 3
RSA_BITS: Final = 2048
RSA_ALGORITHMS: Final = frozenset({5, 7, 8, 10})
CURVES: Final = {13: ec.SECP256R1(), 14: ec.SECP384R1()}
ED25519: Final = 15
ED448: Final = 16


@unique
class Role(StrEnum):
    """What a key does in its zone."""

    CSK = "csk"  # signs everything
    BARE = "bare"  # signs everything, without the SEP bit
    KSK = "ksk"  # signs DNSKEY, CDS and CDNSKEY
    ZSK = "zsk"  # signs all but DNSKEY
    STANDBY = "standby"  # published, signs nothing
    STANDBY_ZSK = "standby-zsk"  # the same without the SEP bit: another signer's
    REVOKED = "revoked"  # signs everything, and says that it must not count
    ZONELESS = "zoneless"  # signs everything, without the zone bit
    ODD = "odd"  # signs everything, with another protocol than DNSSEC's
    HUGE = "huge"  # signs everything with more bits than anybody checks
    STEEP = "steep"  # signs everything with an exponent that nobody takes
    HIDDEN = "hidden"  # not published, signs nothing: another provider's, or next


WITHOUT_SEP: Final = frozenset({Role.ZSK, Role.STANDBY_ZSK, Role.BARE})
DEAR: Final = frozenset({Role.HUGE, Role.STEEP})
"""RSA alone (S-36)."""
USELESS: Final = frozenset({Role.REVOKED, Role.ZONELESS, Role.ODD}) | DEAR
SIGNS_KEYS: Final = frozenset({Role.CSK, Role.KSK, Role.BARE}) | USELESS
SIGNS_ZONE: Final = frozenset({Role.CSK, Role.ZSK, Role.BARE}) | USELESS
FLAGS: Final = {
    **dict.fromkeys(WITHOUT_SEP, ZONE_FLAG),
    Role.REVOKED: ZONE_FLAG | SEP_FLAG | REVOKE_FLAG,
    Role.ZONELESS: SEP_FLAG,
}
"""Of DNSKEY, by role; others have the zone and the SEP bit."""


@dataclass(frozen=True, slots=True)
class ZoneKey:
    """A private key with its public half, its name in recipes, and its role."""

    label: str
    role: Role
    key: Key
    private: GenericPrivateKey

    def ds(self, owner: Name, digest_type: int = SHA256) -> Ds:
        """Return the DS of this key at `owner`."""
        return self.key.ds(owner, digest_type)


class Keyring:
    """Makes keys by label; the same label and algorithm give the same key."""

    def __init__(self, seed: bytes, folder: Path | None = None) -> None:
        self.seed = seed
        self.folder = folder
        self._made: dict[tuple[str, int, Role], ZoneKey] = {}

    def key(self, label: str, algorithm: int, role: Role) -> ZoneKey:
        """Return the key `label`; unknown algorithms borrow Ed25519's mathematics."""
        wanted = (label, algorithm, role)
        if wanted not in self._made:
            self._made[wanted] = self._make(label, algorithm, role)
        return self._made[wanted]

    def _make(self, label: str, algorithm: int, role: Role) -> ZoneKey:
        if role in DEAR:
            return ZoneKey(label.rpartition("/")[2], role, *_dear(algorithm, role))
        private = self._private(label, algorithm)
        flags = FLAGS.get(role, ZONE_FLAG | SEP_FLAG)
        protocol = DNSSEC_PROTOCOL + 1 if role is Role.ODD else DNSSEC_PROTOCOL
        public = private.public_key().to_dnskey(flags, DNSSEC_PROTOCOL)
        key = Key(flags, protocol, algorithm, public.key)
        return ZoneKey(label.rpartition("/")[2], role, key, private)

    def twins(self, label: str, algorithm: int, role: Role) -> tuple[ZoneKey, ZoneKey]:
        """Return two keys with one key tag (P-7.6); a search of some hundred keys."""
        by_tag: dict[int, ZoneKey] = {}
        number = 0
        while True:
            number += 1
            key = self.key(f"{label}-{number}", algorithm, role)
            other = by_tag.setdefault(key.key.key_tag, key)
            if other is not key:
                return other, key

    def _private(self, label: str, algorithm: int) -> GenericPrivateKey:
        if algorithm in RSA_ALGORITHMS:
            pem = _rsa_pem(self.seed, label, self.folder)
            loaded = serialization.load_pem_private_key(pem, None)
            return _wrap(loaded, algorithm)
        secret = hashlib.shake_256(self.seed + b"/" + label.encode()).digest(64)
        if curve := CURVES.get(algorithm):
            order_floor = 2 ** (curve.key_size - 1)
            number = int.from_bytes(secret, "big") % order_floor + 1
            return _wrap(ec.derive_private_key(number, curve), algorithm)
        if algorithm == ED448:
            return _wrap(ed448.Ed448PrivateKey.from_private_bytes(secret[:57]), ED448)
        return _wrap(ed25519.Ed25519PrivateKey.from_private_bytes(secret[:32]), ED25519)


def namesakes(real: ZoneKey, count: int) -> Iterator[ZoneKey]:
    """Yield further keys with the tag of an Ed25519 key; they sign nothing."""
    for number in range(count):
        head = hashlib.sha256(b"%d" % number + real.key.public_key).digest()[:30]
        keys = (
            replace(real.key, public_key=head + tail.to_bytes(2, "big"))
            for tail in range(2**16)
        )
        twin = next(key for key in keys if key.key_tag == real.key.key_tag)
        yield replace(real, role=Role.STANDBY, key=twin)


@lru_cache
def _dear(algorithm: int, role: Role) -> tuple[Key, GenericPrivateKey]:
    """Return an RSA key of two Mersenne primes, which need not be looked for."""
    p, q = (
        (2**2281 - 1, 2**2203 - 1) if role is Role.HUGE else (2**1279 - 1, 2**607 - 1)
    )
    e = 65537 if role is Role.HUGE else 2**32 + 15
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=d % (p - 1),
        dmq1=d % (q - 1),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(e, p * q),
    )
    octets = [n.to_bytes((n.bit_length() + 7) // 8, "big") for n in (e, p * q)]
    public_key = bytes([len(octets[0])]) + b"".join(octets)  # RFC 3110, section 2
    key = Key(ZONE_FLAG | SEP_FLAG, DNSSEC_PROTOCOL, algorithm, public_key)
    return key, _wrap(numbers.private_key(), algorithm)


def _wrap(private: object, algorithm: int) -> GenericPrivateKey:
    wrapper = dns.dnssecalgs.get_algorithm_cls(algorithm)
    return wrapper(key=private)


@lru_cache(maxsize=256)
def _rsa_pem(seed: bytes, label: str, folder: Path | None) -> bytes:
    digest = hashlib.sha256(seed + label.encode()).hexdigest()[:32]
    path = folder / f"rsa-{digest}.pem" if folder else None
    if path and path.exists():
        return path.read_bytes()
    made = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    pem = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    if path:
        path.write_bytes(pem)
        path.chmod(0o600)
    return pem
