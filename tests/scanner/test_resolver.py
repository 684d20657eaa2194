"""Finding servers and asking them: bailiwick, loops, limits (S-11, S-21 to S-26)."""

from __future__ import annotations

import asyncio

import dns.rcode
import pytest

from bootstrap import clock
from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.budget import Budget
from bootstrap.core.dnssec.chain import Absence, Proof, validate
from bootstrap.core.dnssec.security import Security
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.delegation import Delegation
from bootstrap.core.evaluation.observations import Trouble, seen
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.queries import Carrier, Lookup
from bootstrap.scanner.pacing import Allowance, Limits
from bootstrap.scanner.resolver import Resolver
from tests.support.internet import (
    UNSIGNED_ROOT,
    Internet,
    failing,
    refused,
    saying,
)

from .support import run

ROOT_SERVER = "199.0.0.1"
HINTS = ((parse_name("a.root"), (ROOT_SERVER,)),)


def an_internet(**texts: str) -> Internet:
    """Return root, `test` and `example` in order; `texts` add to these zones."""
    internet = Internet()
    root = (
        "test 3600 IN NS ns.test\nns.test 60 IN A 199.0.0.2\n"
        "example 3600 IN NS ns.example\nns.example 60 IN A 199.0.0.3\n"
    )
    absolute = root.replace(" NS ns.test", " NS ns.test.")
    absolute = absolute.replace(" NS ns.example", " NS ns.example.")
    internet.zone(".", ROOT_SERVER, text=absolute + texts.get("root", ""))
    internet.zone("test.", "199.0.0.2", text=texts.get("test", ""))
    internet.zone("example.", "199.0.0.3", text=texts.get("example", ""))
    return internet


def a_resolver(internet, *, hints=HINTS):
    time = asyncio.get_running_loop().time
    return Resolver(
        internet, hints=hints, anchors=UNSIGNED_ROOT, clock=clock.now, time=time
    )


def prove(observations, name, rdtype=RdataType.A):
    found = validate(
        parse_name(name),
        rdtype,
        seen=seen(observations),
        anchors=UNSIGNED_ROOT,
        now=clock.now(),
        budget=Budget(),
    )
    assert isinstance(found, Proof), found
    return found


def a_case(delegation):
    policy = AcceptancePolicy()
    return Case(delegation, (), UNSIGNED_ROOT, policy, clock.now())


def look(internet, name, rdtype=RdataType.A, *, limits=None, delegation=None):
    """Return the proof that one look-up allows, and its observations."""

    async def scene():
        resolver = a_resolver(internet)
        time = asyncio.get_running_loop().time
        allowance = Allowance(limits or Limits(), time)
        case = None if delegation is None else a_case(delegation)
        errand = resolver.errand(allowance, case)
        return await resolver.lookup(Lookup(parse_name(name), rdtype), errand)

    observations = run(scene)
    return prove(observations, name, rdtype), observations


def address(proof):
    assert proof.answer is not None, proof
    return ".".join(map(str, proof.answer.rrset.rdatas[0]))


WWW = "www 60 IN A 203.0.113.7\n"
SHOP = "shop 60 IN NS ns.shop\nns.shop 60 IN A 199.0.1.1\n"


def test_a_name_is_found_by_referrals_from_the_root():
    internet = an_internet(test=SHOP)
    internet.zone("shop.test.", "199.0.1.1", text=WWW)

    proof, _ = look(internet, "www.shop.test")

    assert address(proof) == "203.0.113.7"
    assert proof.security is Security.INSECURE
    assert "www.shop.test. A" not in internet.asked_of("199.0.0.2")


def test_what_may_be_unsigned_travels_over_tcp():
    internet = an_internet(test=WWW)

    look(internet, "www.test")

    kinds = {(q.rdtype, q.carrier) for q in internet.asked}
    assert {carrier for rdtype, carrier in kinds if rdtype in (1, 2)} == {Carrier.TCP}


