"""What is asked, of whom, in which order, and what never is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bootstrap.core.dns.names import parse_name, signaling_name
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.chain import Needs
from bootstrap.core.evaluation.answers import USED_TYPES
from bootstrap.core.evaluation.observations import Trouble
from bootstrap.core.evaluation.plan import APEX_TYPES, next_questions, probe_name
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.queries import Carrier, Lookup, Plan
from tests.support.cases import (
    CHILD,
    CSK,
    DELETE,
    NS1,
    NS2,
    SERVERS,
    Proofs,
    Signer,
    Zone,
    a_case,
    a_delegation,
    absent,
    addresses,
    all_good,
    an_observation,
    found,
    observed,
)


def an_empty_case(**spoiled):
    return replace(a_case(**spoiled), observations=())


def test_the_first_round_asks_for_all_addresses_and_the_published_ds():  # P-2.2
    plan = next_questions(an_empty_case(), Proofs())

    assert set(plan.lookups) == {
        Lookup(NS1, RdataType.A),
        Lookup(NS1, RdataType.AAAA),
        Lookup(NS2, RdataType.A),
        Lookup(NS2, RdataType.AAAA),
        Lookup(CHILD, RdataType.DS),
    }
    assert not plan.queries


def test_a_family_that_our_site_lacks_is_neither_looked_up_nor_asked():
    policy = AcceptancePolicy(skip_families=(6,))
    delegation = a_delegation(glue=((NS1, "2001:db8::1"), (NS1, "192.0.2.1")))
    case = an_empty_case(policy=policy, delegation=delegation)

    first = next_questions(case, Proofs())
    second = next_questions(case, addresses())

    assert RdataType.AAAA not in {lookup.rdtype for lookup in first.lookups}
    assert all(":" not in query.server for query in second.queries)


def test_the_second_round_asks_every_address_by_tcp_and_every_signaling_name():  # P-1.7, P-1.15, P-1.31, P-2.4 to P-2.11
    plan = next_questions(an_empty_case(), addresses())

    assert {query.server for query in plan.queries} == {"192.0.2.1", "198.51.100.2"}
    assert all(query.carrier is Carrier.TCP for query in plan.queries)
    assert len(plan.queries) == 2 * (len(APEX_TYPES) + 1)
    assert set(plan.lookups) == {
        Lookup(signaling_name(CHILD, host), rdtype)
        for host in (NS1, NS2)
        for rdtype in (RdataType.CDS, RdataType.CDNSKEY)
    }


def test_an_update_asks_for_no_signals():  # P-2.12
    delegation = a_delegation(ds=(CSK.ds(),))

    plan = next_questions(an_empty_case(delegation=delegation), addresses())

    assert not plan.lookups
    assert plan.queries


def test_glue_and_look_ups_are_asked_as_one_set_of_addresses():  # P-3.25, P-8.4
    host = parse_name("ns.example.ch")
    delegation = a_delegation(nameservers=(NS1, host), glue=((host, "192.0.2.53"),))
    proofs = addresses({NS1: ("192.0.2.1",), host: ("192.0.2.54",)})

    plan = next_questions(an_empty_case(delegation=delegation), proofs)

    servers = {query.server for query in plan.queries}
    assert servers == {"192.0.2.1", "192.0.2.53", "192.0.2.54"}
    signaling = {lookup.name for lookup in plan.lookups}
    assert signaling == {signaling_name(CHILD, NS1)}


def test_nothing_is_asked_twice_and_a_complete_case_asks_nothing():
    case = a_case()
    partial = replace(case, observations=case.observations[1:])

    assert next_questions(partial, all_good()).queries == (case.observations[0].query,)
    assert not next_questions(case, all_good())


def test_a_server_that_was_silent_is_not_asked_again_but_tried_by_udp():
    types = (*APEX_TYPES, *USED_TYPES)
    silent = {("192.0.2.1", t.name): Trouble.TIMEOUT for t in types}
    case = a_case(spoiled={**silent, ("192.0.2.1", "probe"): Trouble.TIMEOUT})

    plan = next_questions(case, all_good())

    (query,) = plan.queries
    assert (query.server, query.rdtype, query.carrier) == (
        "192.0.2.1",
        RdataType.SOA,
        Carrier.ANY,
    )
    tried = observed(
        case, replace(an_observation("", RdataType.SOA, Trouble.TIMEOUT), query=query)
    )
    assert not next_questions(tried, all_good())


def test_hosts_that_only_the_child_names_are_asked_in_the_third_round():
    extra = parse_name("ns3.operator.com")
    zone = Zone(records={"NS": ["ns1.operator.net.", "NS3.operator.com."]})
    case = a_case(zones={"192.0.2.1": zone, "198.51.100.2": zone})

    first = next_questions(case, all_good())
    proofs = all_good()
    proofs.put(found(extra, RdataType.A, [bytes([203, 0, 113, 3])]))
    proofs.put(absent(extra, RdataType.AAAA))
    then = next_questions(case, proofs)

    assert {lookup.name for lookup in first.lookups} == {extra}
    assert {query.server for query in then.queries} == {"203.0.113.3"}


def test_a_child_that_asks_for_nothing_has_no_third_round():
    zone = Zone(records={"CDS": None, "CDNSKEY": None, "NS": ["ns3.operator.com."]})
    case = a_case(zones={"192.0.2.1": zone, "198.51.100.2": zone})

    assert not next_questions(case, all_good(zone))


@pytest.mark.parametrize("status", ["pendingDelete", "serverHold", "clientHold"])
def test_a_child_whose_status_forbids_it_is_asked_nothing(status):
    case = an_empty_case(delegation=a_delegation(statuses=(status,)))

    assert not next_questions(case, Proofs())


def test_caps_stop_the_questions():  # P-1.70
    hosts = tuple(parse_name(f"ns{n}.operator.net") for n in range(14))
    crowd = {NS1: tuple(f"192.0.2.{n}" for n in range(1, 10)), NS2: SERVERS[NS2]}

    many_names = next_questions(
        an_empty_case(delegation=a_delegation(nameservers=hosts)), Proofs()
    )
    many_addresses = next_questions(an_empty_case(), addresses(crowd))

    assert many_names == Plan(lookups=(Lookup(CHILD, RdataType.DS),))
    assert not many_addresses.queries


def test_the_name_that_should_not_exist_depends_on_the_case_alone():
    case = a_case()

    name = probe_name(case)
    assert name is not None
    assert name == probe_name(a_case())
    assert name != probe_name(replace(case, now=case.now.replace(hour=13)))
    assert name.parent() == CHILD


def test_a_child_with_no_room_for_a_label_has_no_probe():
    child = parse_name(".".join(["a" * 63] * 3 + ["b" * 60]))
    case = replace(a_case(), delegation=a_delegation(child=child))

    assert probe_name(case) is None


def test_needs_is_what_makes_a_look_up_pending():
    assert isinstance(Proofs()(CHILD, RdataType.DS), Needs)


def used(plan: Plan) -> set[tuple[str, RdataType]]:
    return {(q.server, q.rdtype) for q in plan.queries if q.rdtype in USED_TYPES}


INSIDE = parse_name("ns.example.ch")


def signals_of(zone: Zone) -> Proofs:
    return all_good(zone)


ALL_USES = {(server, t) for server in ("192.0.2.1", "198.51.100.2") for t in USED_TYPES}
OTHER = Signer("new")
ROLLING = Zone(signers=(CSK, OTHER), requested=(OTHER,))
ASKS: dict[str, tuple[dict[str, Any], Proofs, bool]] = {
    "a first DS with all signals": ({}, all_good(), True),
    "another DS": ({"zone": ROLLING, "ds": (CSK.ds(),)}, all_good(), True),
    "the DS that is there": ({"ds": (CSK.ds(),)}, all_good(), False),
    "no DS any more": (
        {"zone": Zone(records=DELETE), "ds": (CSK.ds(),)},
        all_good(),
        False,
    ),
    "a first DS, and nobody vouches": (
        {},
        signals_of(Zone(records={"CDS": None, "CDNSKEY": None})),
        False,
    ),
    "a first DS, with nobody who could vouch": (
        {"hosts": (INSIDE,)},
        Proofs({**addresses({INSIDE: ("192.0.2.1", "198.51.100.2")})}),
        False,
    ),
}


@pytest.mark.parametrize(("what", "proofs", "asked"), ASKS.values(), ids=ASKS)
def test_p_3_13_candidates_alone_are_asked_for_what_people_use(what, proofs, asked):
    zone = what.get("zone") or Zone()
    delegation = a_delegation(
        ds=what.get("ds", ()), nameservers=what.get("hosts", (NS1, NS2))
    )
    zones = {"192.0.2.1": zone, "198.51.100.2": zone}
    case = a_case(zones=zones, uses=False, delegation=delegation)

    plan = next_questions(case, proofs)

    assert used(plan) == (ALL_USES if asked else set())


def test_p_3_13_no_candidate_comes_of_servers_that_fail():
    case = a_case(uses=False, spoiled={("192.0.2.1", "SOA"): Trouble.TIMEOUT})

    assert not used(next_questions(case, all_good()))


def test_p_3_13_an_update_is_asked_for_it_where_a_server_is_dead_and_of_the_others():
    dead = dict.fromkeys((("192.0.2.1", t.name) for t in APEX_TYPES), Trouble.TIMEOUT)
    case = a_case(
        uses=False,
        delegation=a_delegation(ds=(CSK.ds(),)),
        zones={"192.0.2.1": ROLLING, "198.51.100.2": ROLLING},
        spoiled={**dead, ("192.0.2.1", "probe"): Trouble.TIMEOUT},
    )

    asked = used(next_questions(case, all_good()))

    assert asked == {("198.51.100.2", rdtype) for rdtype in USED_TYPES}
