"""A token reaches no further than its owner: one zone, or all (S-105, S-111)."""

from __future__ import annotations

import pytest
from django.test import Client

from bootstrap import clock
from bootstrap.services import tokens
from bootstrap.services.actors import OPERATOR
from tests.support import apart

from .test_matrix import EVERYWHERE, GOLDEN, send

CLOSED = {path for _, path in GOLDEN if path.startswith(EVERYWHERE)}


def client_of(owner, **terms) -> Client:
    """Return a client with a token for all that its owner may do."""
    scopes = tuple(sorted(tokens.granted(owner, tokens.SCOPES)))
    made = tokens.Terms(name="test", scopes=scopes, **terms)
    _, secret = tokens.issue(owner, made, actor=OPERATOR, now=clock.now())
    return Client(headers={"Authorization": f"Bearer {secret}"})


@pytest.fixture
def there(registry):
    """The second zone."""
    return apart.elsewhere()


@pytest.fixture
def limited(there):
    """A client whose owner decides in the second zone alone."""
    return client_of(apart.a_limited_person(there.zone, "approver"))


@pytest.mark.parametrize(("method", "path"), [one for one in GOLDEN if GOLDEN[one][0]])
def test_no_operation_tells_of_another_zone_or_changes_it(
    method, path, limited, registry
):
    answer = send(limited, method, path, registry)

    if path in CLOSED:
        assert answer.status_code == 403
    elif "{" in path or method == "POST":
        assert answer.status_code == 404
    else:
        assert answer.status_code == 200
        assert ".example" not in answer.text
        assert "elsewhere" in answer.text or not answer.json()["items"]


def test_ones_own_zone_answers(limited, there):
    answer = limited.get("/api/v1/domains/home.elsewhere")

    assert answer.status_code == 200
    body = '{"domain": "home.elsewhere"}'
    asked = limited.post("/api/v1/scan-requests", body, content_type="application/json")
    assert asked.status_code == 202


def test_a_token_for_another_zone_than_its_owners_reaches_nothing(registry, there):
    owner = apart.a_limited_person(there.zone, "approver")
    client = client_of(owner, zones=(registry.zone,))

    assert client.get("/api/v1/domains").json()["items"] == []


def test_a_role_taken_away_takes_its_zone_from_the_token(limited, there):
    assert limited.get("/api/v1/domains").json()["items"]
    there.zone.roles.all().delete()

    assert limited.get("/api/v1/domains").status_code == 403
