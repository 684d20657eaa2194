"""Long lists as a person wants them: columns, order, size; in the address or kept."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from bootstrap import clock
from bootstrap.models import SavedView, SignalSource
from portal import idn
from portal.dashboard import layouts
from tests.support import rows

from .conftest import enter

ADDRESSES = {
    "domains": "/domains/",
    "queue": "/queue/",
    "scans": "/scans/",
    "trail": "/audit/",
}


@pytest.fixture
def reader(registry):
    return enter(rows.a_reader())


def heads(text: str) -> list[str]:
    """Return the heads of a page's first table, in order."""
    (row,) = re.findall(r"<thead><tr>(.*?)</tr></thead>", text, re.DOTALL)[:1]
    cells = re.findall(r"<th [^>]*>(.*?)</th>", row, re.DOTALL)
    plain = [re.sub(r"<[^>]*>", "", cell).strip() for cell in cells]
    return [word for word in plain if word and word != "Choose"]


def names(text: str) -> list[str]:
    """Return the names of the rows of a list, from top to bottom."""
    return re.findall(r'<th scope="row".*?class="dname">([^<]*)<', text, re.DOTALL)


def choose(browser, what, back, **form):
    return browser.post(
        reverse("dashboard:layout", args=[what]),
        {"back": back, "sort": "", "size": "", **form},
    )


@pytest.mark.parametrize("what", ADDRESSES)
def test_a_list_shows_its_usual_columns_until_somebody_says_otherwise(what, reader):
    columns, _ = layouts.OFFERS[what]

    text = reader.get(ADDRESSES[what]).text

    assert heads(text) == [column.title for column in columns if column.usual]


@pytest.mark.parametrize("what", ADDRESSES)
def test_every_column_that_is_offered_can_be_shown_alone_and_with_all(what, reader):
    columns, _ = layouts.OFFERS[what]
    every = ",".join(column.key for column in columns)

    text = reader.get(f"{ADDRESSES[what]}?columns={every}").text

    assert heads(text) == [column.title for column in columns]
    for column in columns[1:]:
        alone = reader.get(f"{ADDRESSES[what]}?columns={column.key}").text
        assert heads(alone) == [columns[0].title, column.title]


@pytest.mark.parametrize("what", ADDRESSES)
def test_rows_have_as_many_cells_as_the_head(what, reader):
    columns, _ = layouts.OFFERS[what]
    for shown in ("", ",".join(c.key for c in columns)):
        text = reader.get(f"{ADDRESSES[what]}?columns={shown}").text
        body = text.partition("<tbody>")[2].partition("</tbody>")[0]
        first = body.partition("</tr>")[0]

        cells = len(re.findall(r"<t[hd][ >]", first)) - first.count('class="choose"')
        assert cells == len(heads(text))


@pytest.mark.parametrize(
    "query", ["columns=nonsense", "columns=,,", "sort=ds", "size=7", "size=x"]
)
def test_a_layout_that_makes_no_sense_is_the_usual_one(query, reader):
    assert heads(reader.get(f"/domains/?{query}").text) == heads(
        reader.get("/domains/").text
    )


def test_choosing_leads_to_an_address_with_the_filters_that_were_set(reader):
    answer = choose(
        reader,
        "domains",
        "/domains/?state=blocked&page=3&columns=why",
        columns=["state", "nameservers"],
        size="25",
    )

    assert answer["Location"] == (
        "/domains/?state=blocked&columns=state%2Cnameservers&size=25"
    )
    assert heads(reader.get(answer["Location"]).text) == [
        "Name",
        "State",
        "Nameservers",
    ]


def test_a_layout_is_remembered_until_it_is_reset(reader):
    form = {"columns": ["look"], "size": "25", "act": "always"}
    answer = choose(reader, "domains", "/domains/?q=shop", **form)

    assert answer["Location"] == "/domains/?q=shop"
    text = reader.get("/domains/").text
    assert heads(text) == ["Name", "Last look"]
    assert len(names(text)) == 25
    assert heads(reader.get("/domains/?columns=state").text) == ["Name", "State"]

    choose(reader, "domains", "/domains/", act="reset")
    assert "Why" in heads(reader.get("/domains/").text)


def test_the_usual_columns_can_be_asked_for_beside_remembered_ones(reader):
    choose(reader, "domains", "/domains/", columns=["look"], act="always")
    usual = ["state", "why", "ds", "look"]

    answer = choose(reader, "domains", "/domains/", columns=usual)

    assert "Why" in heads(reader.get(answer["Location"]).text)


def test_a_layout_leads_nowhere_else(reader):
    for back in ("https://elsewhere.example/", "//elsewhere.example/", "javascript:x"):
        assert choose(reader, "domains", back)["Location"] == "/"
    assert choose(reader, "nothing", "/").status_code == 404