def test_the_next_server_is_asked_when_one_fails():
    internet = an_internet(
        test="shop 60 IN NS a.shop\nshop 60 IN NS b.shop\n"
        "a.shop 60 IN A 199.0.1.1\nb.shop 60 IN A 199.0.1.2\n"
    )
    internet.zone("shop.test.", "199.0.1.1", "199.0.1.2", text=WWW)
    bad = {
        "REFUSED": refused,
        "SERVFAIL": failing(dns.rcode.SERVFAIL),
        "lame": saying(),
        "an upward referral": saying(authority=". 60 NS a.root."),
        "a sideways referral": saying(
            authority="example. 60 NS ns.example.",
            additional="ns.example. 60 A 199.0.9.9",
        ),
        "a self referral": saying(
            authority="shop.test. 60 NS a.shop.test.",
            additional="a.shop.test. 60 A 199.0.9.9",
        ),
        "silence": lambda _query: Trouble.TIMEOUT,
    }
    for manner in bad.values():
        internet.manners["199.0.1.1"] = manner
        for _ in range(4):  # whichever of the two is asked first
            proof, _ = look(internet, "www.shop.test")
            assert address(proof) == "203.0.113.7"

    assert internet.count("199.0.9.9") == 0


def test_nobody_answering_is_said_by_troubles_and_ends():
    internet = an_internet(test=SHOP)

    proof, observations = look(internet, "www.shop.test")

    assert proof.security is Security.INDETERMINATE
    assert observations[-1].trouble is Trouble.TIMEOUT
    assert internet.count("199.0.1.1") <= 3


def test_a_zone_without_any_address_is_said():
    internet = an_internet(test="shop 60 IN NS ns.shop\n")

    proof, observations = look(internet, "www.shop.test")

    assert proof.security is Security.INDETERMINATE
    nobody = observations[-1]
    assert (nobody.query.server, nobody.trouble) == ("", Trouble.UNREACHABLE)


def test_glue_from_outside_the_delegating_zone_is_not_believed():
    """S-21: `test` says where a name below `example` lives."""
    internet = an_internet(test="shop 60 IN NS ns.good.example.\n")
    internet.zone("shop.test.", "199.0.1.1", text="www 60 IN A 203.0.113.7\n")
    internet.zones[parse_name("example")].replace_rdataset(
        parse_name("ns.good.example"),
        dns.rrset.from_text(
            "ns.good.example.", 60, "IN", "A", "199.0.1.1"
        ).to_rdataset(),
    )

    def poisoning(query):
        response = internet.answer("199.0.0.2", query)
        response.additional.append(
            dns.rrset.from_text("ns.good.example.", 60, "IN", "A", "199.0.6.6")
        )
        return response

    internet.manners["199.0.0.2"] = poisoning

    proof, _ = look(internet, "www.shop.test")

    assert address(proof) == "203.0.113.7"
    assert internet.count("199.0.6.6") == 0


def test_records_that_nobody_asked_for_do_not_become_knowledge():
    """S-21: NS and A of the parent and of a bank in the answer of a child."""
    internet = an_internet(
        test=SHOP + "bank 60 IN NS ns.bank\nns.bank 60 IN A 199.0.1.2\n"
    )
    internet.zone("bank.test.", "199.0.1.2", text=WWW)
    internet.manners["199.0.1.1"] = saying(
        answer="www.shop.test. 60 A 203.0.113.7",
        authority="test. 60 NS ns.evil.test.\nbank.test. 60 NS ns.evil.test.",
        additional="ns.evil.test. 60 A 199.0.6.6\nns.bank.test. 60 A 199.0.6.6",
        aa=True,
    )

    async def scene():
        resolver = a_resolver(internet)
        await resolver.lookup(Lookup(parse_name("www.shop.test"), RdataType.A))
        return await resolver.lookup(Lookup(parse_name("www.bank.test"), RdataType.A))

    assert address(prove(run(scene), "www.bank.test")) == "203.0.113.7"
    assert internet.count("199.0.6.6") == 0


def test_two_zones_that_need_each_other_end_quickly():
    """TsuNAME (P-1.73): A is served by a host in B, and B by a host in A."""
    internet = an_internet(test="a 60 IN NS ns.b.test.\nb 60 IN NS ns.a.test.\n")

    proof, _ = look(internet, "www.a.test")

    assert proof.security is Security.INDETERMINATE
    assert len(internet.asked) <= 4


