"""Which Extended DNS Error speaks for a reason in a report (RFC 8914, RFC 9567).

The mapping is protocol.md, appendix D; it is ours, RFC 9859 shows only 6 and 15.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from .reasons import Reason

EXACT: Final[Mapping[Reason, int]] = MappingProxyType(
    {
        Reason.SIG_UNSUPPORTED_ALG: 1,
        Reason.POL_ALG_UNKNOWN: 1,
        Reason.CDS_NO_ELIGIBLE_DIGEST: 2,
        Reason.SIG_INDETERMINATE: 5,
        Reason.VAL_LIMIT: 5,
        Reason.SIG_BOGUS: 6,
        Reason.ACC_SERVER_BOGUS: 6,
        Reason.ACC_APEX_CDS_BOGUS: 6,
        Reason.ACC_DNSKEY_NOT_SIGNED_BY_REF: 6,
        Reason.ACC_NO_USABLE_PATH: 6,
        Reason.UPD_BOGUS: 6,
        Reason.UPD_CHAIN_BOGUS: 6,
        Reason.UPD_NO_PATH_AFTER: 6,
        Reason.UPD_NOT_SIGNED_BY_DS_KEY: 6,
        Reason.SIG_EXPIRED: 7,
        Reason.ACC_SIG_NEAR_EXPIRY: 7,
        Reason.SIG_NOT_YET_VALID: 8,
        Reason.ACC_SIG_INCEPTION_FUTURE: 8,
        Reason.ACC_CHILD_UNSIGNED: 9,
        Reason.ACC_NO_MATCHING_DNSKEY: 9,
        Reason.UPD_UNSIGNED: 10,
        Reason.SIG_INSECURE: 10,
        Reason.CDNSKEY_NOT_ZONE_KEY: 11,
        Reason.ACC_NSEC_BROKEN: 12,
        Reason.SIG_DENIAL_CONTRADICTION: 12,
        Reason.PRE_RATE_LIMITED: 15,
        Reason.DEL_NOT_AUTHENTICATED: 18,
        Reason.NS_NOTAUTH: 20,
        Reason.NS_REFUSED: 20,
        Reason.NS_TIMEOUT: 22,
        Reason.NS_UNREACHABLE: 22,
        Reason.APEX_INCOMPLETE: 22,
        Reason.SIG_UNREACHABLE: 22,
        Reason.NS_TCP_UNAVAILABLE: 23,
        Reason.SIG_NSEC3_ITERATIONS: 27,
        Reason.ACC_NSEC3_ITERATIONS: 27,
    }
)
"""Reasons with a code of their own."""

FAMILIES: Final = (
    ("NS_LAME_", 20),
    ("PRE_", 18),
    ("APEX_", 24),
    ("CMP_", 24),
    ("CDS_", 24),
    ("CDNSKEY_", 24),
    ("NS_MALFORMED", 24),
    ("SIG_MALFORMED", 24),
    ("POL_", 28),
)
"""Beginnings of the others; first match counts."""
OTHER: Final = 0
"""EDE 0, "Other Error"."""


def ede_of(reason: Reason) -> int:
    """Return the EDE info code that reports `reason`."""
    if reason in EXACT:
        return EXACT[reason]
    matching = (code for prefix, code in FAMILIES if reason.startswith(prefix))
    return next(matching, OTHER)
