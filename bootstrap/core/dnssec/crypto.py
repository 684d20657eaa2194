"""One key, one signature, one run of octets: does it verify?

Keys are parsed once and kept; keys whose check would be dear are no keys at
all (P-7.82, S-36).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

MIN_RSA_BITS: Final = 1_024
MAX_RSA_BITS: Final = 4_096
MAX_RSA_EXPONENT: Final = 1 << 32

Check = Callable[[bytes, bytes], None]
"""Takes signature and octets; raises `InvalidSignature`."""

Memo = MutableMapping[bytes, bool]
"""Outcomes of earlier checks by content: a truth that never changes."""


def _rsa(public_key: bytes, digest: hashes.HashAlgorithm) -> Check | None:
    """Return the check for a key in the form of RFC 3110, section 2."""
    size, start = int.from_bytes(public_key[:1], "big"), 1
    if not size:
        size, start = int.from_bytes(public_key[1:3], "big"), 3
    exponent = int.from_bytes(public_key[start : start + size], "big")
    modulus = int.from_bytes(public_key[start + size :], "big")
    if not 1 < exponent <= MAX_RSA_EXPONENT or not exponent & modulus & 1:
        return None
    if not MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS:
        return None
    key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    scheme = padding.PKCS1v15()
    return lambda signature, data: key.verify(signature, data, scheme, digest)


def _ecdsa(public_key: bytes, curve: ec.EllipticCurve, digest: ec.ECDSA) -> Check:
    """Return the check for a key in the form of RFC 6605, section 4."""
    key = ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\4" + public_key)
    half = curve.key_size // 8

    def check(signature: bytes, data: bytes) -> None:
        if len(signature) != 2 * half:
            raise InvalidSignature
        r, s = signature[:half], signature[half:]
        der = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
        key.verify(der, data, digest)

    return check


_MAKERS: Final[Mapping[int, Callable[[bytes], Check | None]]] = {
    8: lambda key: _rsa(key, hashes.SHA256()),
    10: lambda key: _rsa(key, hashes.SHA512()),
    13: lambda key: _ecdsa(key, ec.SECP256R1(), ec.ECDSA(hashes.SHA256())),
    14: lambda key: _ecdsa(key, ec.SECP384R1(), ec.ECDSA(hashes.SHA384())),
    15: lambda key: ed25519.Ed25519PublicKey.from_public_bytes(key).verify,
    16: lambda key: ed448.Ed448PublicKey.from_public_bytes(key).verify,
}

IMPLEMENTED: Final = frozenset(_MAKERS)


@lru_cache(maxsize=4_096)
def key_check(algorithm: int, public_key: bytes) -> Check | None:
    """Return how to check signatures of this key, or None if it is unusable.

    Unusable: an unknown algorithm, octets that are no key, an RSA modulus or
    exponent out of range (S-36).
    """
    make = _MAKERS.get(algorithm)
    if make is None:
        return None
    try:
        return make(public_key)
    except ValueError:
        return None


def verifies(
    algorithm: int, public_key: bytes, signature: bytes, data: bytes, memo: Memo | None
) -> bool:
    """Say whether `signature` over `data` was made by this key.

    What the bounded memory of this process has forgotten, a `memo` may know.
    """
    if memo is None:
        return _verifies(algorithm, public_key, signature, data)
    lengths = b"%d %d %d " % (algorithm, len(public_key), len(signature))
    digest = hashlib.sha256(lengths + public_key + signature + data).digest()
    if digest not in memo:
        memo[digest] = _verifies(algorithm, public_key, signature, data)
    return memo[digest]


@lru_cache(maxsize=4_096)
def _verifies(algorithm: int, public_key: bytes, signature: bytes, data: bytes) -> bool:
    check = key_check(algorithm, public_key)
    if check is None:
        return False
    try:
        check(signature, data)
    except InvalidSignature:
        return False
    return True