def test_a_fan_out_to_a_victim_is_cut_off():
    """NXNSAttack (S-25): 13 random names below somebody else's zone."""
    names = "".join(f"shop 60 IN NS x{n}.victim.example.\n" for n in range(13))
    internet = an_internet(
        test=names, example="victim 60 IN NS ns.victim\nns.victim 60 IN A 199.0.1.9\n"
    )
    internet.zone("victim.example.", "199.0.1.9")

    proof, _ = look(internet, "www.shop.test")

    assert proof.security is Security.INDETERMINATE
    assert internet.count("199.0.1.9") <= 5


def test_nested_look_ups_of_hosts_have_a_floor():
    """S-11: each zone is served by a host in the next one."""
    text = "".join(f"z{n} 60 IN NS ns.z{n + 1}.test.\n" for n in range(12))
    internet = an_internet(test=text)

    proof, _ = look(internet, "www.z0.test")

    assert proof.security is Security.INDETERMINATE
    assert "z4.test. NS" in internet.asked_of("199.0.0.2")
    assert "z5.test. NS" not in internet.asked_of("199.0.0.2")


def test_a_chain_of_hosts_within_the_floor_is_followed():
    text = "".join(f"z{n} 60 IN NS ns.z{n + 1}.test.\n" for n in range(3))
    internet = an_internet(test=text + "z3 60 IN NS own.z3\nown.z3 60 IN A 199.0.1.3\n")
    for number in range(4):
        address_ = f"199.0.1.{number}"
        below = f"ns 60 IN A 199.0.1.{max(number - 1, 0)}\n" + WWW
        internet.zone(f"z{number}.test.", address_, text=below)

    proof, _ = look(internet, "www.z0.test")

    assert address(proof) == "203.0.113.7"


@pytest.mark.parametrize("length", [2, 9])
def test_aliases_have_an_end(length):
    links = "".join(
        f"a{n} 60 IN CNAME a{(n + 1) % length}.test.\n" for n in range(length)
    )
    internet = an_internet(test=links)

    proof, _ = look(internet, "a0.test")

    assert proof.security is Security.INDETERMINATE
    assert len(internet.asked) <= 20


def test_referrals_without_end_are_stopped():
    internet = an_internet()

    def deeper(query):
        name = query.question[0].name
        return saying(
            authority=f"{name} 60 NS ns.{name}",
            additional=f"ns.{name} 60 A 199.0.0.2",
        )(query)

    internet.manners["199.0.0.2"] = deeper

    proof, _ = look(internet, ".".join("abcdefghijklmnopqrstuvwx") + ".test")

    assert proof.security is not Security.SECURE
    assert len(internet.asked) <= 60


def test_the_budget_ends_a_look_up_with_a_limit():
    internet = an_internet(test=SHOP)
    internet.zone("shop.test.", "199.0.1.1", text=WWW)

    proof, observations = look(internet, "www.shop.test", limits=Limits(queries=2))

    assert len(internet.asked) == 2
    assert proof.security is Security.INDETERMINATE
    assert Trouble.LIMIT in {o.trouble for o in observations}


def a_delegation(*, glue=()):
    return Delegation(
        parse_name("shop.test"),
        parse_name("test"),
        (parse_name("ns.shop.test"), parse_name("ns.other.example")),
        glue=tuple((parse_name(host), text) for host, text in glue),
    )


def test_the_registry_knows_the_servers_of_the_child_itself():
    """P-1.10: its data counts, also where the published zone says otherwise."""
    internet = an_internet(test=SHOP.replace("199.0.1.1", "199.0.6.6"))
    internet.zone("shop.test.", "199.0.1.1", text="ns 60 IN A 199.0.1.1\n")

    proof, _ = look(
        internet,
        "ns.shop.test",
        delegation=a_delegation(glue=[("ns.shop.test", "199.0.1.1")]),
    )

    assert address(proof) == "199.0.1.1"
    assert internet.count("199.0.6.6") == 0


def test_what_the_registry_knows_of_one_child_is_not_told_to_another():
    internet = an_internet(test=SHOP)
    internet.zone("shop.test.", "199.0.1.1", text=WWW)
    internet.manners["199.0.6.6"] = saying(
        answer="www.shop.test. 60 A 203.0.113.66", aa=True
    )
    stale = a_delegation(glue=[("ns.shop.test", "199.0.6.6")])
    lookup = Lookup(parse_name("www.shop.test"), RdataType.A)

    async def scene():
        resolver = a_resolver(internet)
        first = await resolver.lookup(lookup, resolver.errand(None, a_case(stale)))
        second = await resolver.lookup(lookup)
        return first, second

    first, second = run(scene)

    assert address(prove(first, "www.shop.test")) == "203.0.113.66"
    assert address(prove(second, "www.shop.test")) == "203.0.113.7"


