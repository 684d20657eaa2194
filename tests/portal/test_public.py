"""What anybody sees without an account: a name's page, its JSON, and health."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from xml.dom import minidom

import pytest
from django.test import Client

from bootstrap import clock
from bootstrap.models import (
    Domain,
    DomainState,
    Heartbeat,
    Proposal,
    ScanAttempt,
    ScanFinding,
    WorkItem,
    Zone,
)
from portal.status import presenters
from tests.support import rows


@pytest.mark.parametrize("state", [s.value for s in DomainState])
def test_every_state_has_a_public_page_with_one_sentence(state, client, registry):
    domain = Domain.objects.filter(state=state).exclude(name=rows.HOSTILE_NAME)[0]

    answer = client.get(f"/status/{domain.name}")

    assert answer.status_code == 200
    assert any(s.sentence in answer.text for s in presenters.STANDINGS.values())


def test_alarms_are_not_told_to_the_public(client, registry):
    page = client.get("/status/forged.example")
    told = client.get("/status/forged.example/json").json()

    assert "alarm" not in page.text
    assert told["state"] == "announced"


def plain(answer, name):
    """Return a page without the name that was asked for and the form's token."""
    return re.sub(r'value="[A-Za-z0-9]{64}"', "", answer.text.replace(name, ""))


def test_a_name_that_we_do_not_know_and_a_foreign_one_say_the_same(client, registry):
    unknown = client.get("/status/not-there.example")
    foreign = client.get("/status/bank.elsewhere")
    gone = registry.domains["signed"]
    gone.removed_at = clock.now()
    gone.save()

    assert unknown.status_code == foreign.status_code == 404
    assert plain(unknown, "not-there.example") == plain(foreign, "bank.elsewhere")
    assert client.get(f"/status/{gone.name}").status_code == 404
    assert (
        client.get("/status/x.elsewhere/json").json()
        == client.get("/status/not-there.example/json").json()
    )


def test_nothing_of_staff_registrar_or_holder_appears(client, registry):
    """S-108."""
    Domain.objects.update(
        registrar="SECRET-REGISTRAR", suspension_note="SECRET-NOTE", statuses=["SECRET"]
    )
    ScanAttempt.objects.update(
        checks=[
            {"id": "x", "result": "fail", "reasons": [], "detail": "SECRET-DETAIL"}
        ],
        findings=[{"reason": "NS_OK_DATA", "kind": "I", "detail": "SECRET-FINDING"}],
    )
    ScanFinding.objects.update(detail="SECRET-FINDING")
    Proposal.objects.update(requested_by="SECRET-PERSON")
    urls = [
        f"/status/{domain.name}{end}"
        for domain in Domain.objects.exclude(name=rows.HOSTILE_NAME)
        for end in ("", "/json", "/look", "/badge.svg")
    ]
    urls += [
        f"/r/{scan.pk}{end}"
        for scan in ScanAttempt.objects.all()
        for end in ("", "/json")
    ]
    for url in urls:
        text = client.get(url).text
        assert "SECRET" not in text
        assert "approver" not in text


def test_what_to_change_is_ready_to_copy(client, registry):
    told = client.get("/status/lonely.example/json").json()
    key = registry.scans["waiting"].nameservers[0]["answers"][2]["records"][0]

    assert told["publish"] == [
        f"_dsboot.lonely.example._signal.{host}. {record}"
        for host in ("ns1.operator.net", "ns2.operator.net")
        for record in (f"CDS {rows.ds()}", f"CDNSKEY {key}")
    ]
    assert told["reason"] == "SIG_NONE"
    page = client.get("/status/lonely.example").text
    assert told["publish"][0] in page
    assert "knotc zone-commit _signal.ns1.operator.net." in page
    assert "direct-dnskey=yes" in page


def test_the_owner_gets_words_to_send(client, registry):
    page = client.get("/status/lonely.example").text
    letter = page[page.index('id="letter"') :]

    assert "http://testserver/status/lonely.example" in letter
    assert "secure our domain lonely.example with DNSSEC" in letter


