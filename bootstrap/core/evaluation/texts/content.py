"""Words for acceptance and policy (protocol.md 2.7)."""

from __future__ import annotations

from typing import Final

from bootstrap.core.evaluation.reasons import Reason

from .text import Act, Text

_PATH: Final = "BCP 246, 4.2.1"
_WOULD_BREAK: Final = " Turning DNSSEC on now would break your domain."

CONTENT: Final = {
    Reason.ACC_OK: Text(
        "All checks passed",
        "The candidate DS set is authenticated, consistent and would validate.",
        "Everything is in order. DNSSEC can be turned on for your domain.",
        Act.NOBODY,
        "RFC 9615, 4.2",
    ),
    Reason.ACC_CHILD_UNSIGNED: Text(
        "Domain is not signed",
        "CDS exists, but a server has no DNSKEY RRset.",
        "Your domain asks for DNSSEC but is not signed on every nameserver."
        + _WOULD_BREAK,
        Act.OPERATOR,
        _PATH,
    ),
    Reason.ACC_NO_MATCHING_DNSKEY: Text(
        "Requested keys are not in use",
        "No requested key is in the DNSKEY RRset of some server.",
        "The keys that you ask for are not those that sign your domain." + _WOULD_BREAK,
        Act.OPERATOR,
        _PATH,
        "{child}. CDS {ds}",
    ),
    Reason.ACC_STANDBY_KEY: Text(
        "Some requested keys are in reserve",
        "Some keys are not in use yet; one that is gives a complete path.",
        "One of the keys is kept in reserve. That is allowed.",
        Act.NOBODY,
        "RFC 8078, 3.1",
    ),
    Reason.ACC_DNSKEY_NOT_SIGNED_BY_REF: Text(
        "Requested keys do not sign the key set",
        "The DNSKEY RRset has no valid signature by a requested key.",
        "Your domain's key set is not signed by the key that you ask for."
        + _WOULD_BREAK,
        Act.OPERATOR,
        _PATH,
    ),
    Reason.ACC_NO_USABLE_PATH: Text(
        "Only uncommon algorithms lead to the domain",
        "Paths exist only by algorithms that validators need not know.",
        "Your domain is signed only in ways that many resolvers cannot check."
        " Your DNS operator should use a common algorithm.",
        Act.OPERATOR,
        "RFC 9904, 3",
    ),
    Reason.ACC_ALG_INCOMPLETE: Text(
        "An algorithm does not sign everything",
        "An algorithm of the DS set does not sign DNSKEY, SOA or NS.",
        "One of the requested algorithms signs your domain only in part. Some resolvers"
        " could then fail; a person may let it pass.",
        Act.OPERATOR,
        "RFC 4035, 2.2",
    ),
    Reason.ACC_SERVER_BOGUS: Text(
        "A server's data fail validation",
        "SOA or NS of a server do not verify under the keys in use.",
        "Signatures on one of your nameservers are wrong or missing." + _WOULD_BREAK,
        Act.OPERATOR,
        _PATH,
    ),
    Reason.ACC_APEX_CDS_BOGUS: Text(
        "The request's own signature is wrong",
        "The RRSIG of CDS or CDNSKEY is missing or does not verify.",
        "Your DNSSEC request is not properly signed. Your DNS operator must sign the"
        " domain again.",
        Act.OPERATOR,
        "RFC 7344, 4.1",
    ),
    Reason.ACC_SIG_NEAR_EXPIRY: Text(
        "Signatures expire soon",
        "A signature relied on ends within the safety window.",
        "Signatures of your domain run out very soon. Your DNS operator must renew"
        " them in time.",
        Act.OPERATOR,
        "RFC 6781, 4.4.2",
    ),
    Reason.ACC_SIG_INCEPTION_FUTURE: Text(
        "Signatures begin in the future",
        "A signature is not yet in force: a clock is ahead.",
        "Signatures of your domain are dated in the future. Your DNS operator should"
        " check the clock.",
        Act.OPERATOR,
        "RFC 4035, 5.3.1",
    ),
    Reason.ACC_NSEC_BROKEN: Text(
        "Absence of names cannot be proven",
        "The answer for a random name carries no valid proof of absence.",
        "Your nameservers cannot prove that a name does not exist. Your DNS operator"
        " must sign the domain again.",
        Act.OPERATOR,
        "RFC 4035, 5.4",
    ),
    Reason.ACC_NSEC3_ITERATIONS: Text(
        "Too many NSEC3 iterations",
        "The child uses NSEC3 iterations above our cap.",
        "Your domain is signed with parameters that many resolvers refuse. Your DNS"
        " operator should set NSEC3 iterations to 0.",
        Act.OPERATOR,
        "RFC 9276, 3.1",
    ),
    Reason.ACC_NS_SET_MISMATCH: Text(
        "Domain names other nameservers, which fail",
        "Hosts of the child's own NS RRset are not consistently signed.",
        "Your domain lists nameservers that the registry does not know, and they are"
        " not in order. Resolvers would ask them as well.",
        Act.OPERATOR,
        "RFC 7344, 9",
    ),
    Reason.ACC_NS_SET_DIFFERS_OK: Text(
        "Nameserver lists differ, harmlessly",
        "Parent and child NS sets differ, but every extra host passes.",
        "Your domain and the registry list different nameservers. It works, but"
        " should be put in order.",
        Act.NOBODY,
        "RFC 7344, 9",
    ),
    Reason.ACC_KEY_NOT_SEP: Text(
        "Requested key is not marked as entry point",
        "A referenced key lacks the SEP bit, which decides nothing.",
        "The key is not marked in the usual way. That does no harm.",
        Act.NOBODY,
        "RFC 4034, 2.1.1",
    ),
    Reason.ACC_KEY_WEAK: Text(
        "Requested key is weak or malformed",
        "RSA below policy, an odd exponent, or an invalid curve point.",
        "The key that you ask for does not protect enough. Your DNS operator must use"
        " a stronger one.",
        Act.OPERATOR,
        "Policy",
    ),
    Reason.POL_ALG_FORBIDDEN: Text(
        "Algorithm is forbidden",
        "A requested key has an algorithm that must not sign any more.",
        "Your domain is signed with an algorithm that is no longer safe. Your DNS"
        " operator must use a current one.",
        Act.OPERATOR,
        "RFC 9904, 2; RFC 9905",
    ),
    Reason.POL_ALG_UNKNOWN: Text(
        "Algorithm is unknown",
        "A requested key has an algorithm that we do not validate.",
        "Your domain asks for a key of an uncommon algorithm. It is taken only beside"
        " a common one, and if the registry allows it.",
        Act.OPERATOR,
        "RFC 9904, 2; RFC 9975, 3.1",
    ),
    Reason.POL_DIGEST_DROPPED: Text(
        "Some digest types are not published",
        "CDS offers digest types that policy does not publish.",
        "Your request has more forms than we publish. That does no harm.",
        Act.NOBODY,
        "RFC 9975, 3.1",
    ),
    Reason.POL_TOO_YOUNG: Text(
        "Domain was signed only recently",
        "The child has been seen signed for less than the policy's minimum.",
        "Your domain was signed a short time ago. We wait until old data have"
        " vanished everywhere.",
        Act.NOBODY,
        "RFC 7583; P-3.20",
    ),
    Reason.POL_MANUAL_REVIEW: Text(
        "A person decides",
        "Policy sends this change to staff.",
        "Everything is in order, and a person at the registry confirms it."
        " You need not do anything.",
        Act.REGISTRY,
        "BCP 246, 3",
    ),
}
