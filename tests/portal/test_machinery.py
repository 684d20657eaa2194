"""Our own parts on pages, and rules of zones that two persons change."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from bootstrap import clock
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.models import (
    Breaker,
    Checkpoint,
    Delivery,
    RulesChange,
    Switch,
    Webhook,
    WorkItem,
    Zone,
)
from bootstrap.services import heartbeats, leasing, zones
from portal.dashboard.rulesforms import RulesForm
from tests.support import rows

from .conftest import enter


@pytest.fixture
def reader(registry):
    return enter(rows.a_reader())


@pytest.fixture
def managers(registry):
    return [enter(rows.a_person(name, "zone manager")) for name in ("mia", "max")]


def typed(zone: Zone, **columns):
    """Return the form as a browser sends it, with these fields typed anew."""
    form = RulesForm.of(zone, zones.policy_of(zone))
    sent = {}
    for name in form.fields:
        value = form[name].field.prepare_value(form[name].initial)
        if value is not None and value is not False:
            sent[name] = "on" if value is True else value
    return sent | {"reason": "The operators asked", "step": "ask"} | columns


def test_rules_change_when_a_second_person_confirms_what_the_first_wrote(
    managers, registry
):
    zone = Zone.objects.get(name="test")
    mia, other = managers
    form = typed(zone, routing="review", policy_max_records="4")

    answer = mia.post(reverse("dashboard:rules-ask", args=[zone.pk]), form)

    change = RulesChange.objects.get(zone=zone)
    assert answer["Location"] == reverse("dashboard:rules", args=[change.pk])
    assert change.settings == {"routing": "review"}
    page = other.get(answer["Location"]).text
    assert "max_records" in page
    assert "of 0 evaluations of last week" in page
    decide = reverse("dashboard:rules-decide", args=[change.pk])
    said = {"verb": "confirm", "comment": "agreed"}
    assert mia.post(decide, said).status_code == 409
    zone.refresh_from_db()
    assert zone.routing == "auto"

    assert other.post(decide, said).status_code == 302

    zone.refresh_from_db()
    assert zone.routing == "review"
    assert zones.policy_of(zone).max_records == 4


def test_a_preview_of_rules_writes_nothing(managers):
    zone = Zone.objects.get(name="test")
    form = typed(zone, ds_ttl="7200", step="preview")

    page = managers[0].post(reverse("dashboard:rules-ask", args=[zone.pk]), form).text

    assert "<ins>7200</ins>" in page
    assert not RulesChange.objects.filter(zone=zone).exists()


@pytest.mark.parametrize(
    "nonsense",
    [
        {"policy_digests": "2, x"},
        {"ds_ttl": "-1"},
        {"routing": "coin"},
        {"reason": ""},
        {"max_removed_share": "2"},
    ],
    ids=str,
)
def test_rules_without_sense_are_shown_again_and_not_written(nonsense, managers):
    zone = Zone.objects.get(name="test")
    url = reverse("dashboard:rules-ask", args=[zone.pk])

    assert managers[0].post(url, typed(zone, **nonsense)).status_code == 422
    assert not RulesChange.objects.filter(zone=zone).exists()


def test_an_unusable_address_is_refused_with_its_reason(managers):
    zone = Zone.objects.get(name="test")
    url = reverse("dashboard:rules-ask", args=[zone.pk])

    managers[0].post(url, typed(zone, primary="not an address"))
    change = RulesChange.objects.get(zone=zone)
    decide = reverse("dashboard:rules-decide", args=[change.pk])
    answer = managers[1].post(decide, {"verb": "confirm", "comment": "x"})

    assert answer.status_code == 409
    assert "not an address" in answer.text
    zone.refresh_from_db()
    assert zone.primary == "192.0.2.53#53"


def test_every_part_of_the_policy_but_the_sites_own_is_in_the_form():
    form = RulesForm.of(Zone(name="x"), AcceptancePolicy())
    names = {name.removeprefix("policy_") for name in form.fields}

    assert zones.text_of(AcceptancePolicy()).keys() - names == {"skip_families"}


def test_a_running_scan_shows_who_has_what_and_what_goes_wrong(reader, registry):
    now = clock.now()
    blocked = registry.domains["blocked"].pk
    leasing.take_all([blocked], holder="w1:7", now=now, term=timedelta(minutes=4))
    rows.a_scan(registry.domains["blocked"], "retry", "NS_TIMEOUT", started_at=now)

    part = reader.get("/scans/running/", headers={"HX-Request": "true"}).text

    assert "w1:7" in part
    assert "NS_TIMEOUT" in part
    assert "<html" not in part


def test_a_zone_is_started_and_stopped_from_the_page(reader, registry):
    form = {"zone": "example"}
    reader.post(reverse("dashboard:scans-start"), form)
    due = WorkItem.objects.filter(priority=1, due_at__lte=clock.now()).count()
    assert due == registry.zone.domains.filter(removed_at=None).count()

    reader.post(reverse("dashboard:scans-stop"), form)

    assert not WorkItem.objects.filter(priority=1).exists()
    assert (
        reader.post(reverse("dashboard:scans-start"), {"zone": "x"}).status_code == 302
    )


def test_publication_is_stopped_and_goes_on_with_reasons(reader):
    reader.post(reverse("dashboard:switch-engage"), {"comment": ""})
    assert not Switch.objects.filter(engaged=True).exists()

    reader.post(reverse("dashboard:switch-engage"), {"comment": "Odd answers"})
    assert "Publication is stopped: Odd answers" in reader.get("/system/").text

    reader.post(reverse("dashboard:switch-release"), {"comment": "Understood"})
    assert not Switch.objects.filter(engaged=True).exists()


def test_a_breaker_is_released_by_two_persons(registry):
    breaker = Breaker.objects.create(
        scope="global", reason="bootstraps", opened_at=clock.now()
    )
    url = reverse("dashboard:breaker-release", args=[breaker.pk])
    one, two = (enter(rows.a_person(name, "approver")) for name in ("ann", "bob"))
    for browser in (one, one):
        browser.post(url, {"comment": "Looked at all of them"})
        breaker.refresh_from_db()
        assert breaker.released_at is None
    assert "<strong>ann</strong> wants it released" in two.get("/system/").text

    two.post(url, {"comment": "So did I"})

    breaker.refresh_from_db()
    assert breaker.released_at is not None


def test_the_system_page_tells_parts_anchors_and_ledger(reader):
    heartbeats.beat("publisher", now=clock.now())
    Checkpoint.objects.create(size=42, root=b"x" * 32, note="", at=clock.now())

    text = reader.get("/system/").text

    assert "publisher" in text
    assert "20326" in text
    assert re.search(r"Entries sealed</dt><dd>42<", text)
    assert "Our clock against NTP" in text  # P-8.7


def test_settings_that_hold_nonsense_are_told_on_the_page(reader, settings):
    settings.BOOTSTRAP = {**settings.BOOTSTRAP, "DNS_PORT": "many"}

    assert "DNS_PORT" in reader.get("/system/").text


def test_the_system_page_tells_how_webhooks_fare(reader):
    now = clock.now()
    assert "No other machine is told of events." in reader.get("/system/").text
    hook = Webhook.objects.create(
        url="https://hooks.example/T0P-SECRET",
        secret="T0P-SECRET",
        events=["proposal.*"],
        created_at=now,
    )
    Delivery.objects.create(
        webhook=hook, due_at=now, attempts=9, tried_at=now, status=500, given_up_at=now
    )
    Delivery.objects.create(webhook=hook, due_at=now)

    text = reader.get("/system/").text

    assert "hooks.example" in text
    assert "proposal.*" in text
    assert "given up" in text
    assert "answered 500" in text
    assert '<td class="num" data-label="Waiting">1</td>' in text
    assert "T0P-SECRET" not in text
