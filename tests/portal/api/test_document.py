"""What the OpenAPI document allows, and what it does not, never breaks the server."""

from __future__ import annotations

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, given, settings as trials
from requests import Request
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from portal.api.urls import api

from .test_matrix import GOLDEN

DOCUMENT = schemathesis.openapi.from_dict(
    api.get_openapi_schema(path_prefix="/api/v1/")
)
FOUND = [one.ok() for one in DOCUMENT.get_all_operations() if isinstance(one, Ok)]
OPERATIONS = {f"{one.method.upper()} {one.path}": one for one in FOUND}
MODES = {"allowed": GenerationMode.POSITIVE, "not allowed": GenerationMode.NEGATIVE}
CASES = {
    f"{name}, {word}": (operation, mode)
    for name, operation in OPERATIONS.items()
    for word, mode in MODES.items()
    if not (word == "not allowed" and "/status/" in name)  # it takes any text
}


def sent(client: Client, case):
    """Put a case to the server, as the bytes that would be on the wire."""
    wanted = case.as_transport_kwargs(base_url="http://testserver")
    wanted.pop("cookies", None)
    wire = Request(**wanted).prepare()
    _, _, address = (wire.url or "").partition("//testserver")
    body = wire.body.encode() if isinstance(wire.body, str) else wire.body or b""
    kind = wire.headers.get("Content-Type", "application/json")
    return client.generic(wire.method or "GET", address, body, content_type=str(kind))


@pytest.mark.parametrize(("operation", "mode"), CASES.values(), ids=CASES)
def test_no_request_breaks_the_server(operation, mode, machine, registry, long_trials):
    role = "auditor" if "/audit" in operation.path else "approver"
    client = machine(role)

    @trials(
        max_examples=200 if long_trials else 4,
        deadline=None,
        database=None,
        derandomize=not long_trials,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        answer = sent(client, case)

        assert answer.status_code < 500, answer.text
        assert answer.status_code != 401

    ask()


def test_every_operation_is_in_the_document():
    told = {(one.method.upper(), one.path) for one in OPERATIONS.values()}
    table = {(m, "/api/v1" + p.replace("path:", "")) for m, p in GOLDEN}

    assert told == table
