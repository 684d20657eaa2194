"""What anybody may read of a zone's rules, and of how a name was held to them (P-5.4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import translation

from bootstrap import clock
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.steps import STAGES
from bootstrap.models import Zone
from bootstrap.services import zones
from bootstrap.services.actors import SCANNER
from portal import env
from portal.status import criteria, rules
from tests.support import rows

from .test_public import plain

PAGE = "/status/policy/example"
NO_CRITERION = {"check_change": "says what a change does, and speaks against none"}
SECRET = "SECRET"


def put_in_force(zone, **differences):
    policy = replace(AcceptancePolicy(), **differences)
    reason = zones.Rationale(replace(SCANNER, name=SECRET), f"{SECRET} reason")
    return zones.write_policy(zone, policy, reason, now=clock.now())


def ends(domain, **columns):
    """Return how each item ended on the page of a name, by its step."""
    scan = rows.a_scan(domain, started_at=clock.now(), **columns)
    found = criteria.found(scan, limits())
    return {item.check: item.badge.word for item in found if item.badge}


def limits():
    return rules.Rules(Zone(), AcceptancePolicy(), None).limits()


def test_every_step_that_can_stop_a_change_is_an_item():
    steps = [stage.id for stage in STAGES if stage.id not in NO_CRITERION]

    assert sorted(steps) == sorted(item.check for item in criteria.CRITERIA)


def test_the_page_tells_all_that_an_operator_must_know(client, registry, settings):
    """P-5.4, by its words."""
    settings.DSYNC_ENDPOINT = ("notify.registry.example", 5300)
    settings.POLICY_CONTACT = "dns@registry.example"
    page = client.get(PAGE).text

    for said in (
        "CDS and CDNSKEY",
        "2\xa0SHA-256",
        "13\xa0ECDSAP256SHA256",
        "3\xa0DSA",
        "TCP to port 53",
        "Vantage points",
        "At intervals of 1 day",
        "*._dsync.example. IN DSYNC CDS NOTIFY 5300 notify.registry.example.",
        "10 minutes for 2 days after a change, then 1 day.",
        "clientUpdateProhibited",
        "redemptionPeriod",
        "mailto:dns@registry.example",
    ):
        assert said in page


def test_the_json_says_the_same(client, registry, settings):
    settings.DSYNC_ENDPOINT = ("notify.registry.example", 53)
    told = client.get(f"{PAGE}/json").json()

    assert told["types"] == ["CDS", "CDNSKEY"]
    assert told["digests"] == [2]
    assert (told["transport"], told["vantage_points"], told["runs"]) == ("tcp", 1, 1)
    assert (told["ds_ttl_initial"], told["ds_ttl"]) == (600, 86_400)
    assert told["dsync"].endswith("NOTIFY 53 notify.registry.example.")
    assert [item["check"] for item in told["criteria"] if item["scope"] == "first"] == [
        "check_signals",
        "check_agreement",
    ]


def test_it_is_made_from_the_policy_in_force(client, registry):
    before = client.get(PAGE).text
    version = put_in_force(
        registry.zone,
        digests=(2, 4),
        max_nameservers=7,
        forbidden_algorithms=(1, 8),
        min_signed_age=timedelta(days=3),
    )
    after, told = client.get(PAGE).text, client.get(f"{PAGE}/json").json()

    assert "2\xa0SHA-256, 4\xa0SHA-384" in after
    assert "2\xa0SHA-256, 4\xa0SHA-384" not in before
    assert "at most 7 nameservers" in after
    assert "seen signed for 3 days" in after
    assert told["algorithms"] == [10, 13, 14, 15, 16]
    assert (told["version"], told["digest"]) == (version.number, version.digest)
    assert version.digest in after


def test_without_a_version_the_defaults_are_told(client, registry):
    rows.a_zone("bare")

    assert client.get("/status/policy/bare").status_code == 200
    assert client.get("/status/policy/bare/json").json()["version"] == 0


def test_no_secret_and_no_person_is_on_it(client, registry):
    """S-80, S-108."""
    put_in_force(registry.zone, registrars_without_disable=(SECRET,))
    Zone.objects.update(
        primary="192.0.2.99#5399", servers=["192.0.2.98#5398"], tsig_key_file=SECRET
    )

    for url in (PAGE, f"{PAGE}/json", "/status/policy/", "/status/lonely.example"):
        text = client.get(url).text
        for hidden in (SECRET, "192.0.2.99", "192.0.2.98", "approver", "5399"):
            assert hidden not in text, (url, hidden)


def test_a_zone_in_preparation_and_one_that_we_never_heard_of_say_the_same(client, db):
    rows.a_zone("secret-plan", imported_at=None)

    for end in ("", "/json"):
        hidden = client.get(f"/status/policy/secret-plan{end}")
        unknown = client.get(f"/status/policy/elsewhere{end}")
        assert hidden.status_code == unknown.status_code == 404
        assert plain(hidden, "secret-plan") == plain(unknown, "elsewhere")
    assert "secret-plan" not in client.get("/status/policy/").text


def test_the_list_leads_to_every_public_zone(client, registry):
    rows.a_zone("other")
    page = client.get("/status/policy/").text

    assert 'href="/status/policy/example"' in page
    assert 'href="/status/policy/other"' in page
    assert 'href="/status/policy/"' in client.get("/status/").text


def test_a_zone_that_is_switched_off_says_so(client, registry):
    assert "switched off for the whole" not in client.get(PAGE).text
    Zone.objects.update(automated=False)

    assert "switched off for the whole" in client.get(PAGE).text


def test_the_rules_speak_german(client, registry):
    page = client.get(PAGE, headers={"Accept-Language": "de"}).text

    assert '<html lang="de"' in page
    assert "10 Minuten, und zwar 2 Tage lang nach einer Änderung, danach 1 Tag." in page
    with translation.override("en"):
        for title, items in criteria.demanded(limits()):
            assert title not in page
            assert not any(item.text in page for item in items)


def test_a_network_is_measured_here_as_well(client, registry, settings):
    """S-109."""
    settings.PUBLIC_BURST, settings.PUBLIC_PER_MINUTE = 3, 1
    urls = (PAGE, f"{PAGE}/json", "/status/policy/", PAGE)

    assert [client.get(url).status_code for url in urls] == [200, 200, 200, 429]


@pytest.mark.parametrize("url", [PAGE, f"{PAGE}/json", "/status/policy/"])
def test_no_page_asks_the_database_much(
    url, client, registry, django_assert_max_num_queries
):
    client.get(url)
    with django_assert_max_num_queries(8):
        client.get(url)


def test_what_was_accepted_met_every_item_that_was_looked_at(registry):
    found = ends(registry.domains["waiting"])

    assert found["check_agreement"] == "met"
    assert found["check_keys"] == "met"  # a note that a key stands by is no objection
    assert found["check_windows"] == "not reached"  # it did not run
    assert "check_signer" not in found  # asked of names that have DS


def test_after_a_step_that_failed_the_later_ones_are_not_reached(registry):
    steps = rows.checks(failing="check_apex", reason="APEX_CDS_DIFFER")
    found = ends(registry.domains["waiting"], checks=steps, reasons=["APEX_CDS_DIFFER"])

    assert found["check_preconditions"] == "met"
    assert found["check_apex"] == "not met"
    assert found["check_agreement"] == found["check_path"] == "not reached"


def test_signals_that_are_provably_absent_are_not_met(registry):
    """`SIG_NONE` is no objection to anything, and yet nobody vouches."""
    found = ends(registry.domains["waiting"], reasons=["SIG_NONE"], outcome="nothing")

    assert found["check_signals"] == "not met"
    assert found["check_agreement"] == "not reached"


def test_what_nobody_asks_for_is_not_called_met(registry):
    """P-2.51."""
    found = ends(registry.domains["waiting"], reasons=["APEX_NO_CDS"])

    assert found["check_apex"] == found["check_signals"] == "not reached"


def test_a_note_that_would_count_in_a_change_is_not_called_met(registry):
    steps = rows.checks()
    steps[2] |= {"result": "note", "reasons": ["SIG_INSECURE"]}
    found = ends(registry.domains["waiting"], checks=steps)

    assert found["check_signals"] == "not met"


def test_a_change_of_ds_is_held_to_other_items_and_a_removal_to_fewer(registry):
    update = ends(registry.domains["waiting"], path="update")
    removal = ends(registry.domains["waiting"], path="removal", checks=STEPS_OF_REMOVAL)

    assert update["check_signer"] == "not reached"
    assert "check_path" in update
    assert "check_path" not in removal
    assert removal["check_signer"] == "met"


STEPS_OF_REMOVAL = [
    {"id": "check_signer", "result": "pass", "reasons": [], "detail": ""},
    {"id": "check_path", "result": "skipped", "reasons": [], "detail": ""},
]


def test_the_page_of_a_name_lists_them_and_leads_to_the_rules(client, registry):
    ends(
        registry.domains["waiting"],
        checks=rows.checks(failing="check_apex", reason="APEX_CDS_DIFFER"),
        reasons=["APEX_CDS_DIFFER"],
    )
    domain = registry.domains["waiting"]
    page = client.get(f"/status/{domain.name}").text
    told = client.get(f"/status/{domain.name}/json").json()["criteria"]

    assert 'href="/status/policy/example"' in page
    assert "1 of 16 were met at the last look, 1 not" in page
    assert {"check": "check_apex", "result": "not met"} in told
    assert {"check": "check_path", "result": "not reached"} in told


def test_rules_that_are_newer_than_the_look_are_told(client, registry):
    said = "The rules have changed since"
    assert said not in client.get("/status/lonely.example").text
    put_in_force(registry.zone, max_records=5)

    assert said in client.get("/status/lonely.example").text


def test_a_name_that_nobody_looked_at_has_no_list(client, registry):
    rows.a_domain(registry.zone, "new.example", last_scan_at=None)
    page = client.get("/status/new.example").text

    assert "at the last look" not in page
    assert 'href="/status/policy/example"' in page


ENDPOINTS = {
    "": None,
    "Notify.Registry.example.": ("notify.registry.example", 53),
    "notify.example:5300": ("notify.example", 5300),
}


@pytest.mark.parametrize("text", ENDPOINTS)
def test_where_notifications_are_heard_is_a_host_and_a_port(text, monkeypatch):
    monkeypatch.setenv("DSYNC_ENDPOINT", text)

    assert env.endpoint("DSYNC_ENDPOINT") == ENDPOINTS[text]


@pytest.mark.parametrize("text", ["a b", "x:0", "x:70000", "x:", "-x", "http://x"])
def test_anything_else_is_refused_by_its_name(text, monkeypatch):
    monkeypatch.setenv("DSYNC_ENDPOINT", text)

    with pytest.raises(ImproperlyConfigured, match="DSYNC_ENDPOINT"):
        env.endpoint("DSYNC_ENDPOINT")
