"""A dossier checked in full: the log's part, then every bundle judged again.

`tlog.dossier_checks` shows that the entries are in the log and that they belong
to the octets of the evidence. Here the evidence itself speaks: its verdict comes
out the same, and it asks for the very DS set that was approved (P-8.26).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bootstrap.core.dns.names import unrooted
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.evaluation.paths import AuthMethod
from bootstrap.core.tlog import dossier, dossier_checks, notes
from bootstrap.core.tlog.dossier import Dossier, DossierMalformed
from bootstrap.core.tlog.dossier_checks import Checked
from bootstrap.core.tlog.story import Told
from bootstrap.core.workflow.lifecycle import TRANSITIONS

from .bundle import Bundle
from .shown import Showing, showings
from .verify import Verification, verify

BY_HAND: Final = frozenset({AuthMethod.MANUAL.value, AuthMethod.EPP.value})
"""Changes that rest on a person's word: the evidence asks for nothing."""
ARROWS: Final = frozenset((str(old), str(new)) for (old, _), new in TRANSITIONS.items())


@dataclass(frozen=True, slots=True)
class Whole:
    """What came of checking a dossier; without `faults` everything holds."""

    faults: tuple[str, ...]
    dossier: Dossier | None = None
    checked: Checked | None = None
    evidence: tuple[Verification, ...] = ()
    shown: tuple[Showing, ...] = ()
    """What servers of the parent showed after the publication (P-8.10)."""

    @property
    def holds(self) -> bool:
        """Nothing speaks against it."""
        return not self.faults


def check(
    octets: bytes, key: notes.VerifierKey, *, anchors: tuple[Anchor, ...] = ()
) -> Whole:
    """Check a dossier against the log's key; `anchors` replace those in its evidence."""
    try:
        found = dossier.decode(octets)
    except DossierMalformed as exc:
        return Whole((str(exc),))
    checked = dossier_checks.check(found, key, ed25519)
    if not checked.holds:
        return Whole(checked.faults, found, checked)
    judged = tuple(
        verify(bundle, anchors=anchors) for _, bundle in sorted(found.evidence.items())
    )
    shown = tuple(_shown(found, checked, judged, anchors))
    faults = (
        *_arrows(checked.told),
        *_judged(judged),
        *_asked(found, judged),
        *_otherwise(shown),
    )
    return Whole(faults, found, checked, judged, shown)


def lines(found: Whole) -> Iterator[str]:
    """Yield in words what does not hold, then what the dossier says."""
    yield from (f"WRONG: {fault}" for fault in found.faults)
    checked = found.checked
    if found.dossier is None or checked is None:
        return
    proposal = found.dossier.proposal
    yield f"proposal {proposal} of {found.dossier.stream}: {checked.state or 'unknown'}"
    if checked.checkpoint:
        head = checked.checkpoint
        yield f"log {head.origin}, {head.size} entries, root {head.root.hex()}"
    for told in checked.told:
        who = " ".join(told.actor)
        yield f"{told.at:%Y-%m-%dT%H:%M:%SZ} {told.type} by {who} ({told.name})"
    for each in found.evidence:
        yield f"evidence {each.address} judged again"
    for showing in found.shown:
        yield _told(showing)
    if found.dossier.exported:
        yield f"attested only: {found.dossier.exported}"


def as_json(found: Whole) -> dict[str, object]:
    """Return the same for machines."""
    checked, of = found.checked, found.dossier
    head = checked.checkpoint if checked else None
    told = checked.told if checked else ()
    return {
        "holds": found.holds,
        "faults": list(found.faults),
        "proposal": str(of.proposal) if of else None,
        "stream": of.stream if of else None,
        "state": checked.state if checked else "",
        "origin": head.origin if head else None,
        "size": head.size if head else None,
        "root": head.root.hex() if head else None,
        "entries": [{"file": each.name, "type": each.type} for each in told],
        "evidence": [each.address for each in found.evidence],
        "shown": [
            {
                "entry": each.entry,
                "server": each.server,
                "ds": list(each.ds),
                "signed": not each.doubt and not each.wrong,
                "doubt": each.doubt,
            }
            for each in found.shown
        ],
    }


def _told(showing: Showing) -> str:
    ds = ", ".join(showing.ds) or "no DS"
    proof = (
        f"attested only: {showing.doubt}" if showing.doubt else "signed by the parent"
    )
    return f"{showing.at:%Y-%m-%dT%H:%M:%SZ} {showing.server} showed {ds} ({proof})"


def ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether an Ed25519 signature is right."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _shown(
    found: Dossier,
    checked: Checked,
    judged: Sequence[Verification],
    anchors: tuple[Anchor, ...],
) -> Iterator[Showing]:
    """Read the messages against the evidence that the proposal names."""
    wanted = json.loads(found.canonical)["evidence"]
    for each in judged:
        if each.address == wanted and each.evidence is not None:
            case = each.evidence.case
            case = replace(case, anchors=anchors or case.anchors)
            yield from showings(checked.told, found.messages, case)


def _otherwise(shown: Sequence[Showing]) -> Iterator[str]:
    for each in shown:
        if each.wrong:
            ds = ", ".join(each.ds) or "no DS"
            yield f"{each.entry}: {each.server} showed {ds}, but its message {each.wrong}"


def _arrows(told: Sequence[Told]) -> Iterator[str]:
    for each in told:
        move = (each.data.get("from"), each.data.get("to"))
        if each.moves and move not in ARROWS:
            yield f"{each.name}: nothing goes from {move[0]} to {move[1]}"


def _judged(judged: Sequence[Verification]) -> Iterator[str]:
    for each in judged:
        name = dossier.EVIDENCE.format(each.address)
        if each.damage:
            yield f"{name}: {each.damage}"
        for difference in each.differences:
            yield f"{name}: judged again, {difference.part} is {difference.again}"


def _asked(found: Dossier, judged: Sequence[Verification]) -> Iterator[str]:
    """Hold the approved change to the verdict of the evidence that it names."""
    proposal = json.loads(found.canonical)
    name = dossier.EVIDENCE.format(proposal["evidence"])
    for each in judged:
        if each.address != proposal["evidence"] or each.evidence is None:
            continue
        for part, asked, approved in _compared(each.evidence, proposal):
            if asked != approved:
                yield f"{name}: its {part} is {asked}, but {approved} was approved"


def _compared(
    evidence: Bundle, proposal: dict[str, Any]
) -> Iterator[tuple[str, object, object]]:
    """Yield what evidence and proposal both say: a part, and its two forms."""
    child = unrooted(evidence.case.delegation.child)
    yield "child", child, proposal["child"]
    if proposal["auth_method"] in BY_HAND:
        return
    verdict = evidence.verdict
    path, method = verdict.path, verdict.auth_method
    yield "path", path and path.value, proposal["path"]
    yield "method", method and method.value, proposal["auth_method"]
    yield "DS set", sorted(ds.to_text() for ds in verdict.candidate), proposal["new_ds"]
