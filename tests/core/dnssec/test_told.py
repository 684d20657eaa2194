"""Every answer of a chain, spoiled in every way: what the proof then says (told.txt).

After a change that is meant: `python -m tests.core.dnssec.test_told`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import dns.rcode

from bootstrap.core.dnssec.proofs import Cut, Proof, Question
from tests.support.signed import (
    CDS,
    DAY,
    NOW,
    SIGNAL,
    Tree,
    a_signer,
    a_tree,
    coded,
    n,
    stripped,
    without,
)

TOLD = Path(__file__).with_name("told.txt")
SIGNALING = "_signal.ns1.example.net"


def odd_zones(denial: str) -> Tree:
    """Return a tree with aliases, wildcards, an unsigned zone and opt-out."""
    tree = Tree()
    tree.zone(".", a_signer(13, "root"), denial=denial)
    zone = tree.zone("z", a_signer(13, "z"), denial=denial)
    zone.put("end.z", "A", "192.0.2.1")
    zone.put("*.wild.z", "A", "192.0.2.9")
    zone.put("alias.z", "CNAME", "end.y.")
    zone.put("loop.z", "CNAME", "loop.z.")
    zone.put("old.z", "DNAME", "y.")
    zone.put("out.z", "CNAME", "www.plain.")
    tree.zone("y", a_signer(13, "y"), denial=denial).put("end.y", "A", "192.0.2.3")
    plain = tree.zone("plain")
    plain.put("www.plain", "A", "192.0.2.2")
    plain.put("in.plain", "CNAME", "end.z.")
    return tree


def opt_out(_denial: str) -> Tree:
    tree = odd_zones("nsec3")
    tree.zones[n("z")].opt_out = True
    tree.zones[n("z")].put("sub.z", "NS", "ns.sub.z.")
    tree.zone("sub.z").put("www.sub.z", "A", "192.0.2.4")
    return tree


def iterated(_denial: str) -> Tree:
    tree = odd_zones("nsec3")
    tree.zones[n("z")].iterations = 51
    return tree


def signal(denial: str) -> Tree:
    tree = a_tree(denial=denial)
    tree.zones[n(SIGNALING)].put(f"x.{SIGNALING}", "CDS", CDS)
    return tree


WALKS: dict[str, tuple[Callable[[str], Tree], str, str]] = {
    "a signal": (signal, SIGNAL, "CDS"),
    "no such type": (signal, SIGNAL, "CDNSKEY"),
    "no such name": (signal, f"_dsboot.other.ch.{SIGNALING}", "CDS"),
    "an alias": (odd_zones, "alias.z", "A"),
    "an alias to itself": (odd_zones, "loop.z", "A"),
    "a DNAME": (odd_zones, "end.old.z", "A"),
    "an alias out of security": (odd_zones, "out.z", "A"),
    "an alias into security": (odd_zones, "in.plain", "A"),
    "an unsigned name": (odd_zones, "www.plain", "A"),
    "nothing where nothing is signed": (odd_zones, "gone.plain", "A"),
    "DS of an unsigned zone": (odd_zones, "plain", "DS"),
    "DS of a signed zone": (odd_zones, "y", "DS"),
    "keys": (odd_zones, "y", "DNSKEY"),
    "a wildcard": (odd_zones, "any.wild.z", "A"),
    "a wildcard without the type": (odd_zones, "any.wild.z", "TXT"),
    "an empty name": (odd_zones, "wild.z", "A"),
}
HASHED: dict[str, tuple[Callable[[str], Tree], str, str]] = {
    "below an opt-out": (opt_out, "www.sub.z", "A"),
    "nothing under opt-out": (opt_out, "gone.z", "A"),
    "a wildcard under opt-out": (opt_out, "any.wild.z", "A"),
    "too many iterations": (iterated, "gone.z", "A"),
    "a wildcard with too many": (iterated, "any.wild.z", "A"),
}


def both(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Let a second server answer well."""
    return lambda message: (change(coded_copy(message)), message)


def coded_copy(message: Any) -> Any:
    twin = type(message)(message.id)
    twin.__dict__.update(message.__dict__)
    twin.sections = [list(section) for section in message.sections]
    return twin


SPOILED: dict[str, Callable[[Any], Any]] = {
    "stripped": stripped,
    "silent": lambda _message: (),
    "NXDOMAIN": coded(dns.rcode.NXDOMAIN),
    "without proof": lambda message: without(without(message, "NSEC"), "NSEC3"),
    "stripped at one server": both(stripped),
}
FULLY: Final = "nsec"
"""The kind of denial for which every answer is spoiled; for others the last two."""


def told() -> str:
    """Return every walk, and what is said when one of its answers is spoiled."""
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    for denial in (FULLY, "nsec3", "compact"):
        for walk, (make, name, rdtype) in WALKS.items():
            title, fully = f"{walk}, {denial}", denial == FULLY
            yield from spoiled(title, make(denial), name, rdtype, fully=fully)
    for walk, (make, name, rdtype) in HASHED.items():
        yield from spoiled(walk, make("nsec3"), name, rdtype, fully=False)


def spoiled(
    title: str, tree: Tree, name: str, rdtype: str, *, fully: bool
) -> Iterator[str]:
    yield f"{title}: {said(tree.prove(name, rdtype))}"
    yield f"  a month later: {said(tree.prove(name, rdtype, now=NOW + 30 * DAY))}"
    usual = said(tree.prove(name, rdtype))
    asked_for = tuple(tree.questions)
    for question in asked_for if fully else asked_for[-2:]:
        for what, change in SPOILED.items():
            tree.tampering[question] = change
            proof = said(tree.prove(name, rdtype))
            del tree.tampering[question]
            if proof != usual:
                yield f"  {asked(question)} {what}: {proof}"


def asked(question: Question | None) -> str:
    if question is None:
        return "nobody"
    return f"{_short(question.name)} {question.rdtype.name} in {_short(question.zone)}"


def _cut(cut: Cut) -> str:
    why = f" ({cut.flaw})" if cut.flaw else ""
    return f"{_short(cut.zone)}={cut.security.value[:3]}{why}"


def _short(name: object) -> str:
    return str(name).replace("_signal.ns1.example.net.", "~")


def said(proof: Proof) -> str:
    """Return all that a proof says; tags of keys are not the same twice.

    A tilde is the signaling zone.
    """
    parts = [
        proof.security.value,
        proof.flaw.value if proof.flaw else "",
        re.sub(r"key \d+", "a key", proof.detail),
        proof.absence.value if proof.absence else "",
        f"{len(proof.answer.rrset.rdatas)} records" if proof.answer else "",
        f"zone {_short(proof.zone)}",
        f"by {_short(proof.signer)}" if proof.signer else "",
        "via " + " ".join(map(str, proof.aliases)) if proof.aliases else "",
        "wildcard" if proof.wildcard else "",
        "mixed" if proof.mixed_servers else "",
        " ".join(map(_cut, proof.cuts)),
        f"{proof.not_before:%d} to {proof.not_after:%d}" if proof.not_before else "",
        f"blame {asked(proof.blame)}" if proof.blame else "",
    ]
    return " | ".join(part for part in parts if part)


def test_each_chain_with_one_answer_spoiled_is_told_in_full():
    expected, found = TOLD.read_text().splitlines(), told().splitlines()

    for before, after in zip(expected, found, strict=True):
        assert after == before


if __name__ == "__main__":
    TOLD.write_text(told())
