"""Whoever belongs to one zone neither sees nor changes anything of another (S-105)."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import reverse

from bootstrap.models import Domain, OperatorFinding, SavedView, ZoneRole
from tests.support import apart, rows

from .conftest import enter
from .test_doors import PRESS, READ, address

IN_A_ZONE = ("viewer", "reviewer", "approver", "zone manager")
NOT_FOR_ONE_ZONE = {"trail", "entry", "report", "people", "person", "system"}
"""Pages about all zones together: 403."""
WITH_AN_ID = {
    "proposal",
    "domain",
    "scan",
    "compare",
    "zone",
    "rules",
    "operator",
    "operator-csv",
    "operator-json",
    "readiness",
}
LISTS = {"overview", "queue", "domains", "scans", "zones", "alarms", "running"} | {
    "operators",
    "tokens",
}
FREE = {"save-view", "delete-view", "export", "layout", "batch", "batch-decide"} | {
    "scans-start",
    "scans-stop",
    "token-issue",
}
"""Buttons whose address names nothing of a zone; tried one by one below."""
FORM = {"verb": "approve", "digest": "0" * 64, "comment": "as the test says"}


@pytest.fixture
def there(registry):
    """The second zone."""
    return apart.elsewhere()


@pytest.fixture(params=IN_A_ZONE)
def limited(request, there):
    """A browser of somebody who has this role in the second zone alone."""
    return enter(apart.a_limited_person(there.zone, request.param))


@pytest.fixture
def approver(there):
    """A browser of somebody who decides in the second zone alone."""
    return enter(apart.a_limited_person(there.zone, "approver"))


def tells(text: str) -> set[str]:
    """Return what a page tells of the first zones: names of children, of zones."""
    names = Domain.objects.exclude(zone__name="elsewhere").values_list(
        "name", flat=True
    )
    plain = [name for name in names if re.fullmatch(r"[a-z0-9.-]+", name)]
    found = {name for name in plain if name in text}
    return found | set(re.findall(r'value="example"|>example<|zone=example', text))


def everything():
    """Return every row but those of sessions and of the log."""
    left_out = {"sessions.Session", "usersessions.UserSession", "mfa.Authenticator"}
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values_list())
        for model in apps.get_models()
        if model._meta.label not in left_out and "Audit" not in model._meta.label
    }


def test_every_page_is_walked():
    assert READ.keys() - {"rules-edit"} == NOT_FOR_ONE_ZONE | WITH_AN_ID | LISTS


@pytest.mark.parametrize("page", sorted(LISTS))
def test_no_list_tells_of_another_zone(page, limited, registry):
    answer = limited.get(address(page, registry))

    assert answer.status_code == 200
    assert tells(answer.text) == set()


def test_the_walk_would_notice(browsers, registry, there):
    for page in LISTS - {"running", "tokens"}:
        assert tells(browsers["viewer"].get(address(page, registry)).text), page


@pytest.mark.parametrize("page", ["queue", "domains", "scans", "zones", "alarms"])
def test_a_list_tells_of_ones_own_zone(page, limited, registry):
    assert "elsewhere" in limited.get(address(page, registry)).text


@pytest.mark.parametrize("page", sorted(WITH_AN_ID))
def test_nothing_of_another_zone_is_found_by_its_id(page, limited, registry):
    assert limited.get(address(page, registry)).status_code == 404


@pytest.mark.parametrize("page", ["evidence", "messages"])
def test_no_evidence_of_another_zone_is_handed_out(page, limited, registry):
    url = reverse(f"dashboard:{page}", args=[registry.scans["alarm"].pk])

    assert limited.get(url).status_code == 404


@pytest.mark.parametrize("page", sorted(NOT_FOR_ONE_ZONE))
def test_what_is_about_all_zones_is_closed(page, limited, registry):
    assert limited.get(address(page, registry)).status_code == 403


@pytest.mark.parametrize("button", sorted(PRESS.keys() - FREE))
def test_no_button_moves_anything_of_another_zone(button, limited, registry):
    before = everything()

    answer = limited.post(address(button, registry), FORM)

    assert answer.status_code in {403, 404}
    assert everything() == before


def test_the_rules_of_another_zone_are_no_page(there, registry):
    manager = enter(apart.a_limited_person(there.zone, "zone manager"))

    assert manager.get(address("rules-edit", registry)).status_code == 404
    own = reverse("dashboard:rules-edit", args=[there.zone.pk])
    assert manager.get(own).status_code == 200


def test_what_comes_by_id_among_ones_own_is_left_out_of_a_batch(
    approver, registry, there
):
    theirs = registry.proposals["candidate"]
    chosen = [f"{p.pk}:{p.digest}" for p in (theirs, there.proposal)]
    form = {"verb": "reject", "chosen": chosen, "comment": "not these"}

    shown = approver.post(reverse("dashboard:batch"), form)
    assert tells(shown.text) == set()
    assert "home.elsewhere" in shown.text
    approver.post(reverse("dashboard:batch-decide"), form)

    theirs.refresh_from_db()
    there.proposal.refresh_from_db()
    assert (theirs.state, there.proposal.state) == ("candidate", "rejected")


def test_all_that_match_are_all_of_ones_own_zone(approver, registry, there):
    form = {"verb": "reject", "every": "on"}

    shown = approver.post(reverse("dashboard:batch"), form)

    assert tells(shown.text) == set()
    assert "home.elsewhere" in shown.text


@pytest.mark.parametrize("button", ["scans-start", "scans-stop"])
def test_no_scan_of_another_zone_is_started(button, approver, registry):
    before = everything()

    approver.post(reverse(f"dashboard:{button}"), {"zone": registry.zone.name})

    assert everything() == before


@pytest.mark.parametrize("what", ["domains", "queue", "scans", "alarms", "zones"])
@pytest.mark.parametrize("query", ["", "?show=all&zone=example", "?q=example"])
def test_no_export_tells_of_another_zone(what, query, limited, registry):
    url = reverse("dashboard:export", args=[what, "ndjson"]) + query

    text = b"".join(limited.post(url).streaming_content).decode()

    assert tells(text.split("\n", 1)[1]) == set()


@pytest.mark.parametrize(
    "query", ["?q=candidate", "?zone=example", "?state=blocked", "?reason=SIG_NONE"]
)
def test_no_search_finds_anything_of_another_zone(query, limited, registry):
    for page in ("domains", "queue"):
        found = tells(limited.get(f"/{page}/{query}").text)
        assert not {name for name in found if name.endswith(".example")}


def test_a_shared_view_that_names_another_zone_is_not_offered(limited, registry):
    for name, zone in (("mine", "elsewhere"), ("theirs", "example")):
        SavedView.objects.create(
            name=f"view {name}",
            slug=name,
            owner="somebody",
            shared=True,
            params={"zone": zone},
            created_at=rows.NOW,
        )

    text = limited.get("/queue/").text

    assert "view mine" in text
    assert "view theirs" not in text


def test_a_cause_of_two_zones_shows_the_members_of_ones_own(
    limited, client, registry, there
):
    finding = registry.finding
    Domain.objects.filter(pk=there.domain.pk).update(
        ns_key=finding.ns_key, last_reason=finding.reason
    )
    assert OperatorFinding.objects.get().members > 1

    listed = limited.get("/operators/").text
    page = limited.get(f"/operators/{finding.ns_key}/").text
    sheet = limited.get(address("operator-csv", registry)).text

    assert "<b>1</b>" in listed
    for text in (listed, page, sheet):
        assert tells(text) == set()
    assert "home.elsewhere" in page
    assert "home.elsewhere" in sheet
    link = re.search(r'id="link-1">http://testserver([^<]*)<', page)
    assert link
    opened = client.get(link[1]).text
    assert "home.elsewhere" in opened
    assert tells(opened) == set()


TABLES = [model for model in admin.site._registry if model._meta.app_label != "auth"]


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
def test_no_table_of_the_admin_tells_of_another_zone(model, approver, registry, there):
    name = model._meta.model_name
    url = reverse(f"admin:bootstrap_{name}_changelist")
    answer = approver.get(url)

    assert answer.status_code in {200, 403}
    assert tells(answer.text) == set()
    path = getattr(admin.site._registry[model], "zone_column", "")
    others = model.objects.all()
    if path:
        others = others.exclude(**{path: there.zone.pk})
    for row in others[:3]:
        one = approver.get(reverse(f"admin:bootstrap_{name}_change", args=[row.pk]))
        assert one.status_code in {302, 403}


def test_the_admin_decides_nothing_of_another_zone(approver, registry):
    row = registry.proposals["candidate"]
    url = reverse("admin:bootstrap_proposal_decide", args=[row.pk])

    assert approver.post(url, FORM).status_code == 404


def test_a_decision_in_ones_own_zone_goes_through(approver, there):
    url = reverse("dashboard:decide", args=[there.proposal.pk])

    answer = approver.post(
        url, FORM | {"verb": "reject", "digest": there.proposal.digest}
    )

    assert answer.status_code == 302
    there.proposal.refresh_from_db()
    assert there.proposal.state == "rejected"


def test_who_looks_here_and_decides_there_decides_nothing_here(registry, there):
    person = apart.a_limited_person(there.zone, "approver")
    viewer = Group.objects.get(name="viewer")
    ZoneRole.objects.create(
        user=person, role=viewer, zone=registry.zone, since=rows.NOW
    )
    browser = enter(person)
    row = registry.proposals["candidate"]
    page = reverse("dashboard:proposal", args=[row.pk])

    assert browser.get(page).status_code == 200
    assert 'value="approve"' not in browser.get(page).text
    answer = browser.post(
        reverse("dashboard:decide", args=[row.pk]), FORM | {"digest": row.digest}
    )
    assert answer.status_code == 403
    domain = registry.domains["blocked"]
    scan = browser.post(reverse("dashboard:scan-again", args=[domain.pk]))
    assert scan.status_code == 403


def test_staff_without_any_role_sees_nothing_of_any_zone(registry, there):
    nobody = rows.a_person("new", "no such role")
    browser = enter(nobody)

    for page in LISTS:
        text = browser.get(address(page, registry)).text
        assert tells(text) == set()
        assert "home.elsewhere" not in text
