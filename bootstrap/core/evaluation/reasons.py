"""The catalogue of reasons: protocol.md, section 2, as data.

Codes are API: never renamed, never reused, only appended within their group
(P-2.53). Their order is the order of the catalogue and decides between codes of
one class (P-2.50). Text lives in `texts.py`, never in the checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final


@unique
class Kind(StrEnum):
    """Who must act: the class of a reason (protocol.md, section 0)."""

    INFO = "I"
    RETRY = "R"
    CHILD = "C"
    POLICY = "P"
    ALARM = "A"
    OURS = "X"


@unique
class Reason(StrEnum):
    """Every cause that an evaluation, a publication or a report can name."""

    # one response of one server (P-2.30): protocol.md 2.2
    NS_OK_DATA = "NS_OK_DATA"
    NS_OK_NODATA = "NS_OK_NODATA"
    NS_NODATA_NO_SOA = "NS_NODATA_NO_SOA"
    NS_TIMEOUT = "NS_TIMEOUT"
    NS_UNREACHABLE = "NS_UNREACHABLE"
    NS_TCP_UNAVAILABLE = "NS_TCP_UNAVAILABLE"
    NS_REFUSED = "NS_REFUSED"
    NS_NOTAUTH = "NS_NOTAUTH"
    NS_SERVFAIL = "NS_SERVFAIL"
    NS_FORMERR = "NS_FORMERR"
    NS_NOTIMP = "NS_NOTIMP"
    NS_NO_EDNS = "NS_NO_EDNS"
    NS_LAME_REFERRAL = "NS_LAME_REFERRAL"
    NS_LAME_NOT_AA = "NS_LAME_NOT_AA"
    NS_LAME_NXDOMAIN = "NS_LAME_NXDOMAIN"
    NS_MALFORMED = "NS_MALFORMED"
    NS_APEX_CNAME = "NS_APEX_CNAME"
    NS_NO_ADDRESS = "NS_NO_ADDRESS"
    NS_ADDR_BOGUS = "NS_ADDR_BOGUS"
    NS_ADDR_FORBIDDEN = "NS_ADDR_FORBIDDEN"
    NS_TARGET_INVALID = "NS_TARGET_INVALID"
    NS_TARGET_ALIAS = "NS_TARGET_ALIAS"
    NS_GLUE_MISMATCH = "NS_GLUE_MISMATCH"

    # before any packet: protocol.md 2.3
    PRE_NOT_DELEGATED = "PRE_NOT_DELEGATED"
    PRE_STATUS_NOT_ACTIVE = "PRE_STATUS_NOT_ACTIVE"
    PRE_AUTOMATION_SUSPENDED = "PRE_AUTOMATION_SUSPENDED"
    PRE_OPTED_OUT = "PRE_OPTED_OUT"
    PRE_REGISTRAR_NO_DISABLE = "PRE_REGISTRAR_NO_DISABLE"
    PRE_REGISTRAR_AUTOMATES = "PRE_REGISTRAR_AUTOMATES"
    PRE_PROPRIETARY_LOCK = "PRE_PROPRIETARY_LOCK"
    PRE_LOCK_IGNORED = "PRE_LOCK_IGNORED"
    PRE_DS_PRESENT = "PRE_DS_PRESENT"
    PRE_PENDING_CHANGE = "PRE_PENDING_CHANGE"
    PRE_RECENT_NS_CHANGE = "PRE_RECENT_NS_CHANGE"
    PRE_RATE_LIMITED = "PRE_RATE_LIMITED"
    X_CLOCK = "X_CLOCK"
    X_TRUST_ANCHOR = "X_TRUST_ANCHOR"
    X_RESOLVER = "X_RESOLVER"
    X_EGRESS = "X_EGRESS"
    X_EGRESS_FAMILY = "X_EGRESS_FAMILY"
    X_VANTAGE = "X_VANTAGE"
    X_DB = "X_DB"

    # all servers of the child together: protocol.md 2.4
    APEX_NO_CDS = "APEX_NO_CDS"
    APEX_CONSISTENT = "APEX_CONSISTENT"
    APEX_PARTIAL = "APEX_PARTIAL"
    APEX_CDS_DIFFER = "APEX_CDS_DIFFER"
    APEX_CDNSKEY_DIFFER = "APEX_CDNSKEY_DIFFER"
    APEX_DIGEST_ONLY_DIFFER = "APEX_DIGEST_ONLY_DIFFER"
    CMP_CDS_CDNSKEY_MISMATCH = "CMP_CDS_CDNSKEY_MISMATCH"
    CMP_CDS_DIGEST_WRONG = "CMP_CDS_DIGEST_WRONG"
    CMP_DELETE_MIXED = "CMP_DELETE_MIXED"
    CMP_DELETE_PARTIAL = "CMP_DELETE_PARTIAL"
    CDS_MALFORMED_SENTINEL = "CDS_MALFORMED_SENTINEL"
    CDS_NO_ELIGIBLE_DIGEST = "CDS_NO_ELIGIBLE_DIGEST"
    CDS_BAD_DIGEST_LENGTH = "CDS_BAD_DIGEST_LENGTH"
    CDNSKEY_BAD_PROTOCOL = "CDNSKEY_BAD_PROTOCOL"
    CDNSKEY_NOT_ZONE_KEY = "CDNSKEY_NOT_ZONE_KEY"
    CDNSKEY_REVOKED = "CDNSKEY_REVOKED"
    CDS_TOO_MANY = "CDS_TOO_MANY"
    APEX_INCOMPLETE = "APEX_INCOMPLETE"
    APEX_VANTAGE_DIFFER = "APEX_VANTAGE_DIFFER"

    # signals: protocol.md 2.5
    SIG_OK = "SIG_OK"
    SIG_DENIED = "SIG_DENIED"
    SIG_NONE = "SIG_NONE"
    SIG_PARTIAL = "SIG_PARTIAL"
    SIG_INSECURE = "SIG_INSECURE"
    SIG_BOGUS = "SIG_BOGUS"
    SIG_EXPIRED = "SIG_EXPIRED"
    SIG_NOT_YET_VALID = "SIG_NOT_YET_VALID"
    SIG_INDETERMINATE = "SIG_INDETERMINATE"
    SIG_UNREACHABLE = "SIG_UNREACHABLE"
    SIG_UNSUPPORTED_ALG = "SIG_UNSUPPORTED_ALG"
    SIG_NSEC3_ITERATIONS = "SIG_NSEC3_ITERATIONS"
    SIG_NAME_TOO_LONG = "SIG_NAME_TOO_LONG"
    SIG_NO_OUT_OF_DOMAIN_NS = "SIG_NO_OUT_OF_DOMAIN_NS"
    SIG_ZONE_CUT_AT_NAME = "SIG_ZONE_CUT_AT_NAME"
    SIG_SIGNER_ABOVE_CUT = "SIG_SIGNER_ABOVE_CUT"
    SIG_ALIASED = "SIG_ALIASED"
    SIG_WILDCARD = "SIG_WILDCARD"
    SIG_ENT_NXDOMAIN = "SIG_ENT_NXDOMAIN"
    SIG_DENIAL_CONTRADICTION = "SIG_DENIAL_CONTRADICTION"
    SIG_MALFORMED = "SIG_MALFORMED"
    CMP_SIGNALS_DIFFER = "CMP_SIGNALS_DIFFER"
    CMP_SIGNAL_APEX_DIFFER = "CMP_SIGNAL_APEX_DIFFER"
    CMP_SIGNAL_EMPTY_APEX_NOT = "CMP_SIGNAL_EMPTY_APEX_NOT"
    CMP_APEX_EMPTY_SIGNAL_NOT = "CMP_APEX_EMPTY_SIGNAL_NOT"

    # content and acceptance: protocol.md 2.7
    ACC_OK = "ACC_OK"
    ACC_CHILD_UNSIGNED = "ACC_CHILD_UNSIGNED"
    ACC_NO_MATCHING_DNSKEY = "ACC_NO_MATCHING_DNSKEY"
    ACC_STANDBY_KEY = "ACC_STANDBY_KEY"
    ACC_DNSKEY_NOT_SIGNED_BY_REF = "ACC_DNSKEY_NOT_SIGNED_BY_REF"
    ACC_NO_USABLE_PATH = "ACC_NO_USABLE_PATH"
    ACC_ALG_INCOMPLETE = "ACC_ALG_INCOMPLETE"
    ACC_SERVER_BOGUS = "ACC_SERVER_BOGUS"
    ACC_APEX_CDS_BOGUS = "ACC_APEX_CDS_BOGUS"
    ACC_SIG_NEAR_EXPIRY = "ACC_SIG_NEAR_EXPIRY"
    ACC_SIG_INCEPTION_FUTURE = "ACC_SIG_INCEPTION_FUTURE"
    ACC_NSEC_BROKEN = "ACC_NSEC_BROKEN"
    ACC_NSEC3_ITERATIONS = "ACC_NSEC3_ITERATIONS"
    ACC_NS_SET_MISMATCH = "ACC_NS_SET_MISMATCH"
    ACC_NS_SET_DIFFERS_OK = "ACC_NS_SET_DIFFERS_OK"
    ACC_KEY_NOT_SEP = "ACC_KEY_NOT_SEP"
    ACC_KEY_WEAK = "ACC_KEY_WEAK"
    POL_ALG_FORBIDDEN = "POL_ALG_FORBIDDEN"
    POL_ALG_UNKNOWN = "POL_ALG_UNKNOWN"
    POL_DIGEST_DROPPED = "POL_DIGEST_DROPPED"
    POL_TOO_YOUNG = "POL_TOO_YOUNG"
    POL_MANUAL_REVIEW = "POL_MANUAL_REVIEW"

    # update and delete: protocol.md 2.8
    UPD_IN_SYNC = "UPD_IN_SYNC"
    UPD_OK = "UPD_OK"
    UPD_UNSIGNED = "UPD_UNSIGNED"
    UPD_NOT_SIGNED_BY_DS_KEY = "UPD_NOT_SIGNED_BY_DS_KEY"
    UPD_BOGUS = "UPD_BOGUS"
    UPD_CHAIN_BOGUS = "UPD_CHAIN_BOGUS"
    UPD_DS_UNUSABLE = "UPD_DS_UNUSABLE"
    UPD_REPLAY = "UPD_REPLAY"
    UPD_PARTIAL_SIGNER = "UPD_PARTIAL_SIGNER"
    UPD_NO_PATH_AFTER = "UPD_NO_PATH_AFTER"
    UPD_ADDED_KEY_ONLY = "UPD_ADDED_KEY_ONLY"
    UPD_REMOVED_KEY = "UPD_REMOVED_KEY"
    UPD_REPLACED = "UPD_REPLACED"
    UPD_OOB_CONFLICT = "UPD_OOB_CONFLICT"
    DEL_OK = "DEL_OK"
    DEL_NOTHING_TO_DELETE = "DEL_NOTHING_TO_DELETE"
    DEL_NOT_AUTHENTICATED = "DEL_NOT_AUTHENTICATED"
    DEL_INCONSISTENT = "DEL_INCONSISTENT"

    # publication and aftermath: protocol.md 2.9
    PUB_CONFLICT = "PUB_CONFLICT"
    PUB_EVIDENCE_STALE = "PUB_EVIDENCE_STALE"
    PUB_ZONE_REJECTED = "PUB_ZONE_REJECTED"
    PUB_NOT_VISIBLE = "PUB_NOT_VISIBLE"
    PUB_OK = "PUB_OK"
    POST_OK = "POST_OK"
    POST_CHILD_BOGUS = "POST_CHILD_BOGUS"
    POST_CHILD_UNSIGNED = "POST_CHILD_UNSIGNED"
    POST_DS_ORPHAN = "POST_DS_ORPHAN"
    POST_ALG_DEPRECATED = "POST_ALG_DEPRECATED"

    # the rest: protocol.md 2.10
    NS_TOO_MANY = "NS_TOO_MANY"
    NS_EXCLUDED_UNREACHABLE = "NS_EXCLUDED_UNREACHABLE"
    SIG_SINGLE_PATH = "SIG_SINGLE_PATH"
    VAL_LIMIT = "VAL_LIMIT"
    VAL_MIXED_SERVERS = "VAL_MIXED_SERVERS"
    NTF_AGENT_IN_CHILD = "NTF_AGENT_IN_CHILD"
    NTF_AGENT_FOREIGN = "NTF_AGENT_FOREIGN"
    NTF_AGENT_INVALID = "NTF_AGENT_INVALID"
    NTF_UNKNOWN_CHILD = "NTF_UNKNOWN_CHILD"
    NTF_MULTIPLE = "NTF_MULTIPLE"
    NTF_MALFORMED = "NTF_MALFORMED"
    UPD_REGISTRAR_STALE_PUSH = "UPD_REGISTRAR_STALE_PUSH"
    X_AUDIT_CHAIN = "X_AUDIT_CHAIN"
    X_UNCLASSIFIED = "X_UNCLASSIFIED"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The class of a reason, what it becomes when it lasts, and who may let it pass.

    `held` says that a complete candidate waits for a person (outcome `hold`)
    instead of being refused. `structural` codes come first within class C.
    """

    kind: Kind
    then: Kind | None = None
    held: bool = False
    structural: bool = False


