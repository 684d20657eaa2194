"""The catalogue: well written, complete, and served as it says."""

from __future__ import annotations

import os

import dns.dnssec
import dns.exception
import dns.name
import dns.query
import dns.rcode
import dns.update
import pytest
from dns.rdatatype import RdataType

from bootstrap.core.dns.names import signaling_name, wire_length
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.situations import InvalidCatalogue, catalogue, world_for

from .asking import ask, servers_of, types
from .conftest import SEED, real_time
from .oracle import CAN_RUN, unbound

SITUATIONS = catalogue()
WANTED = [
    *(f"F{n}" for n in range(1, 9)),
    *(f"F{n}" for n in range(10, 33)),
    *(f"F{n}" for n in range(40, 61)),
    *(f"F{n}" for n in range(70, 81)),
    *(f"F{n}" for n in range(90, 99)),
    "F122",
]
GOOD = """
[F1]
title = "t"
reference = "r"
served = "s"
path = "bootstrap"
outcome = "accept"
codes = ["ACC_OK"]
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """All situations at once, on the port that Unbound asks."""
    folder = tmp_path_factory.mktemp("catalogue")
    world = world_for(SITUATIONS)
    prefix = f"127.{100 + os.getpid() % 100}"  # others may run the same test
    with Lab(
        world, clock=real_time, folder=folder, seed=SEED, prefix=prefix, port=53
    ) as lab:
        yield lab


@pytest.fixture(scope="module")
def resolver(lab, tmp_path_factory):
    with unbound(lab, tmp_path_factory.mktemp("unbound")) as resolver:
        yield resolver


def placer(lab, identifier):
    return next(
        p for p in lab.built.children.values() if p.child.situation == identifier
    )


def address(lab, identifier, token, number=0):
    found = placer(lab, identifier)
    return lab.built.network.hosts[found.host(token).canonicalize()][number]


def signal(lab, identifier, token):
    found = placer(lab, identifier)
    return signaling_name(found.apex, found.host(token))


def rdata(response):
    return sorted(r.to_wire() for r in (response.answer or [[]])[0])


@pytest.mark.parametrize("number", WANTED)
def test_every_fixture_that_a_server_can_produce_is_there(number):  # P-7.96
    assert any(i == number or i.startswith(f"{number}-") for i in SITUATIONS)


def test_every_code_of_the_catalogue_is_a_reason():
    for situation in SITUATIONS.values():
        for code in (*situation.codes, *situation.afterwards):
            assert code in set(Reason)


@pytest.mark.parametrize(
    ("spoil", "told"),
    {
        "no table": ("F1 = 1", "F1 is not a table"),
        "not TOML": ("[F1", "one.toml"),
        "unknown key": (GOOD + 'colour = "red"', "unknown key 'colour'"),
        "no title": (GOOD.replace('title = "t"', ""), "title is missing"),
        "no codes": (GOOD.replace('codes = ["ACC_OK"]', ""), "codes is missing"),
        "outcome": (GOOD.replace('"accept"', '"perhaps"'), "outcome has no value"),
        "recipe key": (GOOD + "recipe.zone.cdss = []", "unknown key 'cdss'"),
        "recipe type": (GOOD + "recipe.zone.cds = 7", "recipe.zone.cds: 7 is not"),
        "behaviour": (GOOD + 'recipe.behaviours.a1 = "shy"', "no 'shy'"),
        "form": (GOOD + 'recipe.signals.a1.form = "odd"', "no such form"),
        "key": (GOOD + 'recipe.zone.keys = ["k1:boss:13"]', "'k1:boss:13' is no key"),
        "record": (GOOD + 'recipe.zone.cds = ["k9:2"]', "'k9:2' is no record"),
        "hex": (GOOD + 'recipe.ds = ["raw:xyz"]', "'raw:xyz' is no record"),
        "denial": (GOOD + 'recipe.zone.denial = "nsec5"', "no 'nsec5'"),
        "defect": (GOOD + 'recipe.zone.defects = ["tired"]', "'tired'"),
        "denial record": (GOOD + 'recipe.zone.denials = ["@: odd"]', "'@: odd'"),
        "site": (GOOD + 'site.faults = ["X_ODD"]', "no 'X_ODD'"),
        "part": (GOOD + "recipe.zone = 7", "recipe.zone is no table"),
        "token": (GOOD + 'recipe.behaviours.a7 = "silent"', "'a7' is not among"),
        "cut": (GOOD + 'recipe.host_cuts = ["a7"]', "'a7' is not among"),
    }.values(),
)
def test_a_badly_written_situation_is_refused_with_its_place(tmp_path, spoil, told):
    (tmp_path / "one.toml").write_text(spoil)

    with pytest.raises(InvalidCatalogue) as refusal:
        catalogue(tmp_path)

    assert told in str(refusal.value)


def test_an_id_may_not_be_used_twice(tmp_path):
    for name in ("one.toml", "two.toml"):
        (tmp_path / name).write_text(GOOD)

    with pytest.raises(InvalidCatalogue, match="F1 is there twice"):
        catalogue(tmp_path)


@CAN_RUN
class TestServed:
    """What goes over the wire, situation by situation."""

    def test_the_two_lengths_of_a_signaling_name_are_exact(self, lab):
        for identifier, octets in (("F6-255", 240), ("F6-256", 241)):
            found = placer(lab, identifier)
            assert wire_length(found.apex) + wire_length(found.host("a1")) == octets
        assert wire_length(signal(lab, "F6-255", "a1")) == 255

    def test_a_malformed_cds_goes_out_as_it_is(self, lab):
        with pytest.raises(dns.exception.FormError):
            ask(lab, address(lab, "F25", "a1"), placer(lab, "F25").apex, "CDS")

    def test_the_exact_sentinels_are_on_the_wire(self, lab):
        server, apex = address(lab, "F31-exact", "a1"), placer(lab, "F31-exact").apex

        assert rdata(ask(lab, server, apex, "CDS")) == [bytes(5)]
        assert rdata(ask(lab, server, apex, "CDNSKEY")) == [bytes.fromhex("0000030000")]

    def test_one_address_of_a_nameserver_can_be_stale(self, lab):
        apex = placer(lab, "F16").apex
        fresh, stale = (
            rdata(ask(lab, address(lab, "F16", "b1", number), apex, "CDS"))
            for number in (0, 1)
        )

        assert fresh != stale

    def test_two_keys_share_a_tag(self, lab):
        answer = ask(lab, address(lab, "F77", "a1"), placer(lab, "F77").apex, "DNSKEY")

        assert len(answer.answer[0]) == 2
        assert len({dns.dnssec.key_id(key) for key in answer.answer[0]}) == 1

    def test_a_contradicted_type_is_denied_beside_its_neighbour(self, lab):
        server = lab.built.network.hosts[dns.name.from_text("ns1.harbour.test.")][0]
        name = signal(lab, "F60", "b1")

        assert ask(lab, server, name, "CDS").answer
        assert ask(lab, server, name, "CDNSKEY").rcode() == dns.rcode.NXDOMAIN

    def test_a_wildcard_of_the_parent_has_the_ds_of_a_name_that_is_not_there(self, lab):
        apex = placer(lab, "E-wildcard-ds").apex
        (server,) = servers_of(lab, "ns1.beta.test.")
        made = ask(lab, server, apex, "DS")
        (rrsig,) = made.answer[1]

        assert types(made.answer) == [RdataType.DS]
        assert rrsig.labels == len(apex.labels) - 2
        assert types(made.authority) == [RdataType.NSEC3] * 2
        assert not ask(lab, server, apex, "NS").answer

    def test_a_nameserver_may_be_cut_off_and_serve_its_own_address(self, lab):
        host = placer(lab, "E-host-cut").host("g1")
        (above,) = servers_of(lab, "ns1.meadow.example.")
        referral = ask(lab, above, host, "A")
        (own,) = servers_of(lab, str(host))

        assert not referral.flags & dns.flags.AA
        assert [rrset.name for rrset in referral.authority] == [host]
        assert ask(lab, own, host, "A").answer[0][0].address == own

    def test_one_server_has_an_older_address_of_the_other(self, lab):
        apex = placer(lab, "E-moved-host").apex
        fresh, stale = (
            ask(lab, address(lab, "E-moved-host", token), apex, "A").answer
            for token in ("@", "b1")
        )

        assert fresh[0][0].address == address(lab, "E-moved-host", "@")
        assert stale[0][0].address != fresh[0][0].address
        assert stale[1][0].inception < fresh[1][0].inception

    def test_mail_is_at_the_apex_where_the_recipe_has_it(self, lab):
        for identifier, count in (("X-mail", 1), ("F1", 0)):
            server = address(lab, identifier, "a1")
            mail = ask(lab, server, placer(lab, identifier).apex, "MX")

            assert types(mail.answer) == [RdataType.MX] * count


SIGNALS = {
    "F40": "secure",
    "F41": "secure",
    "F42": "secure",
    "F43": "secure",
    "F44": "insecure",
    "F45": "SERVFAIL",
    "F45-stripped": "SERVFAIL",
    "F45-key": "SERVFAIL",
    "F45-dnskey": "SERVFAIL",
    "F46": "SERVFAIL",
    "F47": "SERVFAIL",
    "F48": "secure",
    "F51": "secure",
    "F52": "secure",
    "F53": "secure",
    "F55": "insecure",
    "F57": "secure",
    "F57-nxname": "secure",
    "F58": "secure",  # Unbound takes any ancestor as signer; we do not (P-1.24)
    "F59": "insecure",
    "F61": "SERVFAIL",
}
CHILDREN = {
    "F70": "SERVFAIL",
    "F89": "secure",
    "F90": "secure",
    "F92": "secure",
    "F93": "secure",
    "F94": "SERVFAIL",
    "F95": "insecure",
    "F96": "secure",
}


UNDECIDED = frozenset({"H-slow", "B-udp-silent"})
"""A resolver that begins by UDP gives up on these, depending on its mood."""
OPT_OUT = frozenset({"D-opt-out-child"})
"""Their denials do not prove that a name is absent (RFC 5155, 9.2)."""


@CAN_RUN
class TestUnboundAgrees:
    """A resolver that is not ours finds secure, insecure and bogus where we say so."""

    @pytest.mark.parametrize(("identifier", "expected"), SIGNALS.items())
    def test_of_a_signal(self, lab, resolver, identifier, expected):
        rdtype = "CDNSKEY" if identifier == "F57" else "CDS"

        assert resolver.says(signal(lab, identifier, "b1"), rdtype) == expected

    @pytest.mark.parametrize(
        "identifier", [i for i, e in CHILDREN.items() if i != "F70"]
    )
    def test_of_a_child_with_ds(self, lab, resolver, identifier):
        apex = placer(lab, identifier).apex

        assert resolver.says(apex, "A") == CHILDREN[identifier]

    @pytest.mark.parametrize(
        "identifier",
        [
            s.id
            for s in SITUATIONS.values()
            if (s.path, s.outcome) == ("bootstrap", "accept") and s.id not in UNDECIDED
        ],
    )
    def test_that_a_child_to_be_bootstrapped_is_insecure_at_first(
        self, lab, resolver, identifier
    ):
        assert resolver.says(placer(lab, identifier).apex, "A") == "insecure"


def publish(lab, identifier):
    """Publish the DS that CDS (else CDNSKEY) of the child asks for."""
    found = placer(lab, identifier)
    keys = found._known_keys().values()
    message = dns.update.UpdateMessage("alpha.test.", keyring=lab.built.tsig)
    for key in keys:
        if key.label.startswith("k"):
            message.add(found.apex, 300, "DS", key.ds(found.apex).to_text())
    server = lab.built.parents[dns.name.from_text("alpha.test.")].primary_address
    assert dns.query.tcp(message, server, port=lab.port, timeout=5).rcode() == 0


@CAN_RUN
def test_what_may_be_bootstrapped_validates_once_its_ds_is_published(lab, tmp_path):
    accepted = [
        s.id
        for s in SITUATIONS.values()
        if (s.path, s.outcome) == ("bootstrap", "accept")
        and not s.afterwards
        and not s.parent
        and s.id not in UNDECIDED
    ]
    for identifier in (*accepted, "F70", "F122"):
        publish(lab, identifier)

    with unbound(lab, tmp_path / "after") as resolver:
        found = {i: resolver.says(placer(lab, i).apex, "A") for i in accepted}
        denied = {
            i: resolver.says(f"nope.{placer(lab, i).apex}", "A")
            for i in accepted
            if i not in OPT_OUT
        }
        broken = {i: resolver.says(placer(lab, i).apex, "A") for i in ("F70", "F122")}

    assert {i: f for i, f in found.items() if f != "secure"} == {}
    assert {i: f for i, f in denied.items() if f != "secure"} == {}
    assert set(broken.values()) == {"SERVFAIL"}, broken
