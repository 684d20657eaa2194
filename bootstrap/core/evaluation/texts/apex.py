"""Words for what all servers of the child say together (protocol.md 2.4)."""

from __future__ import annotations

from typing import Final

from bootstrap.core.evaluation.reasons import Reason

from .text import Act, Text

_CONSISTENCY: Final = "RFC 9975, 3"
_DELETE: Final = "{child}. CDS 0 0 0 00\n{child}. CDNSKEY 0 3 0 AA=="

APEX: Final = {
    Reason.APEX_NO_CDS: Text(
        "No CDS and no CDNSKEY",
        "No server publishes a request, so there is nothing to do.",
        "Your domain does not ask for a change of DNSSEC. To turn it on, your DNS"
        " operator publishes a CDS record.",
        Act.NOBODY,
        "RFC 7344, 4",
        "{child}. CDS {ds}",
    ),
    Reason.APEX_CONSISTENT: Text(
        "All servers ask for the same",
        "CDS and CDNSKEY are consistent across all servers.",
        "All your nameservers say the same. That is as it should be.",
        Act.NOBODY,
        _CONSISTENCY,
    ),
    Reason.APEX_PARTIAL: Text(
        "Some servers lack the request",
        "Some servers have the RRset, others deny it.",
        "Not all of your nameservers publish the same DNSSEC request. This settles"
        " by itself if your DNS operator is just making a change.",
        Act.OPERATOR,
        _CONSISTENCY,
    ),
    Reason.APEX_CDS_DIFFER: Text(
        "Servers publish different CDS",
        "The CDS RRsets of the servers differ.",
        "Your nameservers publish different DNSSEC requests. All of them must publish"
        " the same.",
        Act.OPERATOR,
        _CONSISTENCY,
    ),
    Reason.APEX_CDNSKEY_DIFFER: Text(
        "Servers publish different CDNSKEY",
        "The CDNSKEY RRsets of the servers differ.",
        "Your nameservers publish different DNSSEC requests. All of them must publish"
        " the same.",
        Act.OPERATOR,
        _CONSISTENCY,
    ),
    Reason.APEX_DIGEST_ONLY_DIFFER: Text(
        "Same keys, but different digest types",
        "Servers name the same keys by CDS with different digest types.",
        "Your nameservers mean the same keys but write them differently. For the first"
        " time the records must be equal everywhere.",
        Act.OPERATOR,
        "RFC 9615, 4.2 step 4",
    ),
    Reason.CMP_CDS_CDNSKEY_MISMATCH: Text(
        "CDS and CDNSKEY name different keys",
        "The key sets of both types differ, judged on SHA-256.",
        "The two forms of your DNSSEC request do not fit each other. Your DNS operator"
        " must publish both for the same keys.",
        Act.OPERATOR,
        "RFC 9975, 3.1",
    ),
    Reason.CMP_CDS_DIGEST_WRONG: Text(
        "CDS digest does not fit its key",
        "A CDS has tag and algorithm of a known key but another digest.",
        "A CDS record was computed wrongly. Your DNS operator must publish the right"
        " one.",
        Act.OPERATOR,
        "RFC 4034, 5.1.4",
        "{child}. CDS {ds}",
    ),
    Reason.CMP_DELETE_MIXED: Text(
        "Delete request beside other records",
        "A delete sentinel stands beside keys, so the request means nothing.",
        "Your domain asks to turn DNSSEC off and on at once. Publish either the delete"
        " records alone or none of them.",
        Act.OPERATOR,
        "RFC 8078, 4",
        _DELETE,
    ),
    Reason.CMP_DELETE_PARTIAL: Text(
        "Only some servers ask for removal",
        "One server publishes the delete sentinel, another does not.",
        "Only some of your nameservers ask to turn DNSSEC off. All of them must.",
        Act.OPERATOR,
        "RFC 9975, 3.1",
        _DELETE,
    ),
    Reason.CDS_MALFORMED_SENTINEL: Text(
        "Delete request is not exact",
        "Algorithm 0 but not the exact sentinel; never acted on.",
        "A record looks like a request to turn DNSSEC off but is not written exactly."
        " Your DNS operator must correct or remove it.",
        Act.OPERATOR,
        "RFC 8078, 4 (erratum 5049)",
        _DELETE,
    ),
    Reason.CDS_NO_ELIGIBLE_DIGEST: Text(
        "No CDS with SHA-256, and no CDNSKEY",
        "Keys are named only by digest types that parents need not know.",
        "Your DNSSEC request uses an uncommon digest. Add a CDS record with digest"
        " type 2.",
        Act.OPERATOR,
        "RFC 9975, 3.1; RFC 9904, 3",
        "{child}. CDS {ds}",
    ),
    Reason.CDS_BAD_DIGEST_LENGTH: Text(
        "CDS digest has the wrong length",
        "The digest's length does not fit its type.",
        "A CDS record is damaged. Your DNS operator must publish the right one.",
        Act.OPERATOR,
        "RFC 4034, 5.1; RFC 4509, 2.2",
    ),
    Reason.CDNSKEY_BAD_PROTOCOL: Text(
        "CDNSKEY protocol is not 3",
        "The protocol field must be 3.",
        "A CDNSKEY record is damaged. Your DNS operator must publish the right one.",
        Act.OPERATOR,
        "RFC 4034, 2.1.2",
    ),
    Reason.CDNSKEY_NOT_ZONE_KEY: Text(
        "CDNSKEY is not a zone key",
        "The ZONE flag is clear, so the key cannot sign zone data.",
        "The key that you ask for cannot sign a domain. Your DNS operator must publish"
        " the right one.",
        Act.OPERATOR,
        "RFC 4034, 2.1.1",
    ),
    Reason.CDNSKEY_REVOKED: Text(
        "CDNSKEY is revoked",
        "The REVOKE flag is set.",
        "The key that you ask for was withdrawn. Your DNS operator must publish one"
        " that is in use.",
        Act.OPERATOR,
        "RFC 5011, 2.1",
    ),
    Reason.CDS_TOO_MANY: Text(
        "Too many CDS or CDNSKEY records",
        "The RRset has more records than policy takes.",
        "Your DNSSEC request has more records than we accept. A few are enough.",
        Act.OPERATOR,
        "Policy",
    ),
    Reason.APEX_INCOMPLETE: Text(
        "Not every server gave a usable answer",
        "At least one required response is missing or unusable.",
        "Not all of your nameservers answered properly. Every one must before DNSSEC"
        " can be turned on.",
        Act.OPERATOR,
        "RFC 9615, 4.2 step 2",
    ),
    Reason.APEX_VANTAGE_DIFFER: Text(
        "Different answers in different places",
        "Vantage points of ours see different contents at one address.",
        "Your nameservers answer differently depending on where one asks. We look again"
        " before anything is changed.",
        Act.OPERATOR,
        "RFC 8078, 5",
    ),
}
