"""Words for signals and their comparison (protocol.md 2.5)."""

from __future__ import annotations

from typing import Final

from bootstrap.core.evaluation.reasons import Reason

from .text import Act, Text

_STEP_1: Final = "RFC 9615, 4.2 step 1"
_STEP_3: Final = "RFC 9615, 4.2 step 3"
_STEP_4: Final = "RFC 9615, 4.2 step 4"
_SIGNAL: Final = "_dsboot.{child}._signal.{nameserver}. CDS {ds}"
_REPAIR: Final = " Your DNS operator must repair the zone that holds it."

SIGNALS: Final = {
    Reason.SIG_OK: Text(
        "Signal is genuine",
        "The signaling record exists and validates from the root.",
        "Your DNS operator vouches for your domain. Nothing has to be done.",
        Act.NOBODY,
        _STEP_3,
    ),
    Reason.SIG_DENIED: Text(
        "Absence of a signal is proven",
        "The type does not exist at the signaling name, by a secure denial.",
        "Your DNS operator provably publishes no such record. That is a proper answer.",
        Act.NOBODY,
        _STEP_3,
    ),
    Reason.SIG_NONE: Text(
        "No nameserver vouches for the domain",
        "Every required nameserver securely denies a signal.",
        "Your domain is ready, but your DNS operator does not vouch for it. Ask your"
        " operator for RFC 9615, or hand in the DS record through your registrar.",
        Act.OPERATOR,
        _STEP_3,
        _SIGNAL,
    ),
    Reason.SIG_PARTIAL: Text(
        "Only some nameservers vouch for the domain",
        "Some required nameservers have signals, at least one has none.",
        "Not all nameservers vouch for your domain. Every one outside of your domain"
        " must do so.",
        Act.OPERATOR,
        _STEP_3,
        _SIGNAL,
    ),
    Reason.SIG_INSECURE: Text(
        "Signal is in a zone without DNSSEC",
        "The chain to the signal ends in an insecure delegation.",
        "Your nameservers' own domain is not secured by DNSSEC, so their word proves"
        " nothing. Your DNS operator must secure that domain first.",
        Act.OPERATOR,
        _STEP_3,
    ),
    Reason.SIG_BOGUS: Text(
        "Signal fails DNSSEC validation",
        "A signature or denial on the way to the signal is wrong.",
        "The record by which your DNS operator vouches for you fails its check."
        + _REPAIR,
        Act.OPERATOR,
        _STEP_3,
    ),
    Reason.SIG_EXPIRED: Text(
        "Signal's signature has expired",
        "The signature's time has run out; everything else fits.",
        "The record by which your DNS operator vouches for you is out of date."
        + _REPAIR,
        Act.OPERATOR,
        _STEP_3,
    ),
    Reason.SIG_NOT_YET_VALID: Text(
        "Signal's signature is not yet valid",
        "The signature begins in the future; check both clocks.",
        "The record by which your DNS operator vouches for you is dated in the future."
        " Usually this settles by itself.",
        Act.OPERATOR,
        _STEP_3,
    ),
    Reason.SIG_INDETERMINATE: Text(
        "Signal could not be checked completely",
        "Part of the chain could not be fetched.",
        "We could not fetch all that is needed to check your DNS operator's word."
        " We try again.",
        Act.NOBODY,
        _STEP_3,
    ),
    Reason.SIG_UNREACHABLE: Text(
        "Servers of the signal do not answer",
        "No server of the signaling zone answered.",
        "The servers that hold your DNS operator's word do not answer. We try again;"
        " your operator should look if it stays so.",
        Act.OPERATOR,
        _STEP_3,
    ),
    Reason.SIG_UNSUPPORTED_ALG: Text(
        "Signal uses an algorithm we do not check",
        "The chain rests on algorithms or digests that we do not validate.",
        "Your nameservers' own domain is signed in a way that we cannot check."
        " Your DNS operator should use a common algorithm.",
        Act.OPERATOR,
        "RFC 4035, 5.2",
    ),
    Reason.SIG_NSEC3_ITERATIONS: Text(
        "Too many NSEC3 iterations at the signal",
        "The denial relies on NSEC3 above our cap.",
        "Your nameservers' own domain is signed with parameters that are too costly"
        " to check. Your DNS operator should set NSEC3 iterations to 0.",
        Act.OPERATOR,
        "RFC 9276, 3.1",
    ),
    Reason.SIG_NAME_TOO_LONG: Text(
        "Signaling name would be too long",
        "Child and nameserver together exceed 255 octets.",
        "The names of your domain and of a nameserver are too long together."
        " Use a nameserver with a shorter name.",
        Act.OWNER,
        "RFC 9615, 4.4",
    ),
    Reason.SIG_NO_OUT_OF_DOMAIN_NS: Text(
        "All nameservers are inside the domain",
        "No nameserver outside of the child could carry a signal.",
        "All your nameservers belong to your domain itself, so nobody else can vouch"
        " for it. Add a nameserver from outside for a while, or use your registrar.",
        Act.OWNER,
        _STEP_1,
    ),
    Reason.SIG_ZONE_CUT_AT_NAME: Text(
        "A zone begins at the signaling name",
        "The signaling name is itself a zone apex, which is not allowed.",
        "The record by which your DNS operator vouches for you is set up wrongly."
        + _REPAIR,
        Act.OPERATOR,
        "RFC 9615, 4.1",
    ),
    Reason.SIG_SIGNER_ABOVE_CUT: Text(
        "Signal is signed by a zone above its own",
        "A zone above an existing cut signed the signal: possibly a forgery.",
        "The record by which your DNS operator vouches for you has a signature from"
        " the wrong place. We look into it before anything is done.",
        Act.REGISTRY,
        "RFC 9615, 6",
    ),
    Reason.SIG_ALIASED: Text(
        "Signal is only an alias",
        "A CNAME or DNAME leads away from the signaling name.",
        "The record by which your DNS operator vouches for you points elsewhere."
        " It must stand at its own name.",
        Act.OPERATOR,
        "RFC 9615, 3.2; P-1.27",
        _SIGNAL,
    ),
    Reason.SIG_WILDCARD: Text(
        "Signal comes from a wildcard",
        "The signal is genuine but expanded from a wildcard.",
        "Your DNS operator vouches for all domains at once, not for yours. A person"
        " looks at it.",
        Act.REGISTRY,
        "RFC 9615, 4.1; P-1.26",
        _SIGNAL,
    ),
    Reason.SIG_ENT_NXDOMAIN: Text(
        "Server denies names above the signal",
        "NXDOMAIN at an empty non-terminal above an existing signal.",
        "Your DNS operator's server contradicts itself on the way to its own record."
        " It must answer that those names exist but are empty.",
        Act.OPERATOR,
        "RFC 8020, 2; P-1.25",
    ),
    Reason.SIG_DENIAL_CONTRADICTION: Text(
        "Signal's denial contradicts itself",
        "One type is proven not to exist at a name, or a type, that does exist.",
        "Your DNS operator's server says that a name does and does not exist."
        + _REPAIR,
        Act.OPERATOR,
        "RFC 4035, 5.4; P-1.29",
    ),
    Reason.SIG_MALFORMED: Text(
        "Signal cannot be read",
        "The signaling record or its message is malformed.",
        "The record by which your DNS operator vouches for you is damaged." + _REPAIR,
        Act.OPERATOR,
        "RFC 1035, 4.1",
    ),
    Reason.CMP_SIGNALS_DIFFER: Text(
        "Nameservers vouch for different things",
        "The signals of the required nameservers differ.",
        "Your nameservers' records about your domain differ. All of them must be"
        " equal.",
        Act.OPERATOR,
        _STEP_4,
    ),
    Reason.CMP_SIGNAL_APEX_DIFFER: Text(
        "Signals differ from the domain's own records",
        "All signals agree with each other but not with the apex.",
        "What your DNS operator vouches for is not what your domain publishes. This"
        " settles by itself if the operator is just making a change.",
        Act.OPERATOR,
        _STEP_4,
    ),
    Reason.CMP_SIGNAL_EMPTY_APEX_NOT: Text(
        "A type is missing in the signals",
        "The apex has a type that all signals deny.",
        "Your domain publishes a record that your DNS operator does not vouch for."
        " Both must publish the same.",
        Act.OPERATOR,
        _STEP_4,
    ),
    Reason.CMP_APEX_EMPTY_SIGNAL_NOT: Text(
        "A type is missing in the domain",
        "A signal has a type that the apex lacks.",
        "Your DNS operator vouches for a record that your domain does not publish."
        " Both must publish the same.",
        Act.OPERATOR,
        _STEP_4,
    ),
}
