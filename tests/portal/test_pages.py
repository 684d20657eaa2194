"""What pages show: everything, escaped, in few queries, and never stored by caches."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bootstrap import clock
from bootstrap.core.tlog.types import EntryType
from bootstrap.core.workflow.lifecycle import State
from bootstrap.models import (
    DailyFigures,
    Domain,
    DomainState,
    OperatorFinding,
    Proposal,
    ZoneRole,
)
from bootstrap.services import notes, operators, statistics
from bootstrap.services.actors import Actor, ActorKind
from portal import access, words
from tests.support import rows

from .conftest import enter
from .test_doors import READ, STAFF_PAGES, address

LISTS = (
    "overview",
    "queue",
    "domains",
    "scans",
    "zones",
    "alarms",
    "trail",
    "operators",
    "people",
)
DETAILS = (
    "proposal",
    "domain",
    "scan",
    "compare",
    "zone",
    "entry",
    "system",
    "rules",
    "running",
    "operator",
    "readiness",
    "person",
    "tokens",
)


SOMEBODY = Actor(ActorKind.STAFF, "somebody", "dashboard", frozenset({access.COMMENT}))


@pytest.fixture
def reader(registry):
    """A browser whose account may read every page and press every button."""
    return enter(rows.a_reader())


def count_queries(browser, url) -> int:
    browser.get(url)  # what a first request alone does
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert browser.get(url).status_code == 200
    return len([q for q in caught if "SAVEPOINT" not in q["sql"]])


@pytest.mark.parametrize("page", LISTS)
def test_a_list_takes_at_most_ten_queries(page, reader, registry):
    assert count_queries(reader, address(page, registry)) <= 10


@pytest.mark.parametrize("page", DETAILS)
def test_a_detail_page_takes_at_most_25_queries(page, reader, registry):
    assert count_queries(reader, address(page, registry)) <= 25


@pytest.mark.parametrize("page", sorted(READ))
def test_the_queries_of_a_page_do_not_grow_with_its_rows(page, reader, registry):
    url = address(page, registry)
    grow(registry, range(2))
    before = count_queries(reader, url)
    grow(registry, range(2, 12))

    assert count_queries(reader, url) == before


def grow(registry, numbers):
    """Give every table more rows, about the very things that pages are about."""
    finding, candidate = registry.finding, registry.proposals["candidate"]
    told = [registry.domains["blocked"], candidate.domain]
    for number in numbers:
        rows.a_zone(f"zone-{number}.example")
        domain = rows.a_domain(
            registry.zone,
            f"more-{number}.example",
            state=DomainState.WAITING,
            last_outcome="nothing",
            last_reason=finding.reason,
            ns_key=finding.ns_key,
        )
        rows.a_proposal(domain, rows.a_scan(domain))
        rows.an_alarm(domain, "SIG_BOGUS", domain.name)
        rows.a_finding(f"{number:064x}")
        for row in told:
            rows.a_scan(row, started_at=rows.NOW - timedelta(hours=number))
            rows.an_alarm(row, "SIG_BOGUS", f"{row.name} {number}")
            rows.an_entry(row, EntryType.DELEGATION_NS_CHANGED)
            notes.write(row, "Seen", actor=SOMEBODY, now=rows.NOW)
        rows.a_vote(candidate, f"person-{number}")
        rows.a_breaker(f"operator-{number}.net")


def test_a_preview_of_many_takes_no_more_queries_than_one_of_few(reader, registry):
    """Nothing is asked of the database once for each of the chosen."""
    grow(registry, range(12))
    preview_queries(reader, 1)  # what a first request alone does

    assert preview_queries(reader, 12) == preview_queries(reader, 2) <= 25


def preview_queries(browser, count) -> int:
    waiting = Proposal.objects.filter(state="candidate")[:count]
    chosen = {"verb": "approve", "chosen": [str(row.pk) for row in waiting]}
    with CaptureQueriesContext(connection) as caught:
        page = browser.post(reverse("dashboard:batch"), chosen).text
    assert page.count('class="diff"') >= count
    return len(caught)


@pytest.mark.parametrize("page", [page for page in LISTS if page != "people"])
def test_a_list_without_rows_says_what_to_do(page, db):
    browser = enter(rows.a_reader())

    answer = browser.get(reverse(f"dashboard:{page}"))

    assert answer.status_code == 200
    assert 'class="empty"' in answer.text


def hostile_addresses(registry):
    proposal = registry.proposals["hostile"]
    finding = registry.finding
    hosts = [rows.HOSTILE_HOST, rows.HOSTILE]
    OperatorFinding.objects.update(nameservers=hosts, reason=rows.HOSTILE)
    Domain.objects.filter(ns_key=finding.ns_key).update(
        nameservers=hosts, last_reason=rows.HOSTILE
    )
    return {
        "operators": "/operators/",
        "operator": f"/operators/{finding.ns_key}/",
        "readiness": address("readiness", registry),
        "overview": "/",
        "queue": "/queue/",
        "proposal": reverse("dashboard:proposal", args=[proposal.pk]),
        "domains": "/domains/",
        "domain": reverse("dashboard:domain", args=[proposal.domain_id]),
        "scans": "/scans/",
        "scan": reverse("dashboard:scan", args=[proposal.scan_id]),
        "compare": reverse(
            "dashboard:compare", args=[proposal.scan_id, proposal.scan_id]
        ),
        "alarms": "/alarms/",
        "entry": address("entry", registry),
        "trail": "/audit/",
        "admin": reverse("admin:bootstrap_proposal_change", args=[proposal.pk]),
        "status": reverse("status:name", args=[proposal.domain.name]),
    }


NOT_HOSTILE = {
    "zones",
    "zone",
    "running",
    "system",
    "rules",
    "operator-csv",
    "operator-json",
    "tokens",
}
"""Pages that show nothing from outside, and lists that no browser takes for pages."""


@pytest.mark.parametrize(
    "page", sorted({*STAFF_PAGES, "entry", "trail", "admin", "status"} - NOT_HOSTILE)
)
def test_no_text_from_outside_becomes_markup(page, reader, registry):
    """S-51: script tags, quotes and direction marks stay letters, or are escaped."""
    url = hostile_addresses(registry)[page]

    text = reader.get(url).text

    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "onx='" not in text


def test_a_hostile_name_is_still_there_to_be_read(reader, registry):
    text = reader.get(hostile_addresses(registry)["scan"]).text

    assert html.escape(rows.HOSTILE) in text
    assert r"\u{202e}gro" in text
    assert r"\027]0;x\007" in text


def test_what_staff_sees_is_kept_out_of_caches(reader, registry):
    for page in READ:
        answer = reader.get(address(page, registry))

        assert answer["Cache-Control"] == "no-store, private", page


def test_every_answer_carries_the_same_headers(reader, registry, client):
    """S-101, S-114: also redirects, refusals, errors and static files."""
    answers = (
        reader.get("/"),
        client.get("/"),
        client.get("/nothing-here"),
        client.get("/static/portal/style.css"),
        client.post("/theme/"),
        client.get("/status/unknown.example"),
    )
    for answer in answers:
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Permissions-Policy"]
        assert len(answer["X-Request-ID"]) == 32
        answer.close()


@pytest.mark.parametrize("state", DomainState.values)
def test_every_state_of_a_domain_has_a_page(state, reader, registry):
    domain = Domain.objects.filter(state=state)[0]

    page = reader.get(reverse("dashboard:domain", args=[domain.pk])).text

    assert words.DOMAIN[state].meaning in page


@pytest.mark.parametrize("state", [s.value for s in State])
def test_every_state_of_a_change_has_a_page(state, reader, registry):
    proposal = registry.proposals[state]

    page = reader.get(reverse("dashboard:proposal", args=[proposal.pk])).text

    assert words.PROPOSAL[state].word in page
    assert 'aria-label="Life of this change"' in page


FILTERS = {
    "?state=blocked": "differs.example",
    "?zone=example&q=lonely": "lonely.example",
    "?reason=SIG_NONE": "lonely.example",
    "?q=LONELY.EXAMPLE.": "lonely.example",
}


@pytest.mark.parametrize("query", FILTERS)
def test_filters_of_the_list_live_in_its_address(query, reader, registry):
    text = reader.get(f"/domains/{query}").text

    assert FILTERS[query] in text
    assert "bare.example" not in text


def test_a_filter_that_makes_no_sense_finds_nothing_and_says_so(reader, registry):
    answer = reader.get("/domains/?state=nonsense")

    assert answer.status_code == 200
    assert "No domain fits." in answer.text


@pytest.mark.parametrize("page", ["0", "-1", "99999", "x", "١", ""])
def test_a_page_number_that_makes_no_sense_shows_a_page(page, reader, registry):
    assert reader.get(f"/domains/?page={page}").status_code == 200


def test_equal_scans_are_one_line_of_the_story(reader, registry):
    text = reader.get(address("domain", registry)).text

    assert "3 times the same" in text


def test_a_routine_look_after_the_last_evaluation_is_told(reader, registry):
    page, words = address("domain", registry), "No server announces CDS or CDNSKEY"
    scan = registry.domains["blocked"].scans.first()
    Domain.objects.update(last_scan_at=scan.started_at)
    assert words not in reader.get(page).text

    Domain.objects.update(last_scan_at=clock.now() + timedelta(hours=1))

    assert words in reader.get(page).text


def test_htmx_gets_the_live_part_alone(reader, registry):
    part = reader.get("/", headers={"HX-Request": "true"}).text

    assert "<html" not in part
    assert "candidate.example" in part


def test_scan_again_is_recorded_and_due(reader, registry):
    domain = registry.domains["blocked"]

    answer = reader.post(reverse("dashboard:scan-again", args=[domain.pk]))

    assert answer.status_code == 302
    assert domain.work.trigger == "staff"
    assert "scan.requested" in reader.get("/audit/?type=scan").text


def test_an_alarm_is_acknowledged_with_a_comment_and_stays(reader, registry):
    alarm = registry.alarms[0]
    url = reverse("dashboard:acknowledge", args=[alarm.pk])

    reader.post(url, {"comment": ""})
    alarm.refresh_from_db()
    assert alarm.acknowledged_at is None
    reader.post(url, {"comment": "Told the operator"})

    alarm.refresh_from_db()
    assert alarm.acknowledged_by == "reader"
    assert alarm.closed_at is None
    assert "Told the operator" in reader.get("/alarms/").text


def test_the_trail_names_the_person_from_its_disclosure(reader, registry):
    assert ">approver<" in reader.get("/audit/").text


def test_the_trail_is_filtered_by_day_and_stream(reader, registry):
    assert "scan.requested" in reader.get("/audit/?q=candidate&since=2026-01-01").text
    assert "No entry fits." in reader.get("/audit/?q=candidate&until=2026-01-01").text
    assert "No entry fits." in reader.get("/audit/?since=someday").text


def test_the_overview_reads_figures_that_the_task_has_counted(reader, registry):
    now = clock.now()
    for ago in (2, 1, 0):
        statistics.count(now=now - timedelta(days=ago))
    Domain.objects.filter(name="bare.example").update(state="secured")

    text = reader.get("/").text

    total = Domain.objects.filter(removed_at=None).count()
    before = Domain.objects.filter(removed_at=None, state="secured").count() - 1
    assert f"{before} of {total} secured" in text
    assert text.count("<polyline") == 1
    assert f"{now:%Y-%m-%d}" in text
    assert count_queries(reader, "/") <= 10


def test_the_overview_counts_itself_when_nobody_else_has_lately(reader, registry):
    statistics.count(now=clock.now() - timedelta(hours=1))
    Domain.objects.filter(name="bare.example").update(state="secured")

    secured = Domain.objects.filter(removed_at=None, state="secured").count()
    assert f"{secured} of " in reader.get("/").text


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("limited", [False, True])
def test_the_overview_keeps_its_limit_whoever_counts_and_whoever_looks(
    late, limited, registry
):
    """Ten questions at most: with old figures, and for somebody of a single zone."""
    for ago in (2, 1, 0):
        statistics.count(now=clock.now() - timedelta(days=ago))
    if late:
        DailyFigures.objects.update(counted_at=clock.now() - timedelta(hours=1))
    person = rows.a_person("local", "viewer")
    if limited:
        person.groups.clear()
        role = Group.objects.get(name="viewer")
        ZoneRole.objects.create(
            user=person, role=role, zone=registry.zone, since=clock.now()
        )

    assert count_queries(enter(person), "/") <= 10


def test_an_operator_of_stuck_names_leads_to_exactly_those(reader, registry):
    for number in range(2):
        rows.a_domain(
            registry.zone,
            f"stuck-{number}.example",
            state="blocked",
            last_reason="SIG_BOGUS",
            ns_key="ab" * 32,
        )
    operators.gather(now=clock.now())

    text = reader.get("/").text

    assert f"?operator={'ab' * 32}&amp;reason=SIG_BOGUS" in text
    listed = reader.get(f"/domains/?operator={'ab' * 32}&reason=SIG_BOGUS").text
    assert "stuck-1.example" in listed
    assert "differs.example" not in listed
