"""Stage one: it may say "nothing" of a silent child, and never anything else."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, timedelta

import pytest

from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import RdataType
from bootstrap.core.evaluation.delegation import History, Suspension
from bootstrap.core.evaluation.glance import (
    Denial,
    Glance,
    Routine,
    conclude,
    may_end_early,
    verdict,
)
from bootstrap.core.evaluation.paths import Path
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.verdict import Outcome
from tests.support.cases import CSK, NOW, a_case
from tests.support.wires import a_response

ADDRESSES = ("192.0.2.1", "198.51.100.2")
SOA = "authority example.ch. 300 SOA ns1.example.ch. hostmaster.example.ch. 1 2 3 4 5"
SIGNATURE = (
    "authority example.ch. 300 RRSIG SOA 13 2 300 20270101000000 20260101000000"
    " 1 example.ch. AAAA"
)
TODAY = date(2026, 11, 24)
NOTHING = (Outcome.NOTHING.value, Reason.APEX_NO_CDS.value)


NEW = History()


def a_routine(*, last=NOTHING, history=NEW, case=None, **delegation):
    base = replace(a_case(), observations=(), trigger=Trigger.SCHEDULE, history=history)
    changed = replace(base.delegation, **delegation)
    return Routine(replace(base, delegation=changed, **(case or {})), last)


def may_end(routine, full_every=1000):
    return may_end_early(routine, full_every=full_every, today=TODAY)


def denials(*, signed=False, addresses=ADDRESSES):
    lines = (SOA, SIGNATURE) if signed else (SOA,)
    return [
        Denial(address, rdtype, a_response(*lines, rdtype=rdtype.name))
        for address in addresses
        for rdtype in (RdataType.CDS, RdataType.CDNSKEY)
    ]


def test_a_child_that_said_nothing_may_say_nothing_again():
    assert may_end(a_routine())
    assert may_end(a_routine(last=("", "")))


IN_DOMAIN = (parse_name("ns1.example.ch"), parse_name("ns2.operator.org"))
MANY = tuple(parse_name(f"ns{n}.operator.net") for n in range(14))
WHOLE = {
    "asked for by a person": a_routine(case={"trigger": Trigger.STAFF}),
    "asked for by a notification": a_routine(case={"trigger": Trigger.NOTIFY}),
    "found by discovery": a_routine(case={"trigger": Trigger.DISCOVERY}),
    "the last one said something else": a_routine(last=("reject", "APEX_PARTIAL")),
    "the last one accepted": a_routine(last=("accept", "ACC_OK")),
    "nothing for another reason": a_routine(last=("nothing", "SIG_NONE")),
    "trouble that lasts": a_routine(
        history=History(troubled_since=(("NS_TIMEOUT", NOW),))
    ),
    "a DS set": a_routine(ds=(CSK.ds(),)),
    "suspended": a_routine(suspended=Suspension.HOLDER_OPT_OUT),
    "a change under way": a_routine(pending_change=True),
    "on hold": a_routine(statuses=("serverHold",)),
    "not delegated": a_routine(nameservers=()),
    "a host of its own": a_routine(nameservers=IN_DOMAIN),
    "glue": a_routine(glue=((parse_name("ns1.operator.net"), "192.0.2.1"),)),
    "too many hosts": a_routine(nameservers=MANY),
    "a host that is an address": a_routine(nameservers=(parse_name("192.0.2.1"),)),
}


@pytest.mark.parametrize("routine", WHOLE.values(), ids=WHOLE)
def test_whatever_is_not_routine_is_evaluated_as_a_whole(routine):
    assert not may_end(routine)


def test_locks_of_updates_bar_nothing():  # P-5.31
    assert may_end(a_routine(statuses=("clientUpdateProhibited",)))


def test_every_so_often_a_scan_is_whole_and_not_for_all_on_one_day():
    days = [TODAY + timedelta(days=n) for n in range(28)]
    whole = {}
    for label in "abcdefgh":
        routine = a_routine(child=parse_name(f"{label}.ch"))
        found = [
            day for day in days if not may_end_early(routine, full_every=28, today=day)
        ]
        assert len(found) == 1
        whole[label] = found[0]
    assert len(set(whole.values())) > 4


def test_the_first_look_is_no_repeat_and_waits_for_no_day():
    days = [TODAY + timedelta(days=n) for n in range(2)]
    first = a_routine(last=("", ""))

    assert all(may_end_early(first, full_every=2, today=day) for day in days)


def test_one_day_means_that_each_scan_is_whole():
    assert not may_end(a_routine(), full_every=1)
    assert not may_end(a_routine(last=("", "")), full_every=1)


def test_denials_from_every_address_end_the_scan_and_their_hash_stays():
    found = conclude(a_routine(), ADDRESSES, denials())

    assert found is not None
    assert found.is_signed is False
    expected = hashlib.sha256()
    for one in sorted(denials()):
        octets = one.packet[2:]
        expected.update(f"{one.address} {one.rdtype.name} ".encode())
        expected.update(len(octets).to_bytes(2, "big") + octets)
    assert found.digest == expected.hexdigest()


def test_ids_and_the_order_of_arrival_change_nothing():
    others = [
        replace(one, packet=b"\xff\xff" + one.packet[2:]) for one in reversed(denials())
    ]

    assert conclude(a_routine(), ADDRESSES, others) == conclude(
        a_routine(), ADDRESSES, denials()
    )


def spoiled(**changes):
    first, *others = denials()
    return [replace(first, **changes), *others]


DOUBTS = {
    "an answer is missing": denials()[1:],
    "an address is silent": denials(addresses=ADDRESSES[:1]),
    "an answer twice": [*denials(), denials()[0]],
    "a foreign address": [*denials()[:2], *denials(addresses=("203.0.113.1",))],
    "a request": spoiled(packet=a_response("example.ch. 300 CDS 0 0 0 00", SOA)),
    "an error": spoiled(packet=a_response(rcode=2)),
    "signed here, unsigned there": [
        *denials(addresses=ADDRESSES[:1]),
        *denials(signed=True, addresses=ADDRESSES[1:]),
    ],
}


@pytest.mark.parametrize("answers", DOUBTS.values(), ids=DOUBTS)
def test_any_doubt_is_for_the_whole_evaluation(answers):
    assert conclude(a_routine(), ADDRESSES, answers) is None


def test_without_an_address_nothing_is_concluded():
    assert conclude(a_routine(), (), []) is None


@pytest.mark.parametrize("was", [True, False])
@pytest.mark.parametrize("signed", [True, False])
def test_a_zone_that_begins_or_ends_to_be_signed_is_news(was, signed):
    history = History(signed_since=NOW if was else None)

    found = conclude(a_routine(history=history), ADDRESSES, denials(signed=signed))

    assert (found is not None) is (was is signed)


@pytest.mark.parametrize("signed", [True, False])
def test_the_first_look_takes_a_zone_as_it_is(signed):
    found = conclude(a_routine(last=("", "")), ADDRESSES, denials(signed=signed))

    assert isinstance(found, Glance)
    assert found.is_signed is signed


def test_it_says_what_the_whole_evaluation_says_of_an_empty_apex():
    found = verdict(a_routine().case)

    assert (found.path, found.outcome) == (Path.BOOTSTRAP, Outcome.NOTHING)
    assert found.reasons == (Reason.APEX_NO_CDS,)
    assert found.candidate == ()
