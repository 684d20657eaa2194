"""The parents' primary: what BIND and Knot do with the same updates (F-12, S-62)."""

from __future__ import annotations

import threading

import dns.exception
import dns.query
import dns.rcode
import dns.tsig
import dns.update
import dns.xfr
import dns.zone
import pytest

from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.recipes import Recipe
from bootstrap.lab.servers import OnUpdate
from bootstrap.lab.worlds import Parent, World

from .asking import ask, servers_of
from .conftest import SEED, real_time, small_world

DS = "12345 13 2 " + "AB" * 32
OTHER = "54321 13 2 " + "CD" * 32
NS = ("ns1.lantern.example.", "ns1.harbour.test.")


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    labels = ("empty", "again", "swap", "gone", "batch", "lost", "wrong", "copied")
    world = small_world(**{label: Recipe() for label in labels})
    folder = tmp_path_factory.mktemp("primary")
    with Lab(world, clock=real_time, folder=folder, seed=SEED, prefix="127.55") as lab:
        yield lab


def update(lab, *, zone="alpha.test.", key=None):
    return dns.update.UpdateMessage(zone, keyring=key or lab.built.tsig)


def send(lab, message, *, zone="alpha.test."):
    primary = servers_of(lab, f"ns1.{zone}")[0]
    return dns.query.tcp(message, primary, port=lab.port, timeout=2)


def bootstrap(lab, child, *, ds=DS, nameservers=NS):
    """What a publisher sends for a first DS: both prerequisites, then the record."""
    message = update(lab)
    message.present(child, "NS", *nameservers)
    message.absent(child, "DS")
    message.add(child, 300, "DS", ds)
    return send(lab, message).rcode()


@pytest.mark.parametrize("zone", ["alpha.test.", "beta.test."])
def test_a_ds_is_published_signed_with_its_ttl_on_every_server(parent, zone):
    serial = ask(parent, servers_of(parent, f"ns2.{zone}")[0], zone, "SOA").answer[0]
    message = update(parent, zone=zone)
    message.present("empty", "NS", *NS)
    message.absent("empty", "DS")
    message.add("empty", 300, "DS", DS)

    assert send(parent, message, zone=zone).rcode() == dns.rcode.NOERROR

    for host in ("ns1", "ns2"):
        server = servers_of(parent, f"{host}.{zone}")[0]
        found = ask(parent, server, f"empty.{zone}", "DS").answer
        assert [r.to_text() for r in found[0]] == [DS.lower()]
        assert found[0].ttl == 300
        assert len(found) == 2
        soa = ask(parent, server, zone, "SOA").answer[0]
        assert soa[0].serial == serial[0].serial + 1


def test_a_repeated_bootstrap_is_answered_yxrrset(parent):
    assert bootstrap(parent, "again") == dns.rcode.NOERROR
    assert bootstrap(parent, "again", ds=OTHER) == dns.rcode.YXRRSET
    assert parent.ds_of("again.alpha.test") == (DS,)


@pytest.mark.parametrize(
    "nameservers",
    [NS[:1], (*NS, "ns3.lantern.example."), ("ns1.other.example.", NS[1])],
    ids=["smaller", "larger", "other"],
)
def test_an_ns_set_that_is_not_exactly_the_expected_one_is_nxrrset(parent, nameservers):
    assert bootstrap(parent, "wrong", nameservers=nameservers) == dns.rcode.NXRRSET
    assert parent.ds_of("wrong.alpha.test") == ()


def test_a_replacement_needs_the_exact_old_ds(parent):
    assert bootstrap(parent, "swap") == dns.rcode.NOERROR
    wrong = update(parent)
    wrong.present("swap", "DS", OTHER)
    wrong.replace("swap", 300, "DS", OTHER)
    right = update(parent)
    right.present("swap", "DS", DS)
    right.replace("swap", 300, "DS", OTHER)

    assert send(parent, wrong).rcode() == dns.rcode.NXRRSET
    assert parent.ds_of("swap.alpha.test") == (DS,)
    assert send(parent, right).rcode() == dns.rcode.NOERROR
    assert parent.ds_of("swap.alpha.test") == (OTHER,)


def test_the_whole_ds_set_can_be_removed_and_is_then_proven_absent(parent):
    assert bootstrap(parent, "gone") == dns.rcode.NOERROR
    message = update(parent)
    message.delete("gone", "DS")

    assert send(parent, message).rcode() == dns.rcode.NOERROR
    server = servers_of(parent, "ns1.alpha.test.")[0]
    response = ask(parent, server, "gone.alpha.test.", "DS")
    assert not response.answer
    assert len(response.authority) == 4


def test_one_failing_prerequisite_applies_nothing_of_a_batch(parent):
    message = update(parent)
    message.absent("batch", "DS")
    message.present("swap", "NS", "ns1.other.example.")
    message.add("batch", 300, "DS", DS)

    assert send(parent, message).rcode() == dns.rcode.NXRRSET
    assert parent.ds_of("batch.alpha.test") == ()


