"""Rollovers from the child's zone to the parent's DS, in the laboratory (P-4.9).

Each step is what an operator does; in between, scan, publisher and verification
run as they do in production, and the lab's primary takes the updates.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from io import StringIO

import dns.query
import dns.rcode
import dns.tsig
import dns.update
import pytest
from django.core.management import call_command

from bootstrap import tasks
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.recipes import Recipe, ZoneRecipe
from bootstrap.lab.scenes import BOTH, DELETE
from bootstrap.lab.worlds import Child, Operator, Parent, World
from bootstrap.models import Domain, Proposal, ScanAttempt
from bootstrap.registry.tsigkeys import read_key_file

pytestmark = pytest.mark.django_db(transaction=True)
OLD, NEW, ED = "old:csk:13", "new:csk:13", "new:csk:15"
STANDBY = "new:standby:13"


def asks(keys: tuple[str, ...], *wanted: str) -> ZoneRecipe:
    """Return a zone with these keys whose CDS and CDNSKEY ask for `wanted`."""
    return ZoneRecipe(
        keys=keys, cds=tuple(f"{label}:2" for label in wanted), cdnskey=wanted
    )


BOTH_KEYS = asks((OLD, NEW), "old", "new")
STYLES: dict[str, tuple[tuple[str, ...], list[tuple[ZoneRecipe, set[str]]]]] = {
    "double signature": (
        ("old",),
        [(BOTH_KEYS, {"old", "new"}), (asks((NEW,), "new"), {"new"})],
    ),
    "double DS": (
        ("old",),
        [
            (asks((OLD, STANDBY), "old", "new"), {"old", "new"}),
            (asks((NEW,), "new"), {"new"}),
        ],
    ),
    "direct swap": (("old",), [(asks((OLD, NEW), "new"), {"new"})]),
    "algorithm roll": (
        ("old",),
        [
            (asks((OLD, ED), "old", "new"), {"old", "new"}),
            (asks((OLD, ED), "new"), {"new"}),
        ],
    ),
    "emergency removal of one of two, and its return": (
        ("old", "new"),
        [(asks((OLD, NEW), "old"), {"old"}), (BOTH_KEYS, {"old", "new"})],
    ),
    "removal by sentinel": (
        ("old",),
        [(ZoneRecipe(keys=(OLD,), cds=DELETE.cds, cdnskey=DELETE.cdnskey), set())],
    ),
    "no request, no change": (("old",), [(asks((OLD, NEW)), {"old"})]),
}


class Story:
    """One child in a laboratory, and the product that acts for its parent."""

    name = "child.alpha.test"

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.tags: dict[str, int] = {}
        self.began = datetime.now(UTC) - timedelta(hours=6)
        self.steps = 0

    def serve(self, zone: ZoneRecipe) -> None:
        """Publish a zone, signed later than the one before it (P-4.5)."""
        self.steps += 1
        self.lab.set_time(self.began + timedelta(minutes=self.steps))
        self.lab.rework(self.name, Recipe(zone=zone))  # the parent keeps its DS

    def held(self) -> set[str]:
        """Return the DS set at the primary, by the labels of its keys."""
        (placer,) = self.lab.built.children.values()
        labels = {key.key.key_tag: label for label, key in placer._known_keys().items()}
        self.tags |= {label: tag for tag, label in labels.items()}
        known = {tag: label for label, tag in self.tags.items()}
        return {known[int(text.split()[0])] for text in self.lab.ds_of(self.name)}

    def run(self) -> ScanAttempt:
        """Scan, publish what is approved, look afterwards."""
        try:
            call_command("scan", self.name, stdout=StringIO())
        finally:
            call_command("publisher", "--once", stdout=StringIO())
            tasks.drain_verifications()
        return ScanAttempt.objects.filter(domain__name=self.name)[0]

    def import_again(self) -> None:
        primary = self.lab.manifest()["parents"][0]["primary"]
        call_command(
            "import_delegations",
            "alpha.test",
            axfr=primary,
            tsig_key=self.lab.tsig_key_file,
            stdout=StringIO(),
        )

    def another_channel(self, *ds: str) -> None:
        """Let somebody else set the DS at the primary."""
        key = read_key_file(self.lab.tsig_key_file)
        change = dns.update.UpdateMessage(
            "alpha.test.",
            keyring=dns.tsig.Key(key.name, key.secret, key.algorithm),
        )
        change.delete("child", "DS")
        for text in ds:
            change.add("child", 60, "DS", text)
        address, _, port = self.lab.manifest()["parents"][0]["primary"].partition("#")
        answer = dns.query.tcp(change, address, port=int(port), timeout=5)
        assert answer.rcode() == dns.rcode.NOERROR


@pytest.fixture
def story(tmp_path, settings, request):
    ds = getattr(request, "param", ("old",))
    zone = asks((OLD, NEW), *ds) if "new" in ds else asks((OLD,), *ds)
    recipe = Recipe(zone=zone, ds=tuple(f"{label}:2" for label in ds))
    world = World(
        parents=(Parent(name="alpha.test"),),
        operators=(Operator(zone=BOTH[0]), Operator(zone=BOTH[1])),
        children=(Child(name=Story.name, operators=BOTH, recipe=recipe),),
    )
    with Lab(
        world, clock=lambda: datetime.now(UTC), folder=tmp_path, prefix="127.57"
    ) as lab:
        settings.BOOTSTRAP = {
            **settings.BOOTSTRAP,
            "DNS_ROOT_HINTS": str(lab.root_hints),
            "DNS_TRUST_ANCHORS": str(lab.anchors),
            "DNS_PORT": str(lab.port),
            "DNS_ALLOWED_NETWORKS": "127.57.0.0/16",
            "DNS_LAB_PACE": "unlimited",
            "DNS_SKIP_FAMILIES": "6",
        }
        told = lab.manifest()
        (parent,) = told["parents"]
        options = ["--primary", parent["primary"], "--tsig-key", told["tsig_key"]]
        options += ["--policy", "auto", "--quiet", "0", "--observe", "0"]
        for server in parent["servers"]:
            options += ["--server", f"{server}#{told['port']}"]
        call_command("zone", "add", "alpha.test", *options, stdout=StringIO())
        made = Story(lab)
        made.import_again()
        yield made


@pytest.mark.parametrize(
    ("story", "steps"), STYLES.values(), ids=list(STYLES), indirect=["story"]
)
def test_p_4_9_a_rollover_goes_through_without_a_person(story, steps):
    for zone, wanted in steps:
        story.serve(zone)
        scan = story.run()
        assert story.held() == wanted, (scan.outcome, scan.reasons)
        assert not Proposal.objects.open().exists()

    domain = Domain.objects.get()
    assert len(domain.ds) == len(steps[-1][1])
    changes = Proposal.objects.order_by("created_at")
    assert {change.state for change in changes} <= {"settled"}
    assert all(change.approvals_needed == 0 for change in changes)


def test_p_4_5_an_older_request_never_undoes_a_newer_one(story):
    story.serve(asks((OLD, NEW), "new"))
    story.run()
    assert story.held() == {"new"}

    story.steps -= 10  # a replay: signed before the change
    story.serve(asks((OLD, NEW), "old"))
    scan = story.run()

    assert story.held() == {"new"}
    assert scan.outcome != "accept"
    assert "UPD_REPLAY" in scan.reasons


def test_p_5_43_a_removal_by_another_channel_suspends_until_ds_come_back(story):
    held = story.lab.ds_of(story.name)
    story.another_channel()
    story.import_again()
    assert Domain.objects.get().suspension == "OOB_REMOVAL"

    story.serve(asks((OLD,), "old"))
    scan = story.run()
    assert story.held() == set()
    assert "PRE_AUTOMATION_SUSPENDED" in scan.reasons

    story.another_channel(*held)
    story.import_again()
    assert Domain.objects.get().suspension == ""
    story.serve(asks((OLD, NEW), "new"))  # signed before that change
    assert "UPD_REPLAY" in story.run().reasons
    assert story.held() == {"old"}

    # The laboratory's signatures begin an hour before they are made.
    soon = datetime.now(UTC) + timedelta(seconds=2)
    story.began = soon + timedelta(hours=1) - timedelta(minutes=story.steps + 1)
    story.serve(asks((OLD, NEW), "new"))
    time.sleep(2.1)
    story.run()
    assert story.held() == {"new"}
