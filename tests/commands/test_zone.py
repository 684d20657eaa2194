from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.models import AuditEntry, PolicyVersion, Zone
from bootstrap.services import zones

pytestmark = pytest.mark.django_db

ADD = ("zone", "add", "Example.", "--primary", "127.0.0.53#5353")


def test_a_zone_is_added_with_safe_defaults_and_its_first_policy():
    call_command(*ADD)

    zone = Zone.objects.get()
    assert (zone.name, zone.primary, zone.routing) == (
        "example",
        "127.0.0.53#5353",
        "review",
    )
    assert (zone.observe_seconds, zone.quiet_seconds) == (86_400, 300)
    policy = PolicyVersion.objects.get()
    assert (policy.number, policy.zone) == (1, zone)
    assert zones.policy_of(zone) == AcceptancePolicy()
    types = set(AuditEntry.objects.values_list("type", flat=True))
    assert types == {"zone.added", "policy.changed"}


def test_every_option_reaches_its_column(tmp_path):
    key = tmp_path / "key"
    key.touch()
    call_command(
        *ADD,
        *("--tsig-key", str(key), "--policy", "auto", "--observe", "3", "--quiet", "0"),
        *("--server", "127.0.0.1", "127.0.0.2#54", "--server", "::1"),
        *("--scan-every", "60", "--max-removed", "0.5", "--two-persons"),
    )

    zone = Zone.objects.get()
    assert (zone.routing, zone.observe_seconds, zone.quiet_seconds) == ("auto", 3, 0)
    assert zone.tsig_key_file == str(key)
    assert zone.servers == ["127.0.0.1", "127.0.0.2#54", "::1"]
    assert (zone.scan_every_seconds, zone.max_removed_share) == (60, 0.5)
    assert zone.two_persons


WRONG = {
    "twice": (ADD, "there already"),
    "no name": (("zone", "add", "a..b", "--primary", "127.0.0.1"), "not a domain name"),
    "no address": (("zone", "add", "b", "--primary", "ns.example"), "ns.example"),
    "no port": (("zone", "add", "b", "--primary", "127.0.0.1#99999"), "port"),
    "a share above 1": (
        ("zone", "add", "b", "--primary", "::1", "--max-removed", "2"),
        "between 0 and 1",
    ),
    "negative seconds": (
        ("zone", "add", "b", "--primary", "::1", "--quiet", "-1"),
        "--quiet",
    ),
    "an unknown policy": (
        ("zone", "add", "b", "--primary", "::1", "--policy", "maybe"),
        "--policy",
    ),
    "a change of what is not there": (
        ("zone", "change", "b", "--quiet", "1"),
        "b is no",
    ),
}


@pytest.mark.parametrize(("arguments", "told"), WRONG.values(), ids=WRONG)
def test_nonsense_is_refused_by_name_and_changes_nothing(arguments, told):
    call_command(*ADD)
    with pytest.raises(CommandError, match=told):
        call_command(*arguments)
    assert Zone.objects.count() == 1
    assert PolicyVersion.objects.count() == 1


def test_a_change_tells_what_changed(capsys):
    call_command(*ADD)
    call_command("zone", "change", "example", "--policy", "auto", "--quiet", "300")

    assert "example: changed routing" in capsys.readouterr().out
    entry = AuditEntry.objects.get(type="zone.changed")
    assert json.loads(bytes(entry.body))["data"]["settings"] == {"routing": "auto"}


def test_a_missing_key_file_is_mentioned_and_no_obstacle(capsys):
    call_command(*ADD, "--tsig-key", "/nowhere/key")
    assert "/nowhere/key" in capsys.readouterr().err
    assert Zone.objects.exists()


def test_zones_are_listed_as_json_lines(capsys):
    call_command(*ADD)
    call_command("zone", "add", "b", "--primary", "::1", "--policy", "auto")
    capsys.readouterr()
    call_command("zone", "list", "--json")

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(zone["zone"], zone["policy"]) for zone in lines] == [
        ("b", "auto"),
        ("example", "review"),
    ]


def test_a_policy_survives_the_way_to_its_row_and_back():
    policy = AcceptancePolicy(digests=(2, 4), min_rsa_bits=2048)
    assert zones.policy_from(json.loads(json.dumps(zones.text_of(policy)))) == policy
    assert zones.policy_from({}) == AcceptancePolicy()
