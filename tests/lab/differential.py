"""One question, three validators: ours, Unbound's, and delv's (S-41)."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from dns.rdatatype import RdataType

from bootstrap.core.dns.names import out_of_domain, parse_name, signaling_name, unrooted
from bootstrap.core.dnssec.budget import Budget
from bootstrap.core.dnssec.chain import Needs, validate
from bootstrap.core.dnssec.security import Security
from bootstrap.core.evaluation.observations import seen
from bootstrap.core.evaluation.queries import Lookup
from bootstrap.services import conformance
from tests.support.daemons import program

SLOW = frozenset(
    {"silent", "slow", "udp-silent", "dribble", "tcp-silent", "addresses-alone"}
)
"""Behaviours on which every resolver wastes seconds, each its own number."""
MOODY = frozenset({"junk-first", "wrong-question", "garbage"})
"""Behaviours that resolvers retry until they call their servers dead."""
UNASKABLE = frozenset(
    {"X-malformed-signal", "L-signal-malformed", "C-malformed", "F54", "C-empty"}
)
"""Records that no client of ours can read; and a server that denies what exists,
of which a resolver says what it happened to ask first."""
CONTRIVED = ("V-", "K-", "C-limit")
"""Zones that lie record by record, or go past our limits: how far a validator goes
along with them is its own choice."""
WORDS = {
    Security.SECURE: "secure",
    Security.INSECURE: "insecure",
    Security.BOGUS: "refused",
    Security.INDETERMINATE: "refused",
}
DELV = {
    "; fully validated": "secure",
    "; negative response, fully validated": "secure",
    "; unsigned answer": "insecure",
    "; negative response, unsigned answer": "insecure",
}
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Question:
    """A situation, and one name and type of it."""

    situation: str
    what: str
    name: str
    rdtype: str


def questions(lab, situations) -> Iterator[Question]:
    """Yield what is worth asking of each situation."""
    placers = {p.child.situation: p for p in lab.built.children.values()}
    for situation in situations.values():
        placer = placers.get(situation.id)
        if situation.id.startswith(CONTRIVED):
            continue
        if situation.id in UNASKABLE or _is_mixed(situation.recipe):
            continue
        if placer is None or _is_slow(situation.recipe):
            continue
        child = unrooted(placer.apex)
        if situation.recipe.ds or situation.parent:
            yield Question(situation.id, "child", child, "SOA")
        if situation.recipe.signals:
            hosts = {placer.host(t).canonicalize() for t in situation.recipe.signals}
            for host in out_of_domain(placer.apex, sorted(hosts))[-1:]:
                name = unrooted(signaling_name(placer.apex, host))
                yield Question(situation.id, "signal", name, "CDS")
                yield Question(situation.id, "signal", name, "CDNSKEY")


def _is_mixed(recipe) -> bool:
    """Servers that differ: each resolver says what the one it came to told it."""
    return any(signal.first for signal in recipe.signals.values())


def _is_slow(recipe) -> bool:
    behaviours = {*recipe.behaviours.values()}
    signals = {signal.behaviour for signal in recipe.signals.values()}
    is_gone = "unused" in recipe.fixed.values()
    return is_gone or bool((behaviours | signals) & (SLOW | MOODY))


def ours(lab, asked) -> list[str]:
    """Return what our validator says, through our resolver."""

    async def all_of_them():
        async with conformance.scanner_of(lab) as eyes:
            places = asyncio.Semaphore(AT_ONCE)

            async def one(question):
                async with places:
                    return await _one(lab, eyes, question)

            return await asyncio.gather(*map(one, asked))

    return asyncio.run(all_of_them())


async def _one(lab, eyes, question) -> str:
    name, rdtype = parse_name(question.name), RdataType[question.rdtype]
    observations = await eyes.lookup([Lookup(name, rdtype)])
    proof = validate(
        name,
        rdtype,
        seen=seen(observations),
        anchors=conformance.anchors_of(lab),
        now=lab.now(),
        budget=Budget(),
    )
    return "refused" if isinstance(proof, Needs) else WORDS[proof.security]


def unbound(resolver, asked) -> list[str]:
    """Return what Unbound says."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = pool.map(lambda q: resolver.says(q.name, q.rdtype), asked)
        return [word if word in WORDS.values() else "refused" for word in said]


def delv(lab, resolver, asked) -> list[str]:
    """Return what delv makes of the records that Unbound hands on unchecked."""
    tag, algorithm, kind, digest = lab.anchors.read_text().split()[3:7]
    anchor = lab.folder / "delv.anchor"
    anchor.write_text(
        f'trust-anchors {{ . static-ds {tag} {algorithm} {kind} "{digest}"; }};\n'
    )

    def one(question) -> str:
        command = [
            program("delv") or "delv",
            "@127.0.0.1",
            "-p",
            str(resolver.port),
            "-a",
            str(anchor),
            "+root=.",
            "+cdflag",
            question.name,
            question.rdtype,
        ]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=60
        )
        lines = [*done.stdout.splitlines(), *done.stderr.splitlines()]
        return next((DELV[line] for line in lines if line in DELV), "refused")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, asked))