def test_a_ds_for_a_name_without_delegation_is_dropped_without_a_word(parent):
    message = update(parent)
    message.add("nobody", 300, "DS", DS)

    assert send(parent, message).rcode() == dns.rcode.NOERROR
    assert parent.ds_of("nobody.alpha.test") == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.add("empty", 300, "NS", "ns1.evil.example."),
        lambda m: m.add("@", 300, "DS", DS),
        lambda m: m.delete("empty"),
        lambda m: m.replace("@", 300, "SOA", "a. b. 1 2 3 4 5"),
    ],
    ids=["NS", "DS of the apex", "whole name", "SOA"],
)
def test_the_key_may_change_nothing_but_ds_of_delegations(parent, change):
    message = update(parent)
    change(message)

    assert send(parent, message).rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize(
    ("name", "secret", "error"),
    [
        ("lab-update.", b"x" * 32, dns.tsig.PeerBadSignature),
        ("other-key.", b"x" * 32, dns.tsig.PeerBadKey),
    ],
)
def test_a_wrong_key_is_named_in_the_answer(parent, name, secret, error):
    message = update(parent, key=dns.tsig.Key(name, secret, "hmac-sha256"))
    message.add("wrong", 300, "DS", DS)

    with pytest.raises(error):
        send(parent, message)

    assert parent.ds_of("wrong.alpha.test") == ()


def test_an_update_without_key_is_refused(parent):
    message = dns.update.UpdateMessage("alpha.test.")
    message.add("wrong", 300, "DS", DS)

    assert send(parent, message).rcode() == dns.rcode.REFUSED


def test_an_update_of_another_servers_zone_is_notauth(parent):
    message = update(parent, zone="gamma.test.")
    message.add("wrong", 300, "DS", DS)

    assert send(parent, message).rcode() == dns.rcode.NOTAUTH


def test_a_lost_reply_hides_an_update_that_was_carried_out(parent):
    parent.on_update("alpha.test", OnUpdate.UNANSWERED)
    message = update(parent)
    message.add("lost", 300, "DS", DS)

    with pytest.raises(dns.exception.Timeout):
        dns.query.tcp(
            message,
            servers_of(parent, "ns1.alpha.test.")[0],
            port=parent.port,
            timeout=0.2,
        )

    parent.on_update("alpha.test", OnUpdate.HONEST)
    assert parent.ds_of("lost.alpha.test") == (DS,)


@pytest.mark.parametrize("signed_request", [False, True])
def test_a_transfer_gives_every_delegation(parent, signed_request):
    server = servers_of(parent, "ns1.beta.test.")[0]
    zone = dns.zone.Zone("beta.test.")
    query, _ = dns.xfr.make_query(
        zone, serial=None, keyring=parent.built.tsig if signed_request else None
    )
    dns.query.inbound_xfr(server, zone, query, port=parent.port, timeout=2)

    assert {r.target.to_text() for r in zone.find_rdataset("copied", "NS")} == set(NS)
    assert zone.find_rdataset("@", "RRSIG", "SOA")


def test_what_was_published_survives_a_restart(tmp_path):
    world = small_world(kept=Recipe())
    first = Lab(world, clock=real_time, folder=tmp_path, prefix="127.56")
    with first as lab:
        assert bootstrap(lab, "kept") == dns.rcode.NOERROR
        keys = first.anchors.read_text()

    with Lab(world, clock=real_time, folder=tmp_path, prefix="127.56") as lab:
        server = servers_of(lab, "ns2.alpha.test.")[0]
        found = ask(lab, server, "kept.alpha.test.", "DS").answer[0]
        soa = ask(lab, server, "alpha.test.", "SOA").answer[0]

        assert [r.to_text() for r in found] == [DS.lower()]
        assert soa[0].serial > 1
        assert lab.anchors.read_text() == keys


def test_a_secondary_follows_after_its_delay(tmp_path):
    world = World(
        parents=(Parent(name="alpha.test", secondary_delay=0.3),),
        operators=small_world().operators,
        children=small_world(late=Recipe()).children[:1],
    )
    with Lab(
        world, clock=real_time, folder=tmp_path, seed=SEED, prefix="127.57"
    ) as lab:
        assert bootstrap(lab, "late") == dns.rcode.NOERROR
        second = servers_of(lab, "ns2.alpha.test.")[0]
        before = ask(lab, second, "late.alpha.test.", "DS").answer
        deadline = threading.Event()
        for _ in range(40):
            if ask(lab, second, "late.alpha.test.", "DS").answer:
                break
            deadline.wait(0.05)

        assert not before
        assert ask(lab, second, "late.alpha.test.", "DS").answer
