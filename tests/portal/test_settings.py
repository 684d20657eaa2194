"""Settings refuse nonsense at start, by the name of the variable (style rule 27)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from portal import env

KEY = "abcdefghijklmnopqrstuvwxyz0123456789" * 2
PRODUCTION = {
    "SECRET_KEY": KEY,
    "ALLOWED_HOSTS": "ds.registry.example",
    "DATABASE_URL": "sqlite:///:memory:",
}

NONSENSE = {
    "no key": ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
    "a short key": ({"SECRET_KEY": "short"}, "SECRET_KEY has 5 characters"),
    "every host": ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS contains '*'"),
    "half a demo": ({"PORTAL_DEMO": "perhaps"}, "PORTAL_DEMO is 'perhaps'"),
    "a group without a role": ({"OIDC_ROLES": "admins"}, "OIDC_ROLES has a part"),
    "neither yes nor no": ({"OIDC_UNKNOWN": "ask"}, "OIDC_UNKNOWN is 'ask'"),
    "no number": ({"TRUSTED_PROXIES": "one"}, "TRUSTED_PROXIES has a value"),
}


def start(changes, script="import django; django.setup()"):
    """Return how a fresh process fares with these variables and no others of ours."""
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG"}}
    variables = kept | PRODUCTION | changes
    variables["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    return subprocess.run(
        [sys.executable, "-c", script],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("case", NONSENSE)
def test_nonsense_stops_the_start_with_the_name_of_the_variable(case):
    changes, words = NONSENSE[case]

    done = start(changes)

    assert done.returncode != 0
    assert words in done.stderr.splitlines()[-1]


def test_production_passes_djangos_own_deployment_check():
    script = (
        "import django; django.setup();"
        "from django.core.management import call_command;"
        "call_command('check', deploy=True, fail_level='WARNING')"
    )

    done = start({}, script)

    assert done.returncode == 0, done.stderr


def test_the_demo_starts_with_nothing_set_at_all():
    done = start({"SECRET_KEY": "", "ALLOWED_HOSTS": "", "PORTAL_DEMO": "1"})

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("text", "value"), [("1", True), ("No", False), ("", True)])
def test_a_flag_is_yes_no_or_its_default(text, value, monkeypatch):
    monkeypatch.setenv("SOME_FLAG", text)

    assert env.flag("SOME_FLAG", default=True) is value


def test_groups_stand_for_roles_everywhere_or_in_a_zone(monkeypatch):
    monkeypatch.setenv("OIDC_ROLES", "a=viewer, b=x=reviewer@nl., a=approver@example")

    assert env.roles_by_group("OIDC_ROLES") == {
        "a": (("viewer", ""), ("approver", "example")),
        "b=x": (("reviewer", "nl"),),
    }


@pytest.mark.parametrize(("query", "age"), [("", 60), ("?conn_max_age=0", 0)])
def test_connections_to_postgresql_are_kept_for_a_minute_unless_told(query, age):
    script = "from django.conf import settings; print(settings.DATABASES['default']['CONN_MAX_AGE'])"
    url = f"postgres://portal@127.0.0.1:5432/portal{query}"

    done = start({"DATABASE_URL": url}, script)

    assert done.stdout.strip() == str(age), done.stderr
