"""A changed file of trust anchors is not used before two persons have said so (S-42)."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command

from bootstrap.config import Dns, World
from bootstrap.core.dnssec.anchor_files import read_anchors
from bootstrap.models import Alarm, AnchorFile, AuditEntry
from bootstrap.services import trusting
from bootstrap.services.trusting import AnchorsRefused
from bootstrap.services.zones import MANAGE

from .builders import NOW, a_person

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
OLD = ". IN DS 20326 8 2 " + "AB" * 32 + "\n"
NEW = OLD + ". IN DS 38696 8 2 " + "CD" * 32 + "\n"
NOBODY_KNOWS = ". IN DS 4711 8 2 " + "EF" * 32 + "\n"


def a_world(text: str = OLD) -> World:
    dns = Dns(root_hints=Path("hints"), trust_anchors=Path("anchors"))
    return World(dns=dns, hints=(), anchors=read_anchors(text), anchor_text=text)


def tags(world: World) -> set[int]:
    return {anchor.ds.key_tag for anchor in world.anchors}


def seen(text: str, now=NOW) -> set[int]:
    return tags(trusting.trusted(a_world(text), now=now))


def manager(name: str):
    return a_person(name, MANAGE)


def word(name: str, *, now=LATER, comment="compared with IANA's page") -> bool:
    waiting = AnchorFile.objects.waiting()[0]
    return trusting.approve(waiting, actor=manager(name), comment=comment, now=now)


def told() -> list[str]:
    rows = AuditEntry.objects.filter(stream="guards").order_by("pk")
    return list(rows.values_list("type", flat=True))


def test_what_a_deployment_begins_with_is_its_own_choice_and_on_the_record():
    assert seen(OLD) == {20326}
    assert seen(OLD) == {20326}

    assert told() == ["anchors.trusted"]
    assert AnchorFile.objects.get().text == OLD  # P-8.6, P-B.4


def test_s_42_a_changed_file_changes_nothing_and_is_an_alarm():
    seen(OLD)

    assert seen(NOBODY_KNOWS, LATER) == {20326}
    assert seen(NOBODY_KNOWS, LATER) == {20326}

    alarm = Alarm.objects.open().get()
    assert (alarm.code, alarm.subject) == ("X_TRUST_ANCHOR", "anchor file")
    assert "two persons" in alarm.detail
    assert told() == ["anchors.trusted", "anchors.seen"]


def test_s_42_p_b_3_it_takes_two_persons_and_then_the_new_set_is_in_force():
    seen(OLD)
    seen(NEW, LATER)

    assert not word("ada")
    assert seen(NEW, LATER) == {20326}
    assert word("bob")

    assert seen(NEW, LATER) == {20326, 38696}
    assert not Alarm.objects.open().exists()
    assert told()[2:] == ["anchors.voice", "anchors.trusted"]
    old = AnchorFile.objects.get(stand="retired")
    assert (old.text, old.retired_at) == (OLD, LATER)


def test_the_way_back_to_an_old_set_takes_two_persons_again():
    seen(OLD)
    seen(NEW)
    word("ada")
    word("bob")

    assert seen(OLD, LATER) == {20326, 38696}
    assert not word("ada")
    assert word("bob")

    assert seen(OLD, LATER) == {20326}
    assert AnchorFile.objects.trusted().get().text == OLD


def test_a_file_that_says_the_same_in_other_words_is_no_other_set():
    seen(NEW)
    reordered = "; a comment\n" + "\n".join(reversed(NEW.splitlines())) + "\n"

    assert seen(reordered) == {20326, 38696}
    assert told() == ["anchors.trusted"]


def test_a_file_that_is_put_right_again_ends_the_alarm():
    seen(OLD)
    seen(NOBODY_KNOWS)

    assert seen(OLD, LATER) == {20326}
    assert not Alarm.objects.open().exists()


REFUSED = {
    "the same person twice": (manager("ada"), "compared", "said so already"),
    "nobody who may": (a_person("eve"), "compared", "lacks the permission"),
    "without a word of how": (manager("bob"), " ", "with what you compared"),
}


@pytest.mark.parametrize(("actor", "comment", "why"), REFUSED.values(), ids=REFUSED)
def test_a_word_that_does_not_count_is_refused_and_recorded(actor, comment, why):
    seen(OLD)
    seen(NEW)
    word("ada")

    with pytest.raises(AnchorsRefused, match=why):
        trusting.approve(
            AnchorFile.objects.waiting()[0], actor=actor, comment=comment, now=LATER
        )

    assert seen(NEW, LATER) == {20326}
    assert told()[-1] == "decision.refused"


def test_a_set_that_does_not_wait_needs_no_word():
    seen(OLD)

    with pytest.raises(AnchorsRefused, match="does not wait"):
        trusting.approve(
            AnchorFile.objects.get(), actor=manager("ada"), comment="x", now=NOW
        )


def test_the_page_about_machinery_shows_what_is_in_force():
    assert trusting.shown(a_world(NEW)) == read_anchors(NEW)
    seen(OLD)

    assert trusting.shown(a_world(NEW)) == read_anchors(OLD)
    assert AnchorFile.objects.count() == 1


def test_the_command_lists_sets_and_takes_the_words_of_two():
    group = Group.objects.get(name="zone manager")
    for name in ("ada", "bob"):
        User.objects.create_user(name, email=f"{name}@test.invalid").groups.add(group)
    seen(OLD)
    seen(NEW)
    digest = AnchorFile.objects.waiting()[0].digest[:12]

    def run(*arguments: str) -> str:
        out = io.StringIO()
        call_command("anchors", *arguments, stdout=out)
        return out.getvalue()

    assert "38696" in run("list")
    assert "approved by nobody" in run("list")
    first = run("approve", digest, "--as", "ada", "--comment", "their page")
    second = run("approve", digest, "--as", "bob", "--comment", "another way")
    with pytest.raises(CommandError, match="no active user"):
        run("approve", digest, "--as", "nobody", "--comment", "x")
    with pytest.raises(CommandError, match="0 sets begin"):
        run("approve", "ffff", "--as", "ada", "--comment", "x")

    assert "second person" in first
    assert second.strip() == "in force"
    stands = [json.loads(line) for line in run("list", "--json").splitlines()]
    assert {told["stand"] for told in stands} == {"trusted", "retired"}
