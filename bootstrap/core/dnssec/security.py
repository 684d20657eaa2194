"""What a validator says of an RRset or of its absence (RFC 4035, section 4.3)."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Security(StrEnum):
    """The four results; only SECURE supports a decision."""

    SECURE = "secure"
    INSECURE = "insecure"  # proven: a delegation above has no usable DS
    BOGUS = "bogus"
    INDETERMINATE = "indeterminate"  # could not be fetched, or limits were hit


@unique
class Flaw(StrEnum):
    """Why something is not SECURE; one cause each, for reasons and pictures."""

    UNREACHABLE = "unreachable"  # no server of the zone answered
    NO_DATA_SEEN = "no-data-seen"  # a needed answer was never fetched
    MALFORMED = "malformed"
    UNSIGNED = "unsigned"  # RRSIG missing where the zone is signed
    NO_DNSKEY = "no-dnskey"
    NO_MATCHING_KEY = "no-matching-key"  # no DNSKEY fits DS, or RRSIG fits none
    SIGNATURE_WRONG = "signature-wrong"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    WINDOW_INVERTED = "window-inverted"
    WRONG_SIGNER = "wrong-signer"
    SIGNER_ABOVE_CUT = "signer-above-cut"  # RFC 9615, section 6; P-1.24
    UNSUPPORTED_ALGORITHM = "unsupported-algorithm"
    NO_DS = "no-ds"  # a proven insecure delegation
    DENIAL_MISSING = "denial-missing"
    DENIAL_WRONG = "denial-wrong"
    DENIAL_CONTRADICTION = "denial-contradiction"  # P-1.29
    OPT_OUT = "opt-out"  # RFC 5155, section 9.2; P-1.30
    NSEC3_ITERATIONS = "nsec3-iterations"
    WILDCARD_UNPROVEN = "wildcard-unproven"
    ALIAS_LOOP = "alias-loop"
    ENT_NXDOMAIN = "ent-nxdomain"  # P-1.25
    LIMIT = "limit"  # the budget is used up


@unique
class Absence(StrEnum):
    """How something is absent."""

    NODATA = "nodata"
    NXDOMAIN = "nxdomain"