@pytest.mark.parametrize(
    ("what", "falling", "rising"),
    [("domains", "-name", "name"), ("queue", "-name", "name")],
)
def test_a_list_is_sorted_by_name_both_ways(what, falling, rising, reader):
    up = names(reader.get(f"{ADDRESSES[what]}?sort={rising}").text)
    down = names(reader.get(f"{ADDRESSES[what]}?sort={falling}").text)

    assert up == down[::-1]
    assert len(up) > 3


@pytest.mark.parametrize(
    ("what", "sort"),
    [
        ("queue", "waiting"),
        ("queue", "expires"),
        ("scans", "started"),
        ("trail", "when"),
    ],
)
def test_a_list_is_sorted_by_time_both_ways(what, sort, reader):
    every = f"{ADDRESSES[what]}?size=200&columns={sort}"
    up = reader.get(f"{every}&sort={sort}").text
    down = reader.get(f"{every}&sort=-{sort}").text

    links = re.compile(r'<th scope="row"[^>]*><a href="([^"]*)"')
    assert links.findall(up) == links.findall(down)[::-1]
    assert 'aria-sort="ascending"' in up
    assert 'aria-sort="descending"' in down


def test_the_head_of_a_sorted_column_turns_the_order_round(reader):
    text = reader.get("/domains/?state=secured&page=1").text

    assert 'href="?state=secured&amp;sort=-name"' in text
    assert 'href="?state=secured&amp;sort=name"' in (
        reader.get("/domains/?state=secured&sort=-name").text
    )


def test_one_persons_entries_are_sorted_too(reader):
    newest = reader.get("/audit/?actor=approver&size=200").text
    oldest = reader.get("/audit/?actor=approver&size=200&sort=when").text

    found = re.compile(r'href="(/audit/[0-9a-f-]{36}/)"')
    assert set(found.findall(newest)) == set(found.findall(oldest)) != set()
    assert 'aria-sort="descending"' in newest
    assert 'aria-sort="ascending"' in oldest


def test_filters_hand_on_the_layout_of_the_address(reader):
    text = reader.get("/domains/?columns=state&size=25").text

    assert '<input type="hidden" name="columns" value="state">' in text
    assert '<input type="hidden" name="size" value="25">' in text


def test_a_saved_view_keeps_the_layout_with_the_filters(reader):
    form = {"name": "By expiry", "state": "candidate", "columns": "expires,ds"}

    answer = reader.post(
        reverse("dashboard:save-view"), {**form, "sort": "-expires", "size": "100"}
    )

    text = reader.get(answer["Location"]).text
    assert heads(text) == ["Name", "DS set", "Expires"]
    assert 'aria-sort="descending"' in text
    assert SavedView.objects.get().params["sort"] == "-expires"


def test_a_list_taken_away_from_a_saved_view_is_that_views(reader):
    url = reverse("dashboard:export", args=["queue", "csv"])

    text = b"".join(reader.post(f"{url}?view=on-hold").streaming_content).decode()

    assert "held.example" in text
    assert "candidate.example" not in text


def test_my_decisions_are_those_that_i_took(registry):
    mine = enter(rows.a_person("ann", "approver"))
    rows.a_vote(registry.proposals["settled"], "ann")
    rows.a_vote(registry.proposals["visible"], "somebody")

    text = mine.get("/queue/?view=my-decisions").text

    assert names(text) == ["settled.example"]
    assert "Approve the chosen" not in text


@pytest.mark.parametrize(
    "typed", ["Bücher", "bücher.example", "XN--BCHER-KVA", "xn--bcher-kva.example."]
)
def test_a_name_is_found_however_it_is_typed(typed, reader, registry):
    domain = registry.domains["secured"]
    rows.a_proposal(domain, rows.a_scan(domain))

    for page in ("/domains/", "/queue/"):
        assert "xn--bcher-kva.example" in reader.get(page, {"q": typed}).text
        assert "candidate.example" not in reader.get(page, {"q": typed}).text


def test_what_cannot_be_a_label_is_found_nowhere():
    assert idn.ascii_form("a\u202eb.example") == "a\u202eb.example"
    assert idn.ascii_form("Straße.EXAMPLE") == "xn--strae-oqa.example"


def test_the_system_page_tells_what_lists_of_signals_said_last(reader):
    now = clock.now()
    SignalSource.objects.create(
        host="ns1.operator.net",
        due_at=now + timedelta(hours=5),
        looked_at=now - timedelta(hours=1),
        way="walk",
        ending="complete",
        queries=17,
        listed=41,
        matched=3,
    )
    SignalSource.objects.create(host="ns2.operator.net", due_at=now)

    text = reader.get("/system/").text

    assert "2 known, 1 listed whole, 1 due" in text
    assert "ns1.operator.net" in text
    assert ">41<" in text
    assert "walk" in text


def test_the_page_says_how_many_were_found_for_whoever_cannot_see_it(reader):
    assert re.search(
        r'id="found"[^>]*role="status">1 found', reader.get("/domains/?q=bare").text
    )
    assert "Nothing found" in reader.get("/domains/?q=nosuch").text
