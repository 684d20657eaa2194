"""What auditors take away: filtered trail, exports, the report of a period."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import timedelta

import pytest
from django.urls import reverse

from bootstrap.core.tlog.types import EntryType
from bootstrap.models import AuditEntry, Checkpoint, Decision, Domain
from bootstrap.services import audit
from bootstrap.services.actors import Actor, ActorKind
from portal.sheets import guarded
from tests.support import rows

from .conftest import enter


@pytest.fixture
def auditor(registry):
    return enter(rows.a_person("olga", "auditor"))


def export(browser, what, form, query=""):
    url = reverse("dashboard:export", args=[what, form])
    answer = browser.post(f"{url}{query}")
    return answer, b"".join(answer.streaming_content).decode()


def exported():
    rows = AuditEntry.objects.filter(type="data.exported").order_by("number")
    return [json.loads(bytes(row.body))["data"] for row in rows]


def test_the_trail_is_searched_by_person_domain_kind_and_time(auditor, registry):
    audit.record(
        EntryType.DATA_VIEWED,
        stream="people",
        actor=Actor(ActorKind.STAFF, "bob", "dashboard"),
        now=rows.NOW,
    )

    theirs = auditor.get("/audit/?actor=bob").text
    child = auditor.get("/audit/?domain=Candidate.example.").text
    kind = auditor.get("/audit/?type=data.").text

    assert "data.viewed" in theirs
    assert "scan.requested" not in theirs
    assert "scan.requested" in child
    assert "data.viewed" not in child
    assert "data.viewed" in kind
    assert "No entry fits." in auditor.get("/audit/?actor=nobody").text


@pytest.mark.parametrize("what", ["domains", "queue", "scans", "alarms", "trail"])
def test_every_list_leaves_whole_as_ndjson_and_as_csv(what, auditor, registry):
    _, lines = export(auditor, what, "ndjson")
    _, table = export(auditor, what, "csv")

    mark, *told = [json.loads(line) for line in lines.splitlines()]
    first, *cells = csv.reader(io.StringIO(table))
    assert f"{what} exported by olga" in mark["export"]
    assert first[0].startswith(f"# {what} exported by olga")
    if what != "trail":  # the first export is an entry of the second
        assert len(told) == len(cells) - 1
    assert len(told) > 1


def test_an_export_is_exactly_the_filtered_list(auditor, registry):
    _, lines = export(auditor, "domains", "ndjson", "?state=blocked")

    told = [json.loads(line) for line in lines.splitlines()][1:]
    here = Domain.objects.filter(state="blocked", removed_at=None)
    assert [row["name"] for row in told] == list(here.values_list("name", flat=True))


def test_an_export_is_recorded_before_it_begins_and_when_it_has_ended(auditor):
    """S-116: who, what, how many lines, and their hash."""
    url = reverse("dashboard:export", args=["alarms", "csv"])
    answer = auditor.post(url)
    (begun,) = exported()
    assert begun["done"] is False

    octets = b"".join(answer.streaming_content)

    ended = exported()[1]
    assert ended["done"] is True
    assert ended["lines"] == octets.count(b"\r\n")
    assert ended["sha256"] == hashlib.sha256(octets).hexdigest()


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "|cmd", "  =1", "\n=1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_begins_like_a_formula(text):
    """S-52."""
    assert str(guarded(text)).startswith("'")


def test_what_is_no_formula_stays_as_it_is():
    assert guarded("ns1.example") == "ns1.example"
    assert guarded(-5) == -5
    assert guarded(["a"]) == '["a"]'
    assert guarded(None) is None


def test_a_hostile_registrar_is_a_text_in_the_table(auditor, registry):
    Domain.objects.filter(name="bare.example").update(
        registrar="=cmd|' /C calc'!A0", last_reason=""
    )

    _, table = export(auditor, "domains", "csv", "?q=bare")

    assert "'=cmd|" in table
    assert ",=cmd" not in table


def test_the_trail_leaves_with_those_alone_who_may_read_it(registry):
    viewer = enter(rows.a_person("vic"))
    url = reverse("dashboard:export", args=["trail", "csv"])

    assert viewer.post(url).status_code == 403
    nonsense = reverse("dashboard:export", args=["users", "csv"])
    assert viewer.post(nonsense).status_code == 404
    assert exported() == []


@pytest.fixture
def period(registry):
    """A change that two persons approved against a hold, and an acknowledged alarm."""
    domain = rows.a_domain(registry.zone, "pair.example")
    proposal = rows.a_proposal(
        domain,
        rows.a_scan(domain, "hold", "POL_MANUAL_REVIEW"),
        state="settled",
        approvals_needed=2,
        approved_at=rows.NOW,
        sent_at=rows.NOW,
    )
    for name in ("ann", "bob"):
        Decision.objects.create(
            proposal=proposal,
            verb="approve",
            actor=name,
            actor_kind="staff",
            via="dashboard",
            comment=rows.HOSTILE,
            digest=proposal.digest,
            at=rows.NOW,
        )
    rows.an_alarm(
        domain,
        "SIG_BOGUS",
        domain.name,
        acknowledged_at=rows.NOW - timedelta(hours=1),
        acknowledged_by="ann",
    )
    Checkpoint.objects.create(size=7, root=b"\xab" * 32, note="", at=rows.NOW)
    return proposal


def test_the_report_tells_methods_overrides_four_eyes_rules_and_alarms(auditor, period):
    text = auditor.get("/audit/report/").text

    assert "RFC9615" in text
    assert "pair.example" in text
    assert "ann, bob" in text
    assert "1 hour" in text
    assert "ab" * 32 in text
    assert rows.HOSTILE not in text


def test_the_report_is_the_same_as_json_and_as_csv(auditor, period):
    url = reverse("dashboard:report-download", args=["json"])
    told = json.loads(auditor.post(url).content)
    table = auditor.post(reverse("dashboard:report-download", args=["csv"]))
    cells = list(csv.reader(io.StringIO(b"".join(table.streaming_content).decode())))

    pair = next(row for row in told["four_eyes"] if row["subject"] == "pair.example")
    assert pair["kept"] is True
    assert {row["person"] for row in told["overrides"]} >= {"ann", "bob"}
    bogus = [row for row in told["alarms"] if row["code"] == "SIG_BOGUS"]
    assert bogus[0]["median_seconds"] == 3600
    assert ["overrides", "1.person", "ann"] in cells
    assert told["root"] == "ab" * 32


def test_the_voice_of_the_one_who_asked_is_not_among_four_eyes(auditor, period):
    type(period).objects.filter(pk=period.pk).update(requested_by="bob")

    told = json.loads(
        auditor.post(reverse("dashboard:report-download", args=["json"])).content
    )

    pair = next(row for row in told["four_eyes"] if row["subject"] == "pair.example")
    assert pair["kept"] is False


def test_what_was_before_the_period_is_not_in_its_report(auditor, period):
    day = f"{rows.NOW - timedelta(days=90):%Y-%m-%d}"

    text = auditor.get(f"/audit/report/?since={day}&until={day}").text

    assert "pair.example" not in text


@pytest.mark.parametrize(
    "query", ["?since=2026-02-01&until=2026-01-01", "?since=never", "?until=31.12."]
)
def test_a_period_without_sense_is_told(query, auditor):
    assert "This period makes no sense." in auditor.get(f"/audit/report/{query}").text