def test_check_now_queues_a_look_and_shows_it_happening(client, registry):  # P-5.64
    answer = client.post("/status/lonely.example/check")

    assert answer["Location"] == "/status/lonely.example/look"
    work = WorkItem.objects.get(domain__name="lonely.example")
    assert work.trigger == "owner"
    page = client.get(answer["Location"])
    assert 'hx-trigger="every 4s"' in page.text
    assert 'http-equiv="refresh"' in page.text
    assert "no-store" in page["Cache-Control"]


def test_a_second_check_must_wait_and_is_told_for_how_long(client, registry):
    client.post("/status/lonely.example/check")
    WorkItem.objects.update(due_at=clock.now() + timedelta(days=1))

    answer = client.post("/status/lonely.example/check")

    assert answer.status_code == 429
    assert 290 <= int(answer["Retry-After"]) <= 300
    page = client.get("/status/lonely.example").text
    assert "The next check can be asked for at" in page
    assert "Check now" not in page


def test_nobody_checks_what_we_do_not_act_for(client, registry):
    assert client.post("/status/bank.elsewhere/check").status_code == 404
    assert client.get("/status/lonely.example/check").status_code == 405
    assert not WorkItem.objects.exists()


def test_a_check_needs_the_token_of_our_form(registry):
    answer = Client(enforce_csrf_checks=True).post("/status/lonely.example/check")

    assert answer.status_code == 403
    assert not WorkItem.objects.exists()


@pytest.fixture
def measured(settings):
    # one a minute: a slow machine earns no further page during a test
    settings.PUBLIC_BURST, settings.PUBLIC_PER_MINUTE = 10, 1


PAGES = (
    "/status/",
    "/status/lonely.example",
    "/status/lonely.example/json",
    "/status/lonely.example/badge.svg",
    "/status/unknown.example",
)


def test_a_network_opens_ten_pages_at_once_and_then_waits(client, registry, measured):
    """S-109."""
    asked = [
        client.get(url, REMOTE_ADDR=f"192.0.2.{number}")
        for number, url in enumerate(PAGES * 3)
    ]

    assert [a.status_code == 429 for a in asked] == [False] * 10 + [True] * 5
    assert 1 <= int(asked[-1]["Retry-After"]) <= 60
    assert client.get("/status/", REMOTE_ADDR="198.51.100.1").status_code == 200


def test_a_forged_header_buys_no_other_bucket(client, registry, measured):
    """S-109."""
    asked = [
        client.get("/status/", headers={"X-Forwarded-For": f"10.{number}.0.1"})
        for number in range(11)
    ]

    assert asked[-1].status_code == 429


def test_behind_a_proxy_the_nearest_word_counts(client, registry, measured, settings):
    settings.TRUSTED_PROXIES = 1
    for number in range(10):
        told = f"10.{number}.0.1, 203.0.113.7"
        client.get("/status/", headers={"X-Forwarded-For": told})

    same = client.get("/status/", headers={"X-Forwarded-For": "203.0.113.9"})
    other = client.get("/status/", headers={"X-Forwarded-For": "198.51.100.9"})

    assert (same.status_code, other.status_code) == (429, 200)


@pytest.mark.parametrize("state", [s.value for s in DomainState])
def test_the_badge_is_a_picture_of_the_public_word(state, client, registry):
    domain = Domain.objects.filter(state=state).exclude(name=rows.HOSTILE_NAME)[0]

    answer = client.get(f"/status/{domain.name}/badge.svg")

    assert answer["Content-Type"] == "image/svg+xml"
    assert presenters.short_badge_of(domain).word in answer.text
    parsed = minidom.parseString(answer.text)  # noqa: S318 - our own text
    assert [node.nodeName for node in parsed.childNodes] == ["svg"]
    assert "public" in answer["Cache-Control"]


def test_an_evaluation_keeps_its_page_whatever_happens_later(client, registry):
    scan = registry.scans["waiting"]
    before = client.get(f"/r/{scan.pk}").text

    Domain.objects.filter(pk=scan.domain_id).update(
        state="secured", last_reason="UPD_IN_SYNC", nameservers=["ns.new.example"]
    )
    rows.a_scan(scan.domain)

    assert plain(client.get(f"/r/{scan.pk}"), "") == re.sub(
        r'value="[A-Za-z0-9]{64}"', "", before
    )
    assert client.get(f"/r/{scan.pk}/json").json()["reason"] == "SIG_NONE"
    assert client.get(f"/r/{uuid.uuid4()}").status_code == 404


