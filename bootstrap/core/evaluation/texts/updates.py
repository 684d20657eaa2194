"""Words for change and removal of a DS set (protocol.md 2.8)."""

from __future__ import annotations

from typing import Final

from bootstrap.core.evaluation.reasons import Reason

from .text import Act, Text

_SIGNER: Final = "RFC 7344, 4.1"
_IGNORED: Final = " We ignore it, and your domain stays as it is."

UPDATES: Final = {
    Reason.UPD_IN_SYNC: Text(
        "Nothing to change",
        "The requested keys are those of the current DS set.",
        "Your domain is secured by the keys that it asks for. Nothing has to be done.",
        Act.NOBODY,
        "RFC 7344, 6.2.1",
    ),
    Reason.UPD_OK: Text(
        "Change accepted",
        "The update is authenticated, consistent and would validate.",
        "The change of keys is in order. We carry it out.",
        Act.NOBODY,
        _SIGNER,
    ),
    Reason.UPD_UNSIGNED: Text(
        "Request is not signed",
        "CDS or CDNSKEY has no RRSIG although a DS exists.",
        "The request to change your keys is not signed." + _IGNORED,
        Act.OPERATOR,
        _SIGNER,
    ),
    Reason.UPD_NOT_SIGNED_BY_DS_KEY: Text(
        "Request is signed by the wrong key",
        "The RRSIG is valid, but by no key of both DNSKEY and DS (often a ZSK).",
        "The request to change your keys must be signed by a key that is registered"
        " already." + _IGNORED,
        Act.OPERATOR,
        _SIGNER,
    ),
    Reason.UPD_BOGUS: Text(
        "Request's signature is wrong",
        "The RRSIG of CDS or CDNSKEY does not verify.",
        "The signature on the request to change your keys is wrong." + _IGNORED,
        Act.OPERATOR,
        _SIGNER,
    ),
    Reason.UPD_CHAIN_BOGUS: Text(
        "Domain fails validation under its DS",
        "The child is bogus under the current DS on every server.",
        "Your domain fails its DNSSEC check, so many people cannot reach it. Your DNS"
        " operator must repair it, or your registrar must correct the keys.",
        Act.OPERATOR,
        "BCP 246, 5.2 case 4",
    ),
    Reason.UPD_DS_UNUSABLE: Text(
        "Current DS cannot be validated",
        "No current DS has an algorithm and digest that we support.",
        "The keys on record cannot be checked, so no change can be proven. Hand in"
        " new keys through your registrar.",
        Act.OWNER,
        "RFC 4035, 5.2",
    ),
    Reason.UPD_REPLAY: Text(
        "Request is older than the last change",
        "An RRSIG inception, of CDS, CDNSKEY or a signal, is not newer than the last"
        " accepted or manual change.",
        "The request to change your keys is older than the last change." + _IGNORED,
        Act.OPERATOR,
        "RFC 7344, 6.2",
    ),
    Reason.UPD_PARTIAL_SIGNER: Text(
        "Request is properly signed on some servers only",
        "The signer rule holds on some servers' copies and fails on others.",
        "Only some of your nameservers have a properly signed request. All of them"
        " must.",
        Act.OPERATOR,
        _SIGNER,
    ),
    Reason.UPD_NO_PATH_AFTER: Text(
        "New DS set would break the domain",
        "No server would have a valid path under the new DS set.",
        "With the keys that you ask for your domain would fail." + _IGNORED,
        Act.OPERATOR,
        _SIGNER,
    ),
    Reason.UPD_ADDED_KEY_ONLY: Text(
        "A key is added",
        "The new set holds all old keys and more.",
        "A further key is added. That is the first half of an ordinary change of keys.",
        Act.NOBODY,
        "RFC 6781, 4.1.2",
    ),
    Reason.UPD_REMOVED_KEY: Text(
        "A key is removed",
        "Some old keys go, at least one stays.",
        "An old key is removed. That is the second half of an ordinary change of keys.",
        Act.NOBODY,
        "RFC 6781, 4.1.2",
    ),
    Reason.UPD_REPLACED: Text(
        "All keys are replaced",
        "No old key remains in the new set.",
        "All keys are replaced at once. If you did not expect that, ask your DNS"
        " operator.",
        Act.NOBODY,
        "BCP 246, 10",
    ),
    Reason.UPD_OOB_CONFLICT: Text(
        "Domain was changed meanwhile",
        "Registry data or the published DS moved during the evaluation.",
        "Somebody changed your domain while we looked. We look again.",
        Act.NOBODY,
        "BCP 246, 7.2",
    ),
    Reason.DEL_OK: Text(
        "Removal accepted",
        "The exact sentinel is consistent and signed by a key of the DS.",
        "Your domain asks to turn DNSSEC off, and the request is genuine. We carry it"
        " out.",
        Act.NOBODY,
        "RFC 8078, 4",
    ),
    Reason.DEL_NOTHING_TO_DELETE: Text(
        "Removal asked for, but there is no DS",
        "The sentinel is published for a child without DS.",
        "Your domain asks to turn DNSSEC off, but it is off already. Nothing has to be"
        " done.",
        Act.NOBODY,
        "RFC 8078, 4",
    ),
    Reason.DEL_NOT_AUTHENTICATED: Text(
        "Removal is not signed by a registered key",
        "The sentinel lacks a signature by a key of DNSKEY and DS.",
        "Somebody asks to turn your DNSSEC off without proof of being entitled."
        " We ignore it and look into it.",
        Act.REGISTRY,
        "RFC 8078, 4; RFC 7344, 4.1",
    ),
    Reason.DEL_INCONSISTENT: Text(
        "Removal is not asked for by all servers",
        "The delete request is mixed, or not the same on all servers.",
        "Your nameservers do not agree on turning DNSSEC off. All of them must say the"
        " same.",
        Act.OPERATOR,
        "RFC 9975, 3.1",
        "{child}. CDS 0 0 0 00\n{child}. CDNSKEY 0 3 0 AA==",
    ),
}
