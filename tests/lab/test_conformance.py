"""Each situation of the catalogue, scanned and judged: what the product must find.

One laboratory has them all under one parent, so one scan of that parent meets
everything that a child, its servers and its operators can do wrong.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from dns.rdatatype import RdataType

from bootstrap.core.dns.hints import read_hints
from bootstrap.core.dns.names import canonical
from bootstrap.core.dns.records import Ds
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.delegation import Delegation, History
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.verdict import judge
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.network import has_ipv6
from bootstrap.lab.situations import catalogue, world_for
from bootstrap.scanner.egress import Egress, networks
from bootstrap.scanner.pacing import Limits
from bootstrap.scanner.scanner import Scanner

from .conftest import SEED, real_time

pytestmark = pytest.mark.slow
SITUATIONS = {i: s for i, s in catalogue().items() if has_ipv6() or not s.ipv6}
AT_ONCE = 48
PATIENCE = Limits(connect=2.0, exchange=2.0, attempts=2)
LATELY = timedelta(days=3)


def delegation_of(lab, placer):
    """Read the delegation from the parent's primary, as a registry would hold it."""
    parent = lab.parent_of(placer.apex)
    zone = parent.primary.zone
    hosts = {canonical(r.target) for r in zone.rrset(placer.apex, RdataType.NS)}
    glue = (
        (host, record.address)
        for host in hosts
        for rdtype in (RdataType.A, RdataType.AAAA)
        for record in zone.rrset(host, rdtype) or ()
    )
    ds = zone.rrset(placer.apex, RdataType.DS) or ()
    return Delegation(
        placer.apex,
        parent.name,
        tuple(sorted(hosts)),
        tuple(sorted(glue)),
        tuple(Ds.from_wire(record.to_wire()) for record in ds),
    )


def history_of(situation):
    """Return what must be remembered for the situation to be told apart."""
    lately = real_time() - LATELY
    return {
        "": History(),
        "newer-inception": History(newest_inception=lately),
        "newer-change": History(oob_change_at=lately),
    }[situation.remembers]


async def verdicts_of(lab):
    anchors = tuple(
        Anchor(Ds.from_text(line.partition(" DS ")[2]))
        for line in lab.anchors.read_text().splitlines()
    )
    room = asyncio.Semaphore(AT_ONCE)
    found = {}
    async with Scanner(
        hints=read_hints(lab.root_hints.read_text()),
        anchors=anchors,
        clock=real_time,
        egress=Egress(allowed=networks(lab.allowed_networks)),
        limits=PATIENCE,
        port=lab.port,
    ) as scanner:

        async def evaluate(placer):
            situation = SITUATIONS[placer.child.situation]
            case = Case(
                delegation_of(lab, placer),
                (),
                anchors,
                AcceptancePolicy(),
                real_time(),
                history=history_of(situation),
            )
            async with room:
                observations = await scanner.observe(case)
            case = replace(case, observations=observations, now=real_time())
            found[situation.id] = judge(case)

        await asyncio.gather(*map(evaluate, lab.built.children.values()))
    return found


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conformance")
    world = world_for(SITUATIONS)
    with Lab(world, clock=real_time, folder=folder, seed=SEED, prefix="127.65") as lab:
        return asyncio.run(verdicts_of(lab))


@pytest.mark.parametrize("identifier", SITUATIONS)
def test_a_situation_is_judged_as_the_catalogue_says(verdicts, identifier):
    wanted, verdict = SITUATIONS[identifier], verdicts[identifier]

    assert verdict.outcome == wanted.outcome, verdict.reasons
    assert verdict.path == wanted.path
    assert set(wanted.codes) <= {str(reason) for reason in verdict.reasons}
