"""How the API answers: pages, problems, repeated writes, limits, caches."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings as trials, strategies as st

from bootstrap import clock
from bootstrap.models import AuditEntry, Domain, Note, StoredAnswer, WorkItem, Zone
from bootstrap.services import rates
from portal.api import bearers
from portal.api.paging import Where, page
from tests.support import rows

V1 = "/api/v1"
PROBLEM = "application/problem+json"


def post(client, path, body, **headers):
    return client.post(
        V1 + path, json.dumps(body), content_type="application/json", headers=headers
    )


def walk(client, path, **query):
    """Return all items of a list, page by page."""
    items, cursor = [], ""
    while True:
        told = client.get(V1 + path, query | {"cursor": cursor}).json()
        items += told["items"]
        cursor = told["next"]
        if cursor is None:
            return items


LISTS = {
    "/zones": "name",
    "/domains": "name",
    "/scans": "id",
    "/proposals": "id",
    "/publications": "id",
    "/sightings": "id",
    "/alarms": "id",
}


@pytest.mark.parametrize("path", LISTS)
def test_a_walk_by_small_pages_is_the_list(path, machine, registry):
    client = machine()

    small = [item[LISTS[path]] for item in walk(client, path, limit=3)]
    whole = [item[LISTS[path]] for item in walk(client, path, limit=200)]

    assert small == whole
    assert len(set(small)) == len(small) > 0


@pytest.mark.django_db
@trials(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    before=st.sets(st.integers(0, 99), max_size=12),
    added=st.lists(st.sets(st.integers(0, 99), max_size=3), max_size=12),
    limit=st.integers(1, 4),
)
def test_a_row_is_visited_once_while_others_are_added(before, added, limit):
    """Whatever is there from the start is seen; nothing is seen twice."""
    Domain.objects.all().delete()
    zone, _ = Zone.objects.get_or_create(name="p", created_at=rows.NOW)
    there: set[int] = set()

    def add(numbers):
        for number in numbers - there:
            rows.a_domain(zone, f"n{number:02}.p")
        there.update(numbers)

    add(before)
    seen, cursor = [], ""
    for more in [*added, *[set()] * 40]:
        told = page(Domain.objects.all(), Where(cursor=cursor, limit=limit), ["name"])
        seen += [row.name for row in told["items"]]
        add(more)
        cursor = told["next"]
        if cursor is None:
            break

    assert len(set(seen)) == len(seen)
    assert {f"n{number:02}.p" for number in before} <= set(seen)
    assert seen == sorted(seen)


def test_scans_of_the_same_moment_are_all_visited(machine, registry):
    domain = registry.domains["waiting"]
    for _ in range(7):
        rows.a_scan(domain, started_at=rows.NOW)

    found = walk(machine(), "/scans", domain=domain.name, limit=2)

    assert len({item["id"] for item in found}) == 8


QUERIES = dict.fromkeys(LISTS, 7) | {"/domains/lonely.example": 9}


@pytest.mark.parametrize("path", QUERIES)
def test_queries_do_not_grow_with_the_rows(
    path, machine, registry, django_assert_max_num_queries
):
    client = machine()
    client.get(V1 + path)  # notes that the token was used

    with django_assert_max_num_queries(QUERIES[path]):
        assert client.get(V1 + path, {"limit": 200}).status_code == 200


FILTERS = {
    "state=suspended": {"manual.example"},
    "q=LONELY": {"lonely.example"},
    "reason=SIG_NONE&q=lonely": {"lonely.example"},
    "zone=test.": set(),
}


@pytest.mark.parametrize("query", FILTERS)
def test_domains_are_filtered_as_on_the_page(query, machine, registry):
    told = machine().get(f"{V1}/domains?{query}").json()

    assert {item["name"] for item in told["items"]} == FILTERS[query]


def test_a_scan_is_told_with_all_that_it_saw(machine, registry):
    scan = registry.scans["alarm"]

    told = machine().get(f"{V1}/scans/{scan.pk}").json()

    assert told["domain"] == "forged.example"
    assert told["signals"] == scan.signals
    assert told["checks"] == scan.checks
    assert told["findings"][0]["reason"] == "SIG_BOGUS"


def test_a_change_is_told_with_what_was_said_sent_and_seen(machine, registry):
    told = machine().get(f"{V1}/proposals/{registry.proposals['settled'].pk}").json()

    assert told["publications"][0]["outcome"] == "applied"
    assert len(told["sightings"]) == 3
    said = machine().get(f"{V1}/proposals/{registry.proposals['rejected'].pk}").json()
    assert said["decisions"][0]["verb"] == "reject"


def test_an_entry_is_told_so_that_anybody_can_hash_it(machine, registry):
    import hashlib  # noqa: PLC0415 - for this test alone

    entry = registry.entries[0]
    told = machine("auditor").get(f"{V1}/audit/{entry.uid}").json()

    assert hashlib.sha256(told["canonical"].encode()).hexdigest() == told["sha256"]
    assert told["entry"] == json.loads(told["canonical"])
    assert {d["name"] for d in told["disclosures"]} == {"actor", "comment"}


def test_a_list_of_entries_tells_no_personal_value(machine, registry):
    assert "alert(1)" not in machine("auditor").get(f"{V1}/audit").text


WRONG = {
    "an unknown address": ("GET", "/nothing/here", 404),
    "a foreign domain": ("GET", "/domains/bank.elsewhere", 404),
    "no name": ("GET", "/domains/a..b", 404),
    "a limit of nothing": ("GET", "/domains?limit=0", 422),
    "a forged cursor": ("GET", "/domains?cursor=WyJhIl0", 422),
    "a state that is none": ("GET", "/domains?state=happy", 422),
    "an octet of zero": ("GET", "/domains?q=%00", 422),
    "an id that is none": ("GET", "/scans/1", 422),
    "another method": ("DELETE", "/domains", 405),
    "no body": ("POST", "/scan-requests", 422),
}


@pytest.mark.parametrize("case", WRONG)
def test_every_error_is_a_problem_document(case, machine, registry):
    method, path, status = WRONG[case]

    answer = machine().generic(method, V1 + path, content_type="application/json")

    assert answer.status_code == status
    assert answer["Content-Type"] == PROBLEM
    told = answer.json()
    assert told["status"] == status
    assert told["request"] == answer["X-Request-ID"]


def test_a_cursor_of_another_list_is_refused(machine, registry):
    client = machine()
    cursor = client.get(f"{V1}/domains?limit=1").json()["next"]

    assert client.get(f"{V1}/zones", {"cursor": cursor}).status_code == 422


def test_a_fault_of_ours_says_nothing_about_the_inside(machine, registry, monkeypatch):
    """S-113: the page is constant, the log has the trace."""
    from bootstrap.services import evidence  # noqa: PLC0415 - after Django's setup

    def broken(digest):
        raise RuntimeError("SELECT secret FROM table")

    monkeypatch.setattr(evidence, "octets_of", broken)
    scan = registry.proposals["candidate"]
    scan.scan.evidence = scan.evidence
    scan.scan.save()

    answer = machine().get(f"{V1}/scans/{scan.scan_id}/evidence")

    assert answer.status_code == 500
    assert answer["Content-Type"] == PROBLEM
    assert "SELECT" not in answer.text


def test_without_a_token_the_answer_says_how_to_come_in(client, db):
    answer = client.get(f"{V1}/domains")

    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Content-Type"] == PROBLEM


def test_a_scan_is_asked_for_and_who_asked_is_in_the_trail(machine, registry):
    answer = post(machine(), "/scan-requests", {"domain": "lonely.example"})

    assert answer.status_code == 202
    work = WorkItem.objects.get(domain=registry.domains["waiting"])
    assert work.trigger == "staff"
    entry = AuditEntry.objects.filter(type="scan.requested").latest("pk")
    assert b'"via":"api:' in bytes(entry.body)


def test_a_whole_zone_is_scanned_and_called_back(machine, registry):
    zone = {"zone": "example"}
    here = Domain.objects.filter(zone__name="example", removed_at=None)

    started = post(machine(), "/scan-runs", zone)
    recalled = post(machine(), "/scan-runs/recall", zone)

    assert (started.status_code, recalled.status_code) == (202, 202)
    assert started.json() == {"zone": "example", "count": here.count()}
    assert recalled.json()["count"] == here.count()
    assert post(machine(), "/scan-runs", {"zone": "nowhere"}).status_code == 404
    assert AuditEntry.objects.filter(type="scans.started").count() == 1


def test_a_remark_is_written_beside_a_child_or_a_change_of_it(machine, registry):
    proposal = registry.proposals["candidate"]
    asked = {"domain": proposal.domain.name, "text": "Told the operator"}
    beside = asked | {"proposal": str(proposal.pk)}

    assert post(machine(), "/notes", asked).status_code == 200
    assert post(machine(), "/notes", beside).status_code == 200
    kept = list(Note.objects.order_by("-pk").values_list("text", "proposal")[:2])
    assert kept == [("Told the operator", proposal.pk), ("Told the operator", None)]
    elsewhere = beside | {"domain": "lonely.example"}
    assert post(machine(), "/notes", elsewhere).status_code == 404
    assert post(machine(), "/notes", asked | {"text": ""}).status_code == 422


def test_automation_goes_off_and_on(machine, registry):
    client, domain = machine(), registry.domains["waiting"]
    asked = {"domain": domain.name, "reason": "HOLDER_OPT_OUT", "note": "by letter"}

    assert post(client, "/suspensions", asked).json()["changed"] is True
    assert post(client, "/suspensions", asked).json()["changed"] is False
    domain.refresh_from_db()
    assert domain.suspension == "HOLDER_OPT_OUT"
    asked = {"domain": domain.name, "note": "by letter"}
    assert post(client, "/resumptions", asked).json()["changed"] is True
    domain.refresh_from_db()
    assert domain.suspension == ""


def test_an_alarm_is_acknowledged_until_it_has_ended(machine, registry):
    alarm = registry.alarms[0]
    path = f"/alarms/{alarm.pk}/acknowledgement"

    assert post(machine(), path, {"comment": "seen"}).status_code == 200
    alarm.refresh_from_db()
    assert (alarm.acknowledged_by, alarm.comment) == ("approver", "seen")
    alarm.closed_at = clock.now()
    alarm.save()
    assert post(machine(), path, {"comment": "seen"}).status_code == 409
    assert post(machine(), path, {"comment": ""}).status_code == 422


def test_a_repeated_write_is_done_once_and_answered_alike(machine, registry):
    client, asked = machine(), {"domain": "lonely.example"}
    key = {"Idempotency-Key": "one"}

    first = post(client, "/scan-requests", asked, **key)
    second = post(client, "/scan-requests", asked, **key)

    assert first.json() == second.json()
    assert first.status_code == second.status_code == 202
    assert second["Idempotency-Replayed"] == "true"
    told = AuditEntry.objects.filter(stream="child:lonely.example.")
    assert told.filter(type="scan.requested").count() == 1


def test_a_key_is_good_for_one_request_of_one_token_and_for_a_day(machine, registry):
    client, key = machine(), {"Idempotency-Key": "one"}
    post(client, "/scan-requests", {"domain": "lonely.example"}, **key)
    other = {"domain": "slow.example"}

    assert post(client, "/scan-requests", other, **key).status_code == 422
    assert post(machine(), "/scan-requests", other, **key).status_code == 202
    StoredAnswer.objects.update(at=clock.now() - timedelta(hours=25))
    assert post(client, "/scan-requests", other, **key).status_code == 202
    long = {"Idempotency-Key": "x" * 256}
    assert post(client, "/scan-requests", other, **long).status_code == 422


def test_a_refused_write_may_be_sent_again_with_its_key(machine, registry):
    client, key = machine(), {"Idempotency-Key": "one"}
    domain = registry.domains["waiting"]
    Domain.objects.filter(pk=domain.pk).update(removed_at=clock.now())
    asked = {"domain": domain.name}

    assert post(client, "/scan-requests", asked, **key).status_code == 409
    Domain.objects.filter(pk=domain.pk).update(removed_at=None)
    assert post(client, "/scan-requests", asked, **key).status_code == 202


def test_what_has_not_changed_is_not_sent_again(machine, registry):
    client, url = machine(), f"{V1}/domains/lonely.example"
    etag = client.get(url)["ETag"]

    again = client.get(url, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    Domain.objects.filter(name="lonely.example").update(registrar="Another")
    assert client.get(url, headers={"If-None-Match": etag}).status_code == 200
    assert client.head(url).status_code == 200


def test_a_token_that_asks_too_often_is_told_when_to_come_again(
    machine, registry, monkeypatch
):
    slow = rates.Rate(timedelta(seconds=30), 2)
    monkeypatch.setattr(bearers, "PER_TOKEN", slow)
    client = machine()

    answers = [client.get(f"{V1}/zones") for _ in range(3)]

    assert [a.status_code for a in answers] == [200, 200, 429]
    assert 1 <= int(answers[2]["Retry-After"]) <= 30
    assert answers[2]["Content-Type"] == PROBLEM
    assert machine().get(f"{V1}/zones").status_code == 200


def test_the_status_is_open_and_limited_by_network(registry, settings):
    """S-109: burst 10; a forged header has no effect; a neighbour shares the bucket."""
    settings.PUBLIC_BURST, settings.PUBLIC_PER_MINUTE = 10, 30
    codes = [
        Client(REMOTE_ADDR=f"198.51.100.{n}")
        .get(f"{V1}/status/lonely.example", headers={"X-Forwarded-For": f"192.0.2.{n}"})
        .status_code
        for n in range(11)
    ]
    elsewhere = Client(REMOTE_ADDR="203.0.113.1").get(f"{V1}/status/lonely.example")

    assert codes == [200] * 10 + [429]
    assert elsewhere.status_code == 200


def test_guessing_tokens_is_limited_by_network(db, settings):
    settings.PUBLIC_BURST, settings.PUBLIC_PER_MINUTE = 10, 30
    client = Client(headers={"Authorization": "Bearer dsb_000000000000_guess"})

    codes = [client.get(f"{V1}/zones").status_code for _ in range(11)]

    assert codes == [401] * 10 + [429]


def test_unknown_names_and_names_of_others_say_the_same(client, registry):
    def told(name):
        answer = client.get(f"{V1}/status/{name}")
        return answer.status_code, answer.json() | {"request": ""}

    assert told("not-there.example") == told("bank.elsewhere") == told("a..b")
    assert told("not-there.example")[0] == 404


def test_the_status_says_what_the_public_page_says(client, registry):
    """S-108: nothing of staff, registrar or holder."""
    Domain.objects.update(registrar="SECRET", suspension_note="SECRET")

    told = client.get(f"{V1}/status/lonely.example")

    on_page = client.get("/status/lonely.example/json").json()
    assert told.json() | {"next_look": ""} == on_page | {"next_look": ""}
    assert "SECRET" not in told.text


def test_the_document_and_its_page_come_from_our_own_files(client, db):
    page_of_docs = client.get(f"{V1}/docs")
    document = client.get(f"{V1}/openapi.json").json()

    assert page_of_docs.status_code == document_status(document)
    assert "http" not in page_of_docs.text.replace("https://www.w3.org", "")
    assert "unsafe" not in page_of_docs["Content-Security-Policy"]
    assert "application/problem+json" in json.dumps(document)


def document_status(document) -> int:
    return 200 if document["openapi"].startswith("3.") else 0
