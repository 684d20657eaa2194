"""How a person reads pages: the time zone, and lists that are remembered (ux.md, 1 and 4)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bootstrap.models import Preferences
from bootstrap.services import preferences
from portal import moments
from tests.support import rows

from .conftest import enter

OWN = re.compile(r">20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\+05:45 ")
IN_UTC = re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ")
PAGES = ("/domains/", "/scans/", "/audit/", "/operators/", "/zones/", "/alarms/")


@pytest.fixture
def person(registry):
    return rows.a_reader()


@pytest.fixture
def reader(person):
    return enter(person)


@pytest.fixture
def in_kathmandu(person):
    """Somebody whose zone has an offset that nobody takes for another."""
    preferences.choose_zone(person, "Asia/Kathmandu")
    return enter(person)


def test_times_are_in_utc_until_somebody_chose_a_zone(reader):
    text = reader.get("/domains/").text

    assert IN_UTC.search(text)
    assert not re.search(r":\d\d\+\d\d:\d\d <", text)


def test_a_zone_is_chosen_on_a_page_and_remembered_with_the_account(reader, person):
    answer = reader.post("/accounts/display/zone/", {"place": "Asia/Kathmandu"})

    assert answer["Location"] == "/accounts/display/"
    page = reader.get("/accounts/display/").text
    assert '<option value="Asia/Kathmandu" selected>Kathmandu' in page
    assert re.search(r"It is now [\d: -]+\+05:45", page)
    elsewhere = enter(person)
    assert OWN.search(elsewhere.get("/domains/").text)

    reader.post("/accounts/display/zone/", {"place": ""})
    assert not OWN.search(elsewhere.get("/domains/").text)


@pytest.mark.parametrize("page", PAGES)
def test_pages_show_ones_own_time_with_its_offset_and_utc_in_the_title(
    page, in_kathmandu
):
    text = in_kathmandu.get(page).text

    shown = re.findall(r'<time [^>]*title="([^"]*)">([^<]*)', text)
    for title, told in shown:
        assert title.endswith("Z")
        if told.strip().startswith("20"):
            moment = datetime.fromisoformat(told.strip())
            assert moment == datetime.fromisoformat(title)
    assert OWN.search(text), page


def test_no_time_is_relative_alone(in_kathmandu):
    text = in_kathmandu.get("/queue/").text

    waiting = re.findall(r'<td data-label="Waiting">(.*?)</time>', text)
    assert waiting
    assert all(IN_UTC.search(cell) for cell in waiting)


@pytest.mark.parametrize(
    "url", ["/audit/report/", "/status/lonely.example", "/admin/bootstrap/domain/"]
)
def test_reports_public_pages_and_the_admin_stay_in_utc(url, in_kathmandu):
    text = in_kathmandu.get(url).text

    assert "+05:45" not in text
    if not url.startswith("/admin"):
        assert IN_UTC.search(text)


def test_exports_stay_in_utc(in_kathmandu):
    answer = in_kathmandu.post("/export/domains/csv/")
    told = b"".join(answer.streaming_content).decode() if answer.streaming else ""

    assert "lonely.example" in told
    assert "+05:45" not in told


def test_the_next_request_of_somebody_else_is_in_utc_again(in_kathmandu, browsers):
    in_kathmandu.get("/domains/")

    assert "+05:45" not in browsers["viewer"].get("/domains/").text


@pytest.mark.parametrize("place", ["Mars/Olympus", "../../etc/passwd", "EST5EDT", "x"])
def test_a_place_that_is_none_is_refused(place, reader, person):
    answer = reader.post("/accounts/display/zone/", {"place": place})

    assert answer.status_code == 422
    assert not Preferences.objects.exists()
    with pytest.raises(preferences.UnknownZone):
        preferences.choose_zone(person, place)


def test_a_place_that_this_machine_no_longer_knows_is_read_as_utc(person, reader):
    Preferences.objects.create(user=person, time_zone="Europe/Atlantis")

    assert IN_UTC.search(reader.get("/domains/").text)


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset():
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)

    with moments.read_in(ZoneInfo("Europe/Vienna")):
        assert moments.told(first) == "2026-10-25 02:30:00+02:00"
        assert moments.told(second) == "2026-10-25 02:30:00+01:00"
    assert moments.told(first) == "2026-10-25 00:30:00Z"


def test_a_layout_follows_a_person_and_nobody_else(reader, person, browsers):
    form = {"columns": ["look"], "size": "25", "act": "always", "back": "/domains/"}
    reader.post("/lists/domains/", form)

    assert preferences.layouts_of(User.objects.get(pk=person.pk)) == {
        "domains": {"columns": "look", "sort": "name", "size": "25"}
    }
    assert '<th scope="col">Why' not in enter(person).get("/domains/").text
    assert "Why</th>" in browsers["viewer"].get("/domains/").text


def test_all_lists_are_reset_on_one_page(reader, person):
    for what in ("domains", "queue"):
        preferences.keep_layout(person, what, {"size": "25"})
    assert "2 lists have columns" in reader.get("/accounts/display/").text

    reader.post("/accounts/display/lists/")

    assert "All lists look as they come." in reader.get("/accounts/display/").text
    assert Preferences.objects.get().lists == {}


def test_one_list_is_reset_and_the_others_stay(person):
    for what in ("domains", "queue"):
        preferences.keep_layout(person, what, {"size": "25"})
    preferences.forget_layouts(person, "queue")

    assert set(Preferences.objects.get().lists) == {"domains"}


def test_what_is_kept_and_makes_no_sense_is_passed_over(reader, person):
    kept = {"columns": "nonsense", "sort": "ds", "size": "1000000"}
    preferences.keep_layout(person, "domains", kept)

    assert reader.get("/domains/").status_code == 200


def test_preferences_cost_no_question_more(reader, person):
    reader.get("/zones/")
    with CaptureQueriesContext(connection) as before:
        reader.get("/zones/")
    preferences.choose_zone(person, "Europe/Vienna")
    with CaptureQueriesContext(connection) as after:
        reader.get("/zones/")

    assert len(after) == len(before)


def test_the_page_is_for_staff(client, registry):
    user = User.objects.create_user("guest", password="correct horse battery")

    assert client.get("/accounts/display/").status_code == 302
    assert enter(user).get("/accounts/display/").status_code == 403
