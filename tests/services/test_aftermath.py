"""Publication and the look afterwards in the laboratory: real packets both ways."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bootstrap import clock
from bootstrap.core.dns.hints import read_hints
from bootstrap.core.dns.messages import read
from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import Ds, RdataType
from bootstrap.core.dnssec.anchor_files import read_anchors
from bootstrap.core.dnssec.security import Security
from bootstrap.core.evaluation.observations import seen
from bootstrap.core.evaluation.queries import Lookup
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.recipes import Recipe
from bootstrap.lab.servers import OnUpdate
from bootstrap.lab.worlds import Child, Operator, Parent, World
from bootstrap.models import Alarm, Domain, Proposal, ScanAttempt, Sighting
from bootstrap.registry.addresses import parse_endpoint
from bootstrap.registry.dynamic_update import DynamicUpdate
from bootstrap.registry.ports import Registry
from bootstrap.scanner.egress import Egress, networks
from bootstrap.scanner.scanner import Scanner
from bootstrap.services import parents
from bootstrap.services.looking import Look, Target, look_at
from bootstrap.services.publication import Ending, publish_due
from bootstrap.services.sightings import message_of
from bootstrap.services.verification import drain, next_due, verify_due

from .builders import a_domain, a_zone
from .parent import an_approved, told

pytestmark = pytest.mark.django_db

OPERATORS = ("lantern.example", "harbour.test")
CHILDREN = [f"c{n}.alpha.test" for n in range(10)]
UNSIGNED_KEY = "4711 13 2 " + "AB" * 32


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    world = World(
        parents=(Parent(name="alpha.test", secondary_delay=0.0),),
        operators=tuple(Operator(zone=zone) for zone in OPERATORS),
        children=tuple(
            Child(name=name, operators=OPERATORS, recipe=Recipe()) for name in CHILDREN
        ),
    )
    folder = tmp_path_factory.mktemp("aftermath")
    with Lab(world, clock=clock.now, folder=folder, seed=b"x", prefix="127.56") as lab:
        yield lab


@pytest.fixture
def anchors(lab):
    return read_anchors(lab.anchors.read_text())


@pytest.fixture
def eyes_for(lab, anchors):
    def opened(port: int | None) -> Scanner:
        return Scanner(
            hints=read_hints(lab.root_hints.read_text()),
            anchors=anchors,
            clock=clock.now,
            egress=Egress(allowed=networks(lab.allowed_networks)),
            port=port or lab.port,
        )

    return opened


@pytest.fixture
def zone(lab):
    (parent,) = lab.manifest()["parents"]
    servers = [f"{server}#{lab.port}" for server in parent["servers"]]
    return a_zone(
        "alpha.test",
        primary=parent["primary"],
        servers=servers,
        tsig_key_file=str(lab.tsig_key_file),
        observe_seconds=1,
    )


@pytest.fixture(scope="module")
def names():
    return iter(CHILDREN)


@pytest.fixture
def approved(lab, zone, names, eyes_for):
    """Return an approved change for a child that no other test has touched."""

    def change(**changes: object) -> Proposal:
        name = next(names)
        (child,) = [c for c in lab.manifest()["children"] if c["name"] == name]
        now = clock.now()
        domain = a_domain(zone, name, nameservers=sorted(child["nameservers"]))
        defaults = {"new_ds": asyncio.run(offered(name, eyes_for)), "not_before": now}
        defaults |= {"expires_at": now + timedelta(hours=24)}
        proposal = an_approved(domain, **{**defaults, **changes})
        ScanAttempt.objects.update(started_at=now, ds=proposal.new_ds)
        return proposal

    return change


async def offered(name: str, eyes_for) -> list[str]:
    """Return the CDS RRset of a child as DS text."""
    child = parse_name(name)
    async with eyes_for(None) as eyes:
        found = seen(await eyes.lookup([Lookup(child, RdataType.CDS)]))
    for responses in found.values():
        for response in responses:
            signed = response.answered(child, RdataType.CDS)
            if signed is not None:
                return [Ds.from_wire(rdata).to_text() for rdata in signed.rrset.rdatas]
    raise AssertionError(f"{name} offers no CDS")


def publish() -> dict[Ending, int]:
    return publish_due(registry_for=impatient, clock=clock.now)


def impatient(zone) -> Registry:
    registry = parents.registry_for(zone)
    assert isinstance(registry, DynamicUpdate)
    return replace(registry, patience=0.5)


def test_a_published_ds_is_seen_on_all_servers_validates_and_settles(
    lab, approved, eyes_for, anchors
):
    proposal = approved()
    verify = {"eyes_for": eyes_for, "anchors": anchors}
    assert publish() == {Ending.SENT: 1}

    assert verify_due(**verify, clock=clock.now) == {"visible": 1}

    rows = {row.server: row for row in Sighting.objects.all()}
    assert len(rows) == 3
    assert all(row.matches for row in rows.values())
    assert rows["validator"].detail == "secure"
    primary = parse_endpoint(proposal.domain.zone.primary).address
    assert rows[primary].ds == sorted(proposal.new_ds)
    assert rows[primary].ttl == 600
    assert rows[primary].serial
    child = parse_name(proposal.domain.name)
    answer = read(message_of(rows[primary]), child, RdataType.DS)  # P-8.10
    signed = answer.answered(child, RdataType.DS)
    assert signed is not None
    assert [Ds.from_wire(r).to_text() for r in signed.rrset.rdatas] == rows[primary].ds
    assert signed.rrsigs
    due = next_due()
    assert due is not None
    assert verify_due(**verify, clock=lambda: due) == {"settled": 1}
    domain = Domain.objects.get()
    assert domain.secured_at
    assert domain.state == "secured"
    assert told(domain) == [
        "publication.begun",
        "publication.sent",
        "publication.visible",
        "publication.settled",
    ]


def test_one_drain_follows_a_young_change_to_its_end(approved, eyes_for, anchors):
    approved()
    publish()
    waits: list[float] = []
    started = clock.now()

    def later():
        return clock.now() + timedelta(seconds=sum(waits))

    counts = drain(eyes_for=eyes_for, anchors=anchors, clock=later, wait=waits.append)

    assert counts == {"visible": 1, "settled": 1}
    assert sum(waits) < 2
    assert next_due() is None
    assert later() - started < timedelta(seconds=10)


def test_a_drain_leaves_what_is_due_later_to_the_next_turn(
    zone, approved, eyes_for, anchors
):
    zone.observe_seconds = 3600
    zone.save()
    approved()
    publish()
    waits: list[float] = []

    drain(eyes_for=eyes_for, anchors=anchors, clock=clock.now, wait=waits.append)

    assert waits == []
    assert Proposal.objects.get().state == "visible"


def test_a_ds_that_breaks_the_child_is_an_alarm_and_stays(
    lab, approved, eyes_for, anchors
):
    proposal = approved(new_ds=[UNSIGNED_KEY])
    publish()

    verify_due(eyes_for=eyes_for, anchors=anchors, clock=clock.now)

    alarm = Alarm.objects.open().get()
    assert alarm.code == "POST_CHILD_BOGUS"
    assert lab.ds_of(proposal.domain.name) == (UNSIGNED_KEY,)
    assert Domain.objects.get().state == "alarm"


@pytest.mark.parametrize(
    ("what", "first", "then"),
    [
        (OnUpdate.UNANSWERED, Ending.SENT, None),
        (OnUpdate.UNHEARD, Ending.DEFERRED, Ending.SENT),
        (OnUpdate.REFUSED, Ending.FAILED, None),
        (OnUpdate.SERVFAIL, Ending.DEFERRED, Ending.SENT),
    ],
)
def test_whatever_the_primary_makes_of_an_update_there_is_one_effect(
    lab, approved, what, first, then
):
    proposal = approved()
    lab.on_update("alpha.test", what)
    try:
        assert publish() == {first: 1}
    finally:
        lab.on_update("alpha.test", OnUpdate.HONEST)
    Proposal.objects.update(next_try_at=clock.now())
    assert publish() == ({then: 1} if then else {})

    is_published = Ending.SENT in {first, then}
    wanted = tuple(sorted(proposal.new_ds)) if is_published else ()
    assert lab.ds_of(proposal.domain.name) == wanted
    assert told(proposal.domain).count("publication.sent") == is_published


def test_without_a_list_the_servers_of_the_parent_are_looked_up(eyes_for, anchors, lab):
    target = Target(parse_name(CHILDREN[-1]), parse_name("alpha.test"), ())

    look = one_look(target, eyes_for, anchors)

    (parent,) = lab.manifest()["parents"]
    assert {shown.server for shown in look.shown} == set(parent["servers"])
    assert look.everywhere
    assert look.child is Security.INSECURE


def test_a_server_that_is_silent_keeps_a_ds_from_being_everywhere(
    lab, zone, eyes_for, anchors
):
    servers = tuple(map(parse_endpoint, [*zone.servers, "127.56.99.99#9"]))
    target = Target(parse_name(CHILDREN[-1]), parse_name("alpha.test"), (), servers)

    look = one_look(target, eyes_for, anchors)

    assert not look.everywhere
    assert [shown.ds for shown in look.shown].count(None) == 1
    assert [shown.detail for shown in look.shown if shown.ds is None] == ["unreachable"]


UNUSABLE = {
    "refused": "REFUSED",
    "servfail": "SERVFAIL",
    "nxdomain": "NXDOMAIN",
    "recursor": "not authoritative",
}


@pytest.mark.parametrize(("behaviour", "told"), UNUSABLE.items())
def test_a_server_of_the_parent_without_a_usable_answer_shows_nothing(
    lab, zone, eyes_for, anchors, behaviour, told
):
    servers = tuple(map(parse_endpoint, zone.servers))
    target = Target(parse_name(CHILDREN[-1]), parse_name("alpha.test"), (), servers)
    (parent,) = lab.manifest()["parents"]
    broken = parent["servers"][1]
    lab.behave(broken, behaviour)
    try:
        look = one_look(target, eyes_for, anchors)
    finally:
        lab.behave(broken, "honest")

    (bad,) = [shown for shown in look.shown if shown.ds is None]
    assert bad.server == broken
    assert told in bad.detail
    assert not look.everywhere


def one_look(target: Target, eyes_for, anchors) -> Look:
    looking = look_at([target], eyes_for=eyes_for, anchors=anchors, now=clock.now())
    return asyncio.run(looking)[0]
