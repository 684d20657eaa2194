"""Machines at the door: a client for each role and scope."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from bootstrap import clock
from bootstrap.services import tokens
from bootstrap.services.actors import OPERATOR

Machine = Callable[..., Client]


@pytest.fixture
def secret(people):
    """Make a token for a role's person; return its secret."""

    def make(role: str = "approver", *scopes: str, zones=()) -> str:
        owner = people[role]
        wanted = scopes or tuple(sorted(tokens.granted(owner, tokens.SCOPES)))
        terms = tokens.Terms(name="test", scopes=wanted, zones=tuple(zones))
        return tokens.issue(owner, terms, actor=OPERATOR, now=clock.now())[1]

    return make


@pytest.fixture
def machine(secret) -> Machine:
    """Return a client that sends the token of a role with these scopes."""

    def make(role: str = "approver", *scopes: str, zones=()) -> Client:
        token = secret(role, *scopes, zones=zones)
        return Client(headers={"Authorization": f"Bearer {token}"})

    return make
