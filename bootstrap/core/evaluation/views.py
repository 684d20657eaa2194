"""A verdict's views as plain JSON: for rows, the command line and pages.

The shapes are part of the contract of `manage.py scan --json`. Nothing is decided
by them; the truth is the bundle of evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import dns.rdatatype

from bootstrap.core.dns.names import unrooted
from bootstrap.core.dns.records import Ds, RdataType

if TYPE_CHECKING:
    from datetime import datetime

    from bootstrap.core.dns.names import Name
    from bootstrap.core.dns.records import RRset
    from bootstrap.core.dnssec.chain import Cut, Proof

    from .verdict import Check, ServerView, SignalView

Json = dict[str, Any]
DS_LIKE: Final = frozenset({RdataType.DS, RdataType.CDS})


def check_view(check: Check) -> Json:
    """Return `id`, `result`, `reasons` (each once, in order) and `detail`."""
    return {
        "id": check.id,
        "result": check.mark.value,
        "reasons": list(dict.fromkeys(f.reason.value for f in check.findings)),
        "detail": check.detail,
    }


def server_view(view: ServerView) -> Json:
    """Return what one address said: `answers` has `type`, `reason`, `records`."""
    return {
        "nameserver": unrooted(view.nameserver),
        "server": view.server,
        "answers": [
            {"type": rdtype, "reason": reason, "records": list(records)}
            for rdtype, reason, records in view.answers
        ],
    }


def signal_view(view: SignalView) -> Json:
    """Return one signaling name with a proof, or null, for each of its types."""
    return {
        "nameserver": unrooted(view.nameserver),
        "name": _text(view.name),
        "reasons": [reason.value for reason in view.reasons],
        "cds": proof_view(view.cds) if view.cds else None,
        "cdnskey": proof_view(view.cdnskey) if view.cdnskey else None,
    }


def proof_view(proof: Proof) -> Json:
    """Return what DNSSEC says of one name and type, with every cut on the way."""
    return {
        "name": unrooted(proof.name),
        "type": dns.rdatatype.to_text(proof.rdtype),
        "security": proof.security.value,
        "records": _records(proof.answer.rrset) if proof.answer else [],
        "absence": proof.absence.value if proof.absence else None,
        "zone": _text(proof.zone),
        "signer": _text(proof.signer),
        "cuts": [_cut(cut) for cut in proof.cuts],
        "aliases": [unrooted(alias) for alias in proof.aliases],
        "wildcard": proof.wildcard,
        "not_before": _moment(proof.not_before),
        "not_after": _moment(proof.not_after),
        "flaw": proof.flaw.value if proof.flaw else None,
        "detail": proof.detail,
    }


def _cut(cut: Cut) -> Json:
    return {
        "zone": unrooted(cut.zone),
        "security": cut.security.value,
        "ds": [ds.to_text() for ds in cut.ds],
        "keys": [
            {"tag": key.key_tag, "algorithm": key.algorithm, "sep": key.is_sep}
            for key in cut.keys
        ],
        "flaw": cut.flaw.value if cut.flaw else None,
    }


def _records(rrset: RRset) -> list[str]:
    if rrset.rdtype in DS_LIKE:  # with upper-case hex, as everywhere
        return [Ds.from_wire(rdata).to_text() for rdata in rrset.rdatas]
    return [rdata.to_text() for rdata in rrset.parsed()]


def _text(name: Name | None) -> str | None:
    return unrooted(name) if name is not None else None


def _moment(moment: datetime | None) -> str | None:
    """Return RFC 3339 in UTC with "Z"."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None
