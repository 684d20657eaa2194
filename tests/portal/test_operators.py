"""Operators: causes, lists to send away, links that open without an account."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from bootstrap.models import AuditEntry, Domain
from portal import causes, sheets
from tests.support import rows

from .conftest import enter


@pytest.fixture
def reader(registry):
    """A browser whose account may read every page."""
    return enter(rows.a_reader())


@pytest.fixture
def link(registry, rf):
    """A link as staff sends it."""
    return causes.link_to(registry.finding, rf.get("/")).removeprefix(
        "http://testserver"
    )


def test_a_cause_shows_how_many_and_since_when(reader, registry):
    page = reader.get("/operators/").text

    assert "ns1.alike.net" in page
    assert "5 at the worst" in page
    assert "No nameserver vouches for the domain" in page


def test_an_operators_page_has_members_readiness_and_a_link(reader, registry):
    page = reader.get(f"/operators/{registry.finding.ns_key}/").text

    assert all(f"alike-{number}.example" in page for number in range(3))
    assert "3 delegations without DS" in page
    assert "http://testserver/o/" in page


def test_the_link_opens_without_an_account(client, link):
    page = client.get(link)

    assert page.status_code == 200
    assert "3 domains wait for it." in page.text
    assert "/status/alike-0.example" in page.text


def test_lists_are_whole_and_for_machines(client, link):
    sheet = client.get(f"{link}domains.csv")
    lines = list(csv.DictReader(io.StringIO(sheet.text)))

    assert [line["domain"] for line in lines] == [
        f"alike-{number}.example" for number in range(3)
    ]
    assert lines[0]["names"] == (
        "_dsboot.alike-0.example._signal.ns1.alike.net."
        " _dsboot.alike-0.example._signal.ns2.alike.net."
    )
    assert client.get(f"{link}domains.json").json()["rows"] == lines


def test_a_forged_or_old_link_opens_nothing(client, link, monkeypatch):
    token = link.split("/")[2]
    assert client.get(f"/o/{token[:-2]}xx/").status_code == 404
    assert client.get("/o/nothing/").status_code == 404

    monkeypatch.setattr(causes, "GOOD_FOR", timedelta(seconds=-1))

    assert client.get(link).status_code == 404


def test_a_mended_cause_says_thank_you(client, link, registry):
    finding = registry.finding
    Domain.objects.filter(ns_key=finding.ns_key).update(state="secured")
    finding.closed_at = finding.opened_at
    finding.save()

    page = client.get(link).text

    assert "This cause is mended" in page
    assert "alike-0.example" not in page


def test_nothing_of_staff_or_registrar_leaves_with_the_list(client, link, registry):
    """S-108."""
    Domain.objects.update(
        registrar="SECRET", suspension_note="SECRET", statuses=["SECRET"]
    )

    for end in ("", "domains.csv", "domains.json"):
        assert "SECRET" not in client.get(link + end).text


def test_taking_a_list_away_is_recorded(reader, registry):
    """S-116."""
    sheet = reader.get(f"/operators/{registry.finding.pk}/domains.csv")

    assert sheet["Content-Type"].startswith("text/csv")
    assert (
        AuditEntry.objects.filter(stream="exports", type="data.exported").count() == 1
    )


def test_an_operator_that_nobody_uses_has_no_page(reader):
    assert reader.get("/operators/none/").status_code == 404


@given(st.text(max_size=20))
def test_no_cell_is_taken_for_a_formula(text):
    """S-52."""
    cell = str(sheets.guarded(text))

    assert cell in {text, f"'{text}"}
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "|"))
    assert cell[:1] not in {"\t", "\r"}


def test_a_hostile_name_stays_text_in_every_list(client, link, registry):
    Domain.objects.filter(name="alike-0.example").update(name="=cmd.example")

    (first, *_rest) = csv.DictReader(io.StringIO(client.get(f"{link}domains.csv").text))

    assert first["domain"] == "'=cmd.example"