FAILING_ONCE = {
    "an error": refused,
    "an answer that proves nothing": saying(answer="www.shop.test. 60 A 203.0.113.66"),
}


@pytest.mark.parametrize("manner", FAILING_ONCE.values(), ids=FAILING_ONCE)
def test_a_failure_of_one_child_is_no_fact_for_the_next(manner):
    """S-26: the shared zone fails once and is right afterwards."""
    internet = an_internet(test=SHOP)
    internet.zone("shop.test.", "199.0.1.1", text=WWW)
    internet.manners["199.0.1.1"] = manner
    lookup = Lookup(parse_name("www.shop.test"), RdataType.A)

    async def scene():
        resolver = a_resolver(internet)
        first = await resolver.lookup(lookup)
        del internet.manners["199.0.1.1"]
        return first, await resolver.lookup(lookup)

    first, second = run(scene)

    assert prove(first, "www.shop.test").security is Security.INDETERMINATE
    assert address(prove(second, "www.shop.test")) == "203.0.113.7"


def test_a_server_that_failed_is_asked_last_from_then_on():
    internet = an_internet(
        test="shop 60 IN NS a.shop\nshop 60 IN NS b.shop\n"
        "a.shop 60 IN A 199.0.1.1\nb.shop 60 IN A 199.0.1.2\n"
    )
    internet.zone("shop.test.", "199.0.1.1", "199.0.1.2", text=WWW)
    internet.manners["199.0.1.1"] = refused

    async def scene():
        resolver = a_resolver(internet)
        for number in range(8):
            name = parse_name(f"n{number}.shop.test")
            await resolver.lookup(Lookup(name, RdataType.A))

    run(scene)

    assert internet.count("199.0.1.1") <= 1
    assert internet.count("199.0.1.2") == 8


def test_many_who_ask_the_same_share_one_packet():
    internet = an_internet(test=WWW)
    lookup = Lookup(parse_name("www.test"), RdataType.A)

    async def scene():
        resolver = a_resolver(internet)
        return await asyncio.gather(*(resolver.lookup(lookup) for _ in range(50)))

    found = run(scene)

    assert all(address(prove(each, "www.test")) == "203.0.113.7" for each in found)
    assert len(internet.asked) == len(
        {(q.zone, q.name, q.rdtype) for q in internet.asked}
    )


def test_a_cancelled_look_up_does_not_take_the_others_with_it():
    internet = an_internet(test=WWW)
    internet.delay = 0.01
    lookup = Lookup(parse_name("www.test"), RdataType.A)

    async def scene():
        resolver = a_resolver(internet)
        tasks = [asyncio.create_task(resolver.lookup(lookup)) for _ in range(5)]
        await asyncio.sleep(0.005)
        tasks[0].cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        return found[1:]

    assert all(address(prove(each, "www.test")) == "203.0.113.7" for each in run(scene))


def test_an_absent_name_is_absent():
    proof, _ = look(an_internet(), "nothing.test")

    assert proof.absence is Absence.NXDOMAIN


def test_no_cache_grows_without_end():
    """CacheFlush (S-22): a zone with many names pushes out its own answers."""
    internet = an_internet(test=SHOP)
    internet.zone("shop.test.", "199.0.1.1", text="* 60 IN A 203.0.113.7\n")
    internet.manners["199.0.1.1"] = lambda query: saying(
        answer=f"{query.question[0].name} 60 A 203.0.113.7", aa=True
    )(query)

    async def scene():
        resolver = a_resolver(internet)
        for number in range(2_050):
            name = parse_name(f"n{number}.shop.test")
            await resolver.lookup(Lookup(name, RdataType.A))
        return len(resolver._answers), internet.count(ROOT_SERVER)

    kept, root_queries = run(scene)

    assert kept <= 2_000 + 10
    assert root_queries <= 3