_I, _R, _C, _P, _A, _X = Kind

MEANINGS: Final = MappingProxyType(
    {
        Reason.NS_OK_DATA: Meaning(_I),
        Reason.NS_OK_NODATA: Meaning(_I),
        Reason.NS_NODATA_NO_SOA: Meaning(_C),
        Reason.NS_TIMEOUT: Meaning(_R, _C),
        Reason.NS_UNREACHABLE: Meaning(_R, _C),
        Reason.NS_TCP_UNAVAILABLE: Meaning(_R, _C),
        Reason.NS_REFUSED: Meaning(_R, _C),
        Reason.NS_NOTAUTH: Meaning(_C),
        Reason.NS_SERVFAIL: Meaning(_R, _C),
        Reason.NS_FORMERR: Meaning(_C),
        Reason.NS_NOTIMP: Meaning(_C),
        Reason.NS_NO_EDNS: Meaning(_C),
        Reason.NS_LAME_REFERRAL: Meaning(_C),
        Reason.NS_LAME_NOT_AA: Meaning(_C),
        Reason.NS_LAME_NXDOMAIN: Meaning(_C),
        Reason.NS_MALFORMED: Meaning(_R, _C),
        Reason.NS_APEX_CNAME: Meaning(_C),
        Reason.NS_NO_ADDRESS: Meaning(_C, _A),
        Reason.NS_ADDR_BOGUS: Meaning(_R, _A),
        Reason.NS_ADDR_FORBIDDEN: Meaning(_C),
        Reason.NS_TARGET_INVALID: Meaning(_C),
        Reason.NS_TARGET_ALIAS: Meaning(_C),
        Reason.NS_GLUE_MISMATCH: Meaning(_I),
        Reason.PRE_NOT_DELEGATED: Meaning(_P),
        Reason.PRE_STATUS_NOT_ACTIVE: Meaning(_P),
        Reason.PRE_AUTOMATION_SUSPENDED: Meaning(_P),
        Reason.PRE_OPTED_OUT: Meaning(_P),
        Reason.PRE_REGISTRAR_NO_DISABLE: Meaning(_P),
        Reason.PRE_REGISTRAR_AUTOMATES: Meaning(_P),
        Reason.PRE_PROPRIETARY_LOCK: Meaning(_P),
        Reason.PRE_LOCK_IGNORED: Meaning(_I),
        Reason.PRE_DS_PRESENT: Meaning(_I),
        Reason.PRE_PENDING_CHANGE: Meaning(_R),
        Reason.PRE_RECENT_NS_CHANGE: Meaning(_R),
        Reason.PRE_RATE_LIMITED: Meaning(_R),
        Reason.X_CLOCK: Meaning(_X),
        Reason.X_TRUST_ANCHOR: Meaning(_X),
        Reason.X_RESOLVER: Meaning(_X),
        Reason.X_EGRESS: Meaning(_X),
        Reason.X_EGRESS_FAMILY: Meaning(_X),
        Reason.X_VANTAGE: Meaning(_X),
        Reason.X_DB: Meaning(_X),
        Reason.APEX_NO_CDS: Meaning(_I),
        Reason.APEX_CONSISTENT: Meaning(_I),
        Reason.APEX_PARTIAL: Meaning(_R, _C),
        Reason.APEX_CDS_DIFFER: Meaning(_R, _C),
        Reason.APEX_CDNSKEY_DIFFER: Meaning(_R, _C),
        Reason.APEX_DIGEST_ONLY_DIFFER: Meaning(_R, _C),
        Reason.CMP_CDS_CDNSKEY_MISMATCH: Meaning(_R, _C),
        Reason.CMP_CDS_DIGEST_WRONG: Meaning(_C),
        Reason.CMP_DELETE_MIXED: Meaning(_C),
        Reason.CMP_DELETE_PARTIAL: Meaning(_R, _C),
        Reason.CDS_MALFORMED_SENTINEL: Meaning(_C),
        Reason.CDS_NO_ELIGIBLE_DIGEST: Meaning(_C, held=True),
        Reason.CDS_BAD_DIGEST_LENGTH: Meaning(_C),
        Reason.CDNSKEY_BAD_PROTOCOL: Meaning(_C),
        Reason.CDNSKEY_NOT_ZONE_KEY: Meaning(_C),
        Reason.CDNSKEY_REVOKED: Meaning(_C),
        Reason.CDS_TOO_MANY: Meaning(_C),
        Reason.APEX_INCOMPLETE: Meaning(_R, _C),
        Reason.APEX_VANTAGE_DIFFER: Meaning(_R, _A),
        Reason.SIG_OK: Meaning(_I),
        Reason.SIG_DENIED: Meaning(_I),
        Reason.SIG_NONE: Meaning(_I),
        Reason.SIG_PARTIAL: Meaning(_R, _C),
        Reason.SIG_INSECURE: Meaning(_C),
        Reason.SIG_BOGUS: Meaning(_R, _A),
        Reason.SIG_EXPIRED: Meaning(_R, _C),
        Reason.SIG_NOT_YET_VALID: Meaning(_R, _C),
        Reason.SIG_INDETERMINATE: Meaning(_R),
        Reason.SIG_UNREACHABLE: Meaning(_R, _C),
        Reason.SIG_UNSUPPORTED_ALG: Meaning(_C),
        Reason.SIG_NSEC3_ITERATIONS: Meaning(_C),
        Reason.SIG_NAME_TOO_LONG: Meaning(_C, structural=True),
        Reason.SIG_NO_OUT_OF_DOMAIN_NS: Meaning(_C, structural=True),
        Reason.SIG_ZONE_CUT_AT_NAME: Meaning(_C),
        Reason.SIG_SIGNER_ABOVE_CUT: Meaning(_A),
        Reason.SIG_ALIASED: Meaning(_C),
        Reason.SIG_WILDCARD: Meaning(_C, held=True),
        Reason.SIG_ENT_NXDOMAIN: Meaning(_C),
        Reason.SIG_DENIAL_CONTRADICTION: Meaning(_C),
        Reason.SIG_MALFORMED: Meaning(_R, _C),
        Reason.CMP_SIGNALS_DIFFER: Meaning(_R, _C),
        Reason.CMP_SIGNAL_APEX_DIFFER: Meaning(_R, _A),
        Reason.CMP_SIGNAL_EMPTY_APEX_NOT: Meaning(_R, _C),
        Reason.CMP_APEX_EMPTY_SIGNAL_NOT: Meaning(_R, _C),
        Reason.ACC_OK: Meaning(_I),
        Reason.ACC_CHILD_UNSIGNED: Meaning(_C),
        Reason.ACC_NO_MATCHING_DNSKEY: Meaning(_R, _C),
        Reason.ACC_STANDBY_KEY: Meaning(_I),
        Reason.ACC_DNSKEY_NOT_SIGNED_BY_REF: Meaning(_R, _C),
        Reason.ACC_NO_USABLE_PATH: Meaning(_C),
        Reason.ACC_ALG_INCOMPLETE: Meaning(_R, _C, held=True),
        Reason.ACC_SERVER_BOGUS: Meaning(_R, _C),
        Reason.ACC_APEX_CDS_BOGUS: Meaning(_R, _C),
        Reason.ACC_SIG_NEAR_EXPIRY: Meaning(_C, held=True),
        Reason.ACC_SIG_INCEPTION_FUTURE: Meaning(_R, _C, held=True),
        Reason.ACC_NSEC_BROKEN: Meaning(_C, held=True),
        Reason.ACC_NSEC3_ITERATIONS: Meaning(_C, held=True),
        Reason.ACC_NS_SET_MISMATCH: Meaning(_C, held=True),
        Reason.ACC_NS_SET_DIFFERS_OK: Meaning(_I),
        Reason.ACC_KEY_NOT_SEP: Meaning(_I),
        Reason.ACC_KEY_WEAK: Meaning(_C),
        Reason.POL_ALG_FORBIDDEN: Meaning(_C),
        Reason.POL_ALG_UNKNOWN: Meaning(_I, _C),
        Reason.POL_DIGEST_DROPPED: Meaning(_I),
        Reason.POL_TOO_YOUNG: Meaning(_R, held=True),
        Reason.POL_MANUAL_REVIEW: Meaning(_P),
        Reason.UPD_IN_SYNC: Meaning(_I),
        Reason.UPD_OK: Meaning(_I),
        Reason.UPD_UNSIGNED: Meaning(_C),
        Reason.UPD_NOT_SIGNED_BY_DS_KEY: Meaning(_C),
        Reason.UPD_BOGUS: Meaning(_R, _A),
        Reason.UPD_CHAIN_BOGUS: Meaning(_A),
        Reason.UPD_DS_UNUSABLE: Meaning(_P),
        Reason.UPD_REPLAY: Meaning(_C, _A),
        Reason.UPD_PARTIAL_SIGNER: Meaning(_R, _C),
        Reason.UPD_NO_PATH_AFTER: Meaning(_C),
        Reason.UPD_ADDED_KEY_ONLY: Meaning(_I),
        Reason.UPD_REMOVED_KEY: Meaning(_I),
        Reason.UPD_REPLACED: Meaning(_I),
        Reason.UPD_OOB_CONFLICT: Meaning(_R),
        Reason.DEL_OK: Meaning(_I),
        Reason.DEL_NOTHING_TO_DELETE: Meaning(_I),
        Reason.DEL_NOT_AUTHENTICATED: Meaning(_A),
        Reason.DEL_INCONSISTENT: Meaning(_R, _C),
        Reason.PUB_CONFLICT: Meaning(_R),
        Reason.PUB_EVIDENCE_STALE: Meaning(_R),
        Reason.PUB_ZONE_REJECTED: Meaning(_X),
        Reason.PUB_NOT_VISIBLE: Meaning(_X),
        Reason.PUB_OK: Meaning(_I),
        Reason.POST_OK: Meaning(_I),
        Reason.POST_CHILD_BOGUS: Meaning(_A),
        Reason.POST_CHILD_UNSIGNED: Meaning(_A),
        Reason.POST_DS_ORPHAN: Meaning(_A),
        Reason.POST_ALG_DEPRECATED: Meaning(_C),
        Reason.NS_TOO_MANY: Meaning(_C),
        Reason.NS_EXCLUDED_UNREACHABLE: Meaning(_I),
        Reason.SIG_SINGLE_PATH: Meaning(_I),
        Reason.VAL_LIMIT: Meaning(_C, _A, held=True),  # KeyTrap shapes (P-3.22)
        Reason.VAL_MIXED_SERVERS: Meaning(_I),
        Reason.NTF_AGENT_IN_CHILD: Meaning(_I),
        Reason.NTF_AGENT_FOREIGN: Meaning(_I),
        Reason.NTF_AGENT_INVALID: Meaning(_I),
        Reason.NTF_UNKNOWN_CHILD: Meaning(_I),
        Reason.NTF_MULTIPLE: Meaning(_I),
        Reason.NTF_MALFORMED: Meaning(_I),
        Reason.UPD_REGISTRAR_STALE_PUSH: Meaning(_I),
        Reason.X_AUDIT_CHAIN: Meaning(_X),
        Reason.X_UNCLASSIFIED: Meaning(_X),
    }
)

PRECEDENCE: Final = (
    (_X, False),
    (_A, False),
    (_P, False),
    (_C, True),
    (_R, False),
    (_C, False),
    (_I, False),
)
"""Which class speaks first, structural codes of class C before R (P-2.50)."""

_POSITION: Final = {reason: position for position, reason in enumerate(Reason)}


def precedence(reason: Reason, kind: Kind) -> tuple[int, int]:
    """Return where a reason that counts as `kind` stands: least comes first."""
    structural = kind is _C and MEANINGS[reason].structural
    return PRECEDENCE.index((kind, structural)), _POSITION[reason]
