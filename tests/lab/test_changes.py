"""A laboratory is changed while it runs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import dns.dnssec
import dns.exception
import dns.name
import dns.rcode
import pytest

from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.recipes import Recipe, SignalRecipe, ZoneRecipe
from bootstrap.lab.scenes import demo_world, many

from .asking import ask, servers_of
from .conftest import SEED, real_time, small_world

THEN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def lab(tmp_path):
    world = small_world(
        child=Recipe(),
        broken=Recipe(
            zone=ZoneRecipe(defects=("corrupt:@:CDS",)),
            signals={"b1": SignalRecipe(form="absent")},
            ds=("k1:2",),
        ),
    )
    with Lab(
        world, clock=real_time, folder=tmp_path, seed=SEED, prefix="127.60"
    ) as lab:
        yield lab


def signal(lab, host, child="child"):
    name = f"_dsboot.{child}.alpha.test._signal.{host}"
    server = servers_of(lab, f"ns1.{host.partition('.')[2]}")[0]
    return ask(lab, server, name, "CDS")


def cds(lab, child="child", host="ns1.lantern.example."):
    return ask(lab, servers_of(lab, host)[0], f"{child}.alpha.test.", "CDS").answer


def verifies(lab, child):
    server = servers_of(lab, "ns1.lantern.example.")[0]
    keys = ask(lab, server, f"{child}.alpha.test.", "DNSKEY").answer[0]
    rrset, rrsig = cds(lab, child)
    try:
        dns.dnssec.validate(rrset, rrsig, {keys.name: keys})
    except dns.exception.ValidationFailure:
        return False
    return True


def test_a_signal_can_be_withdrawn_and_published_again(lab):
    assert signal(lab, "ns1.harbour.test.").answer

    lab.withdraw_signal("child.alpha.test", "b1")
    assert signal(lab, "ns1.harbour.test.").rcode() == dns.rcode.NXDOMAIN
    assert signal(lab, "ns1.lantern.example.").answer

    lab.publish_signal("child.alpha.test", "b1")
    assert signal(lab, "ns1.harbour.test.").answer


def test_mending_removes_every_defect_and_keeps_the_ds(lab):
    assert not verifies(lab, "broken")
    ds = lab.ds_of("broken.alpha.test")

    lab.mend("broken.alpha.test")

    assert verifies(lab, "broken")
    assert signal(lab, "ns1.harbour.test.", "broken").answer
    assert lab.ds_of("broken.alpha.test") == ds != ()


def test_other_nameservers_are_delegated_and_serve_at_once(lab):
    lab.set_nameservers("child.alpha.test", ("a1", "a2"))

    for parent in ("ns1.alpha.test.", "ns2.alpha.test."):
        referral = ask(lab, servers_of(lab, parent)[0], "child.alpha.test.", "A")
        hosts = {record.target.to_text() for record in referral.authority[0]}
        assert hosts == {"ns1.lantern.example.", "ns2.lantern.example."}
    assert signal(lab, "ns2.lantern.example.").answer
    assert signal(lab, "ns1.harbour.test.").rcode() == dns.rcode.NXDOMAIN
    gone = servers_of(lab, "ns1.harbour.test.")[0]
    assert ask(lab, gone, "child.alpha.test.", "SOA").rcode() == dns.rcode.REFUSED


def test_a_key_can_be_rolled(lab):
    before = cds(lab)[0]

    rolled = ZoneRecipe(keys=("k1:csk:13", "k2:csk:13"), cds=("k2:2",), cdnskey=("k2",))
    lab.rework("child.alpha.test", Recipe(zone=rolled))

    assert set(cds(lab)[0]).isdisjoint(before)
    assert signal(lab, "ns1.harbour.test.").answer[0][0] == cds(lab)[0][0]


def test_a_server_can_take_up_a_bad_habit(lab):
    server = servers_of(lab, "ns1.lantern.example.")[0]
    lab.behave(server, "refused", below="child.alpha.test")

    assert ask(lab, server, "child.alpha.test.", "CDS").rcode() == dns.rcode.REFUSED
    assert ask(lab, server, "broken.alpha.test.", "CDS").rcode() == dns.rcode.NOERROR


def test_time_can_be_set_and_signatures_follow_or_grow_old(lab):
    lab.set_time(THEN)
    fresh = cds(lab)[1][0]
    lab.set_time(THEN + timedelta(days=30), resign=False)
    old = cds(lab)[1][0]
    lab.set_time(THEN + timedelta(days=30))
    renewed = cds(lab)[1][0]

    assert fresh.inception <= THEN.timestamp() <= fresh.expiration
    assert old == fresh
    assert renewed.inception > fresh.expiration


def test_what_was_signed_days_ago_is_signed_afresh_whatever_changed_since(lab):
    lab.set_time(THEN)
    old = cds(lab, "broken")[1][0]
    lab.set_time(THEN + timedelta(days=3), resign=False)
    lab.rework("child.alpha.test", Recipe())
    lab._inside(lab._refresh)

    assert cds(lab, "broken")[1][0].inception > old.inception


def test_two_starts_with_one_seed_have_the_same_keys(tmp_path):
    anchors = []
    for folder in ("one", "two"):
        world = small_world(child=Recipe())
        lab = Lab(world, clock=real_time, folder=tmp_path / folder, seed=SEED)
        found = lab.built.children[dns.name.from_text("child.alpha.test.")]
        anchors.append(found._known_keys()["k1"].key)

    assert anchors[0] == anchors[1]


def test_a_busy_port_is_told_and_leaves_nothing_open(lab, tmp_path):
    second = Lab(
        small_world(),
        clock=real_time,
        folder=tmp_path / "second",
        prefix="127.60",
        port=lab.port,
    )

    with pytest.raises(OSError, match="in use"):
        second.start()


async def _entered(lab):
    async with lab as running:
        assert running.port
    return running


def test_a_laboratory_is_an_asynchronous_context_too(tmp_path):

    lab = Lab(small_world(), clock=real_time, folder=tmp_path, prefix="127.61")
    assert asyncio.run(_entered(lab)) is lab


def test_the_demo_has_two_policies_and_a_dozen_children(tmp_path):
    with Lab(demo_world(), clock=real_time, folder=tmp_path, prefix="127.62") as lab:
        told = json.loads((tmp_path / "manifest.json").read_text())
        library = "_dsboot.library.alpha.test._signal.ns2.harbour.test."
        partial = ask(lab, servers_of(lab, "ns1.harbour.test.")[0], library, "CDS")
        castle = lab.ds_of("castle.alpha.test")

    assert [parent["policy"] for parent in told["parents"]] == ["auto", "review"]
    assert len(told["children"]) >= 12
    assert partial.rcode() == dns.rcode.NXDOMAIN
    assert len(castle) == 1


def test_many_children_differ_though_they_share_a_key(tmp_path):
    world = many(50, share_good=80)
    with Lab(world, clock=real_time, folder=tmp_path, prefix="127.63") as lab:
        lab.warm()
        server = servers_of(lab, "ns1.harbour.test.")[0]
        answers = [
            ask(lab, server, f"d{number:06}.alpha.test.", "CDS").answer
            for number in range(50)
        ]

    assert [bool(answer) for answer in answers] == [True] * 40 + [False] * 10
    assert len({answer[0][0].digest for answer in answers[:40]}) == 40
    assert len({answer[0][0].key_tag for answer in answers[:40]}) == 1


def test_the_command_serves_until_it_is_told_to_end(tmp_path):
    command = [
        sys.executable,
        "-m",
        "bootstrap.lab",
        str(tmp_path),
        "--prefix",
        "127.64",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    process.terminate()

    assert process.wait(timeout=10) == 0
    process.stdout.close()
    assert {parent["name"] for parent in told["parents"]} == {"alpha.test", "beta.test"}
