"""A bundle in prose: what was judged, each check, each chain, what proves what."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from bootstrap.core.dns.names import Name, unrooted
from bootstrap.core.dns.records import Key, RdataType
from bootstrap.core.dnssec.chain import Proof
from bootstrap.core.dnssec.proofs import Cut
from bootstrap.core.dnssec.security import Absence
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.paths import Path
from bootstrap.core.evaluation.steps import STAGES
from bootstrap.core.evaluation.texts import TEXTS
from bootstrap.core.evaluation.verdict import Check, Mark, Outcome, Verdict

from .bundle import Bundle
from .verify import Verification

WIDTH: Final = 88
SEP_FLAG: Final = 0x0001
"""Secure entry point (RFC 4034, section 2.1.1)."""
PATHS: Final = {
    Path.BOOTSTRAP: "the first DS of an insecure child (RFC 8078, RFC 9615)",
    Path.UPDATE: "another DS set for a secure child (RFC 7344)",
    Path.REMOVAL: "the end of DNSSEC for a secure child (RFC 8078, section 4)",
}
OUTCOMES: Final = {
    Outcome.ACCEPT: "accepted: the DS set below may be proposed",
    Outcome.NOTHING: "nothing to do",
    Outcome.HOLD: "held: a person must look first",
    Outcome.REJECT: "rejected",
    Outcome.RETRY: "no decision now: to be tried again",
    Outcome.ERROR: "no decision: the fault was the observer's own",
}
MARKS: Final = {
    Mark.PASS: "passed",
    Mark.FAIL: "FAILED",
    Mark.NOTE: "noted",
    Mark.SKIPPED: "does not apply",
}
ABSENCES: Final = {
    Absence.NODATA: "is not there, although the name exists",
    Absence.NXDOMAIN: "is not there: the name does not exist",
}
_SENTENCES: Final = {stage.id: stage.step.__doc__ or "" for stage in STAGES}


def explanation(evidence: Bundle, found: Verification) -> Iterator[str]:
    """Return the lines that explain a bundle to whoever must judge it."""
    case, verdict = evidence.case, evidence.verdict
    yield from _section("What was judged", _subject(case))
    yield from _section("The verdict", _verdict(verdict, reproduced=found.reproduced))
    yield from _section(
        "The checks, in the order of the standards", _checks(verdict, found)
    )
    yield from _section(_proven_title(found.proofs), _chains(found))
    yield from _section(
        "What is only attested by whoever made this evidence, and proven by nothing in it",
        _attested(found.attested, evidence),
    )


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield ""
    yield from textwrap.wrap(title + ":", WIDTH)
    yield from lines


def _prose(text: str, *, indent: str = "  ") -> Iterator[str]:
    yield from textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent
    )


def _subject(case: Case) -> Iterator[str]:
    delegation = case.delegation
    hosts = _listed(map(unrooted, delegation.nameservers))
    held = _listed(ds.to_text() for ds in delegation.ds) if delegation.ds else "no DS"
    yield from _prose(
        f"{unrooted(delegation.child)}, delegated by {unrooted(delegation.parent)} to"
        f" {hosts}, with {held}. It is judged as of {_moment(case.now)}, whatever the"
        f" time is now, from {len(case.observations)} recorded queries and answers."
    )


def _verdict(verdict: Verdict, *, reproduced: bool) -> Iterator[str]:
    asked = PATHS[verdict.path] if verdict.path else "no change"
    yield from _prose(f"Asked for: {asked}.")
    yield from _prose(f"Outcome: {OUTCOMES[verdict.outcome]}.")
    said = TEXTS[verdict.primary]
    yield from _prose(f"Because: {said.staff} ({verdict.primary.value}; {said.clause})")
    for ds in verdict.candidate:
        yield f"  DS set to publish: {ds.to_text()}"
    if verdict.outcome is Outcome.ACCEPT and not verdict.candidate:
        yield "  DS set to publish: none; the whole set is to be removed"
    if verdict.not_before and verdict.not_after:
        yield from _prose(
            "All signatures that it rests on are in force from"
            f" {_moment(verdict.not_before)} to {_moment(verdict.not_after)}."
        )
    yield from _prose(
        "Judged again from the packets in this file: the same in every part."
        if reproduced
        else "Judged again from the packets in this file: NOT the same; see above."
    )


def _checks(verdict: Verdict, found: Verification) -> Iterator[str]:
    for check in verdict.checks:
        yield from textwrap.wrap(
            _check(check, len(found.inputs.get(check.id, ()))),
            WIDTH,
            initial_indent=f"  {MARKS[check.mark]:<15}",
            subsequent_indent=" " * 17,
        )


def _check(check: Check, messages: int) -> str:
    sentence = _SENTENCES.get(check.id, "").partition("\n")[0] or check.id
    codes = sorted({finding.reason.value for finding in check.findings})
    basis = f"rests on {messages} messages" if messages else ""
    parts = (sentence, ", ".join(codes), check.detail, basis)
    return " · ".join(part for part in parts if part)


def _proven_title(proofs: tuple[Proof, ...]) -> str:
    if not proofs:
        return "DNSSEC proves nothing of it from these trust anchors"
    return (
        "What DNSSEC proves from the trust anchors down, whoever made this file, for"
        " any time within the signatures' validity"
    )


def _chains(found: Verification) -> Iterator[str]:
    for proof in found.proofs:
        yield from _prose(_claim(proof))
        for cut in proof.cuts:
            yield f"      {_link(cut)}"


def _claim(proof: Proof) -> str:
    what = f"{unrooted(proof.name)} {RdataType.to_text(proof.rdtype)}"
    if proof.absence:
        shown = f"{what} {ABSENCES[proof.absence]}"
    else:
        count = len(proof.answer.rrset.rdatas) if proof.answer else 0
        shown = f"{what} is there ({count} record{'s' if count != 1 else ''})"
    signer = f", signed by {_zone(proof.signer)}" if proof.signer else ""
    return f"{shown}{signer}, valid {validity(proof)}; from the root:"


def validity(proof: Proof) -> str:
    """Return the time that all signatures relied on have in common."""
    return f"{_moment(proof.not_before)} to {_moment(proof.not_after)}"


def _link(cut: Cut) -> str:
    source = "trust anchor" if cut.zone.labels == (b"",) else "DS"
    tags = _listed(str(ds.key_tag) for ds in cut.ds) or "none"
    keys = _listed(_key(key) for key in cut.keys) or "no keys seen"
    return f"{_zone(cut.zone)}: {cut.security.value}; {source} {tags} → {keys}"


def _key(key: Key) -> str:
    kind = "key-signing key" if key.flags & SEP_FLAG else "zone-signing key"
    return f"{kind} {key.key_tag} (algorithm {key.algorithm})"


def _attested(statements: Iterable[str], evidence: Bundle) -> Iterator[str]:
    for statement in statements:
        yield from textwrap.wrap(
            statement, WIDTH, initial_indent="  - ", subsequent_indent="    "
        )
    anchors = _listed(anchor.ds.to_text() for anchor in evidence.case.anchors)
    yield from textwrap.wrap(
        f"that these were the anchors to start from: {anchors}. Give your own with"
        " --anchor, and this no longer rests on anybody's word",
        WIDTH,
        initial_indent="  - ",
        subsequent_indent="    ",
    )


def _zone(zone: Name) -> str:
    return unrooted(zone) if zone.labels != (b"",) else "the root"


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "an unknown time"


def _listed(words: Iterable[str]) -> str:
    *head, last = list(words) or [""]
    return f"{', '.join(head)} and {last}" if head else last
