"""RFC 2136 against real primaries: what F-12 of security.md measured, kept true."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import dns.query
import dns.rcode
import dns.tsig
import dns.update
import pytest

from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import Ds
from bootstrap.registry.ports import (
    Change,
    RegistryRefused,
    RegistryUnreachable,
)
from tests.conftest import needs

from .primaries import ADDRESS, PARENT, STRANGER, UPDATER, bind, client, knot

pytestmark = pytest.mark.system

PORTS = {"knot": 5391, "bind": 5392}
MAKERS = {"knot": (knot, ("knotd", "keymgr")), "bind": (bind, ("named",))}
HOSTS = (parse_name("ns1.op.example"), parse_name("ns2.op.example"))
DS = Ds(12345, 13, 2, b"\xab" * 32)
NEW = Ds(54321, 13, 2, b"\xcd" * 32)
THIRD = Ds(11111, 8, 2, b"\xef" * 32)

numbers = count()


@pytest.fixture(scope="module", params=MAKERS)
def port(request, tmp_path_factory):
    make, programs = MAKERS[request.param]
    needs(*programs)
    with make(tmp_path_factory.mktemp(request.param), PORTS[request.param]) as server:
        yield server.port


@pytest.fixture
def child():
    """A child that no other test has touched (40 are delegated)."""
    return parse_name(f"c{next(numbers) % 40}.{PARENT}")


def a_change(child, *, old=(), new=(DS,), **changes) -> Change:
    change = Change(child, parse_name(PARENT), HOSTS, tuple(old), tuple(new), 600)
    return replace(change, **changes)


def refused(port: int, change: Change) -> str:
    with pytest.raises(RegistryRefused) as refusal:
        client(port).publish(change)
    assert refusal.value.request
    assert refusal.value.response
    return refusal.value.rcode


def test_a_first_ds_is_published_with_its_ttl_and_read_back(port, child):
    before = client(port).read_back(child)
    assert before.ds == ()

    receipt = client(port).publish(a_change(child, new=(DS, NEW)))

    assert receipt.rcode == "NOERROR"
    held = client(port).read_back(child)
    assert held.ds == tuple(sorted((DS, NEW)))
    assert held.ttl == 600
    assert (held.serial or 0) > (before.serial or 0) > 0


def test_a_repeated_first_ds_is_refused_as_present(port, child):
    client(port).publish(a_change(child))

    assert refused(port, a_change(child)) == "YXRRSET"
    assert client(port).read_back(child).ds == (DS,)


def test_a_set_is_replaced_whole(port, child):  # S-54
    client(port).publish(a_change(child, new=(DS, THIRD)))
    client(port).publish(a_change(child, old=(THIRD, DS), new=(NEW,)))

    assert client(port).read_back(child).ds == (NEW,)


def test_one_record_of_a_set_may_stay(port, child):
    client(port).publish(a_change(child))
    client(port).publish(a_change(child, old=(DS,), new=tuple(sorted((DS, NEW)))))

    assert client(port).read_back(child).ds == tuple(sorted((DS, NEW)))


def test_a_set_is_removed(port, child):
    client(port).publish(a_change(child))
    client(port).publish(a_change(child, old=(DS,), new=()))

    assert client(port).read_back(child).ds == ()


def test_the_ttl_alone_can_be_changed(port, child):
    client(port).publish(a_change(child))
    client(port).publish(a_change(child, old=(DS,), new=(DS,), ttl=3600))

    held = client(port).read_back(child)
    assert (held.ds, held.ttl) == ((DS,), 3600)


WRONG_OLD = {
    "another set": (NEW,),
    "a smaller set": (DS,),
    "a larger set": (DS, THIRD, NEW),
}


@pytest.mark.parametrize("old", WRONG_OLD.values(), ids=WRONG_OLD)
def test_another_old_set_than_expected_is_left_alone(port, child, old):
    client(port).publish(a_change(child, new=(DS, THIRD)))

    assert refused(port, a_change(child, old=old, new=(NEW,))) == "NXRRSET"
    assert client(port).read_back(child).ds == tuple(sorted((DS, THIRD)))


def test_an_expected_set_that_is_missing_is_not_invented(port, child):
    assert refused(port, a_change(child, old=(DS,), new=(NEW,))) == "NXRRSET"
    assert client(port).read_back(child).ds == ()


WRONG_HOSTS = {
    "another set": (parse_name("ns1.other.example"), HOSTS[1]),
    "a smaller set": HOSTS[:1],
    "a larger set": (*HOSTS, parse_name("ns3.op.example")),
}


@pytest.mark.parametrize("hosts", WRONG_HOSTS.values(), ids=WRONG_HOSTS)
def test_other_nameservers_than_expected_stop_the_change(port, child, hosts):
    assert refused(port, a_change(child, nameservers=hosts)) == "NXRRSET"
    assert client(port).read_back(child).ds == ()


def test_a_name_without_a_delegation_never_gets_a_ds(port):
    nobody = parse_name(f"nobody.{PARENT}")

    assert refused(port, a_change(nobody)) in {"NXRRSET", "NXDOMAIN"}
    assert client(port).read_back(nobody).ds == ()
    with pytest.raises(ValueError, match="no nameservers"):
        a_change(nobody, nameservers=())


def test_the_delegation_is_read_as_the_primary_holds_it(port, child):
    found = client(port).delegation(child)

    assert (found.child, found.nameservers, found.ds) == (child, HOSTS, ())
    missing = client(port).delegation(parse_name(f"nobody.{PARENT}"))
    assert missing.nameservers == ()


def test_an_unknown_key_is_refused_and_nothing_is_applied(port, child):
    with pytest.raises(RegistryRefused) as refusal:
        client(port, STRANGER).publish(a_change(child))

    assert refusal.value.rcode == "BADKEY"
    assert client(port).read_back(child).ds == ()


def test_during_a_rotation_the_second_key_is_tried_and_nothing_fails(port, child):
    """S-81: the file names the new key first, the primary does not know it yet."""
    both = replace(client(port, STRANGER), successor=client(port).key)
    assert both.publish(a_change(child)).rcode == "NOERROR"
    assert both.read_back(child).ds == (DS,)

    neither = replace(client(port, STRANGER), successor=client(port, STRANGER).key)
    with pytest.raises(RegistryRefused) as refusal:
        neither.publish(a_change(child))
    assert refusal.value.rcode == "BADKEY"


def test_a_wrong_secret_is_refused_and_nothing_is_applied(port, child):
    impostor = replace(STRANGER, name=UPDATER.name)
    with pytest.raises(RegistryRefused) as refusal:
        client(port, impostor).publish(a_change(child))

    assert refusal.value.rcode == "BADSIG"
    assert client(port).read_back(child).ds == ()


def test_our_key_can_change_nothing_but_ds(port, child):
    """S-81: the scope of the key is the parent's configuration, tested here."""
    key = client(port).key
    update = dns.update.UpdateMessage(PARENT, keyring=key.keyring(), keyname=key.name)
    update.replace(child, 300, "NS", "evil.example.")
    try:
        rcode = dns.query.tcp(update, ADDRESS, port=port, timeout=5).rcode()
    except dns.tsig.PeerBadKey:  # how Knot says it
        rcode = dns.rcode.REFUSED

    assert rcode == dns.rcode.REFUSED
    assert client(port).delegation(child).nameservers == HOSTS


def test_a_port_where_nobody_listens_is_unreachable_and_nothing_was_sent(child):
    with pytest.raises(RegistryUnreachable) as failure:
        client(5399).publish(a_change(child))

    assert type(failure.value) is RegistryUnreachable
