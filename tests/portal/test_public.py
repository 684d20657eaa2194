"""What anybody sees without an account: a name's page, its JSON, and health."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from bootstrap import clock
from bootstrap.models import Domain, DomainState, Heartbeat
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
    for domain in Domain.objects.exclude(name=rows.HOSTILE_NAME):
        for url in (f"/status/{domain.name}", f"/status/{domain.name}/json"):
            text = client.get(url).text
            assert "SECRET" not in text
            assert "approver" not in text


def test_what_to_change_is_ready_to_copy(client, registry):
    told = client.get("/status/lonely.example/json").json()

    assert told["publish"] == [
        f"_dsboot.lonely.example._signal.{host}. CDS {rows.ds()}"
        for host in ("ns1.operator.net", "ns2.operator.net")
    ]
    assert told["reason"] == "SIG_NONE"
    assert told["publish"][0] in client.get("/status/lonely.example").text


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


@pytest.mark.parametrize("typed", ["a..b", "x" * 70 + ".example", "<script>"])
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
