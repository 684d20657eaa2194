"""Who gets in where: every address, for every role (S-105, S-106)."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from tests.support import rows

from .conftest import enter

ALL = rows.ROLES
STAFF_PAGES = (
    "overview",
    "queue",
    "proposal",
    "domains",
    "domain",
    "scans",
    "scan",
    "compare",
    "zones",
    "zone",
    "alarms",
    "running",
    "system",
    "rules",
    "operators",
    "operator",
    "operator-csv",
    "operator-json",
    "readiness",
    "tokens",
)
READ = dict.fromkeys(STAFF_PAGES, ALL) | {
    "trail": ("auditor",),
    "entry": ("auditor",),
    "rules-edit": ("zone manager",),
    "report": ("auditor",),
    "people": ("administrator",),
    "person": ("administrator",),
}
"""Golden table: which roles may read which page."""
PRESS = {
    "decide": ("approver",),
    "rollback": ("approver",),
    "scan-again": ("reviewer", "approver"),
    "acknowledge": ("reviewer", "approver"),
    "batch": ("approver",),
    "batch-decide": ("approver",),
    "save-view": ALL,
    "delete-view": ALL,
    "note-domain": ("reviewer", "approver"),
    "note-proposal": ("reviewer", "approver"),
    "scans-start": ("reviewer", "approver"),
    "scans-stop": ("reviewer", "approver"),
    "switch-engage": ("reviewer", "approver"),
    "switch-release": ("approver",),
    "breaker-release": ("approver",),
    "export": ALL,
    "layout": ALL,
    "report-download": ("auditor",),
    "dossier": ALL,
    "rules-ask": ("zone manager",),
    "rules-decide": ("zone manager",),
    "suspend": ("reviewer", "approver"),
    "resume": ("reviewer", "approver"),
    "person-sessions": ("administrator",),
    "person-token": ("administrator",),
    "token-issue": ALL,
    "token-revoke": ALL,
    "role-ask": ("administrator",),
    "role-revoke": ("administrator",),
    "role-decide": ("administrator",),
}
"""Golden table: which roles may press which button."""
EVIDENCE = {"evidence", "messages", "proof", "octets"}


def address(name, registry) -> str:
    """Return an address of that page, for the small registry."""
    wanted = {
        "proposal": {"proposal_id": registry.proposals["candidate"].pk},
        "decide": {"proposal_id": registry.proposals["candidate"].pk},
        "rollback": {"proposal_id": registry.proposals["candidate"].pk},
        "dossier": {"proposal_id": registry.proposals["candidate"].pk},
        "domain": {"domain_id": registry.domains["blocked"].pk},
        "scan-again": {"domain_id": registry.domains["blocked"].pk},
        "scan": {"scan_id": registry.scans["alarm"].pk},
        "compare": {
            "scan_id": registry.scans["alarm"].pk,
            "before_id": registry.scans["alarm"].pk,
        },
        "delete-view": {"slug": "nobodys"},
        "note-domain": {"domain_id": registry.domains["blocked"].pk},
        "note-proposal": {"proposal_id": registry.proposals["candidate"].pk},
        "suspend": {"domain_id": registry.domains["blocked"].pk},
        "resume": {"domain_id": registry.domains["blocked"].pk},
        "export": {"what": "domains", "form": "csv"},
        "layout": {"what": "domains"},
        "report-download": {"form": "json"},
        "breaker-release": {"breaker_id": 4711},
        "rules-edit": {"zone_id": registry.zone.pk},
        "rules-ask": {"zone_id": registry.zone.pk},
        "rules": {"change_id": registry.rules.pk},
        "rules-decide": {"change_id": registry.rules.pk},
        "zone": {"zone_id": registry.zone.pk},
        "readiness": {"zone_id": registry.zone.pk},
        "operator": {"ns_key": registry.finding.ns_key},
        "operator-csv": {"finding_id": registry.finding.pk},
        "operator-json": {"finding_id": registry.finding.pk},
        "acknowledge": {"alarm_id": registry.alarms[0].pk},
        "entry": {"uid": registry.entries[0].uid},
        "person": {"user_id": User.objects.order_by("pk")[0].pk},
        "person-sessions": {"user_id": User.objects.order_by("pk")[0].pk},
        "role-ask": {"user_id": User.objects.order_by("pk")[0].pk},
        "role-revoke": {"user_id": User.objects.order_by("pk")[0].pk},
        "role-decide": {"request_id": 4711},
        "person-token": {"token_id": 4711},
        "token-revoke": {"token_id": 4711},
    }
    return reverse(f"dashboard:{name}", kwargs=wanted.get(name, {}))


def test_every_address_of_staff_has_a_line_in_the_golden_table():
    resolver = get_resolver("portal.dashboard.urls")
    names = {p.name for p in resolver.url_patterns if isinstance(p, URLPattern)}

    assert names - EVIDENCE == READ.keys() | PRESS.keys()


@pytest.mark.parametrize("page", READ)
def test_a_page_opens_for_exactly_the_roles_of_the_table(page, browsers, registry):
    url = address(page, registry)

    opened = {role for role in ALL if browsers[role].get(url).status_code == 200}
    others = {browsers[role].get(url).status_code for role in set(ALL) - opened}

    assert opened == set(READ[page])
    assert others <= {403}


@pytest.mark.parametrize("button", PRESS)
def test_a_button_works_for_exactly_the_roles_of_the_table(button, browsers, registry):
    url = address(button, registry)
    form = {"verb": "approve", "digest": "0" * 64, "comment": "as the test says"}

    refused = {r for r in ALL if browsers[r].post(url, form).status_code == 403}

    assert refused == set(ALL) - set(PRESS[button])


@pytest.mark.parametrize("page", [*READ, *PRESS])
def test_nobody_sees_anything_without_signing_in(page, browsers, registry):
    url = address(page, registry)
    answer = (
        browsers["nobody"].post(url) if page in PRESS else browsers["nobody"].get(url)
    )

    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("button", PRESS)
def test_nothing_is_done_by_looking(button, browsers, registry):
    assert browsers["approver"].get(address(button, registry)).status_code == 405


@pytest.mark.parametrize("button", PRESS)
def test_a_form_without_its_token_does_nothing(button, people, registry):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people["approver"])

    answer = browser.post(address(button, registry), {"comment": "forged"})

    assert answer.status_code in {302, 403}
    assert registry.proposals["candidate"].decisions.count() == 0


def test_an_account_that_is_not_staff_sees_no_page_of_staff(registry):
    outsider = User.objects.create_user("outsider", password="x" * 14)

    browser = enter(outsider)

    assert browser.get("/").status_code == 403
    assert browser.get("/admin/").status_code == 302


def test_staff_without_second_factor_is_sent_to_set_one_up(registry, settings):
    person = rows.a_person("fresh")
    browser = Client()
    browser.force_login(person)

    answer = browser.get("/queue/")

    assert answer.status_code == 302
    assert answer["Location"] == reverse("mfa_index")
    settings.PORTAL_DEMO = True
    assert browser.get("/queue/").status_code == 200


def test_a_removed_account_is_out_at_the_next_request(browsers, people, registry):
    people["approver"].is_active = False
    people["approver"].save()

    assert browsers["approver"].get("/").status_code == 302


def test_the_admin_sends_to_the_same_sign_in():
    answer = Client().get("/admin/")

    assert answer.status_code == 302
    assert Client().get(answer["Location"]).status_code == 302
    assert "/accounts/login/" in Client().get(answer["Location"])["Location"]


HARMLESS = {
    "/theme/",
    "/keys/",
    "/lists/",
    "/language/",
    "/accounts/logout/",
    "/queue/views/",
    "/audit/report/",
    "/export/",
    "/tokens/",
    "dialog",
}
HANDED_OUT = "/dossier/"
"""Buttons that change nothing but one's own display, or hand out what is seen."""


@pytest.mark.parametrize("page", READ)
def test_an_auditor_sees_no_button_that_changes_anything(page, browsers, registry):
    if "auditor" not in READ[page]:
        return
    text = browsers["auditor"].get(address(page, registry)).text

    found = set(re.findall(r'method="post"[^>]*?action="([^"]*)"', text))
    found |= set(re.findall(r'formaction="([^"?]*)', text))
    beyond = {a for a in found if not any(a.startswith(h) for h in HARMLESS)}
    assert {a for a in beyond if not a.endswith(HANDED_OUT)} == set()