def test_a_report_of_a_name_that_is_gone_is_gone(client, registry):
    scan = registry.scans["waiting"]
    Domain.objects.filter(pk=scan.domain_id).update(removed_at=clock.now())

    assert client.get(f"/r/{scan.pk}").status_code == 404


TYPED = {
    "lonely.example": "/status/lonely.example",
    " LONELY.Example. ": "/status/lonely.example",
    "bücher.example": "/status/xn--bcher-kva.example",
}


@pytest.mark.parametrize("typed", TYPED)
def test_a_typed_name_leads_to_its_permanent_page(typed, client, db):
    answer = client.get("/status/", {"name": typed})

    assert answer.status_code == 302
    assert answer["Location"] == TYPED[typed]


@pytest.mark.parametrize(
    "typed",
    [
        "a..b",
        "x" * 70 + ".example",
        "<script>",
        "\x00",
        "\u202eevil.example",
        "a" * 5000,
    ],
)
def test_what_is_no_name_is_said_to_be_none_and_stays_text(typed, client, db):
    answer = client.get("/status/", {"name": typed})

    assert answer.status_code in {302, 400}
    assert "<script>" not in answer.text


def test_a_page_may_be_kept_for_a_minute_by_its_reader_alone(client, registry):
    kept = client.get("/status/lonely.example")["Cache-Control"]

    assert set(kept.split(", ")) == {"private", "max-age=60"}


def test_health_is_up_when_database_and_workers_are(client, db):
    Heartbeat.objects.create(name="worker", at=clock.now())

    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "up"
    assert answer.json()["database"] == {"ok": True}


@pytest.mark.parametrize("age", [None, timedelta(minutes=4)])
def test_health_is_down_when_the_canary_is_silent(age, client, db):
    if age is not None:
        Heartbeat.objects.create(name="worker", at=clock.now() - age)

    assert client.get("/healthz").status_code == 503
    assert client.get("/healthz/worker").status_code == 503
    assert client.get("/healthz/live").status_code == 200
    assert client.get("/healthz/ready").status_code == 200


def test_the_appearance_is_remembered_without_any_script(client, db):
    answer = client.post("/theme/", {"theme": "dark", "back": "/status/"})

    assert answer["Location"] == "/status/"
    assert 'data-theme="dark"' in client.get("/status/").text
    client.post("/theme/", {"theme": ""})
    assert "data-theme" not in client.get("/status/").text


def test_the_way_back_never_leads_elsewhere(client, db):
    answer = client.post("/theme/", {"theme": "dark", "back": "https://evil.example/"})

    assert answer["Location"] == "/"


def test_the_ds_set_is_there_for_everybody_to_see(client, registry):  # P-5.16
    domain = next(d for d in Domain.objects.filter(state="secured") if d.ds)

    page = client.get(f"/status/{domain.name}").text
    told = client.get(f"/status/{domain.name}/json").json()

    assert all(f"<code>{record}</code>" in page for record in domain.ds)
    assert told["ds"] == sorted(domain.ds)
    assert "removed" not in page[page.index("At the parent zone") :]


def test_after_a_removal_the_page_says_when_caches_are_clear(client, registry):
    """P-4.26: the operator may take its keys away then, and not before."""
    removed = clock.now() - timedelta(hours=2)
    Domain.objects.filter(name="lonely.example").update(ds=[], oob_change_at=removed)
    clear = removed + timedelta(seconds=Zone.objects.get(name="example").ds_ttl)

    page = client.get("/status/lonely.example").text
    told = client.get("/status/lonely.example/json").json()

    assert f"{clear:%Y-%m-%d %H:%M}" in page
    assert told["ds_removed"] == removed.isoformat()
    assert told["caches_clear"] == clear.isoformat()
    Domain.objects.update(oob_change_at=clock.now() - timedelta(days=15))
    assert client.get("/status/lonely.example/json").json()["ds_removed"] is None
