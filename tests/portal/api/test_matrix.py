"""Who may do what: every operation, for every role, scope and zone (S-105, S-111)."""

from __future__ import annotations

import json

import pytest

from bootstrap.services import tokens
from portal.api.urls import api
from tests.support import rows

V1 = "/api/v1"
ALL = ("viewer", "reviewer", "approver", "auditor", "zone manager")
BUSY = ("reviewer", "approver")
GOLDEN = {
    ("GET", "/zones"): ("zones:read", ALL),
    ("GET", "/zones/{path:name}"): ("zones:read", ALL),
    ("GET", "/domains"): ("domains:read", ALL),
    ("GET", "/domains/{path:name}"): ("domains:read", ALL),
    ("GET", "/operators"): ("domains:read", ALL),
    ("GET", "/operators/{finding_id}/domains"): ("domains:read", ALL),
    ("GET", "/scans"): ("scans:read", ALL),
    ("GET", "/scans/{scan_id}"): ("scans:read", ALL),
    ("GET", "/scans/{scan_id}/evidence"): ("scans:read", ALL),
    ("GET", "/proposals"): ("proposals:read", ALL),
    ("GET", "/proposals/{proposal_id}"): ("proposals:read", ALL),
    ("GET", "/publications"): ("publications:read", ALL),
    ("GET", "/sightings"): ("publications:read", ALL),
    ("GET", "/alarms"): ("alarms:read", ALL),
    ("GET", "/audit"): ("audit:read", ("auditor",)),
    ("GET", "/audit/{uid}"): ("audit:read", ("auditor",)),
    ("GET", "/audit/{uid}/proof"): ("audit:read", ("auditor",)),
    ("POST", "/scan-requests"): ("scans:request", BUSY),
    ("POST", "/scan-runs"): ("scans:request", BUSY),
    ("POST", "/scan-runs/recall"): ("scans:request", BUSY),
    ("POST", "/notes"): ("notes:write", BUSY),
    ("POST", "/alarms/{alarm_id}/acknowledgement"): ("alarms:acknowledge", BUSY),
    ("POST", "/suspensions"): ("automation:switch", BUSY),
    ("POST", "/resumptions"): ("automation:switch", BUSY),
    ("GET", "/status/{path:name}"): (None, ALL),
}
"""Golden table: which scope an operation takes, and which roles can have it."""
BODIES = {
    "/scan-requests": {"domain": "lonely.example"},
    "/scan-runs": {"zone": "example"},
    "/scan-runs/recall": {"zone": "example"},
    "/notes": {"domain": "lonely.example", "text": "Told the operator"},
    "/alarms/{alarm_id}/acknowledgement": {"comment": "seen"},
    "/suspensions": {
        "domain": "lonely.example",
        "reason": "HOLDER_OPT_OUT",
        "note": "by letter",
    },
    "/resumptions": {"domain": "manual.example", "note": "by letter"},
}
EVERYWHERE = ("/operators", "/audit")
"""Without zone: closed for tokens that are confined to some."""
LATER = {"/audit/{uid}/proof": 409, "/scans/{scan_id}/evidence": 404}
"""What those operations answer in the small registry, once somebody is let in."""


def address(path: str, registry) -> str:
    """Return the address of one operation, for the small registry."""
    facts = {
        "name": registry.zone.name if path.startswith("/zones") else "lonely.example",
        "finding_id": registry.finding.pk,
        "scan_id": registry.scans["waiting"].pk,
        "proposal_id": registry.proposals["candidate"].pk,
        "alarm_id": registry.alarms[0].pk,
        "uid": registry.entries[0].uid,
    }
    return V1 + path.replace("path:name", "name").format(**facts)


def send(client, method: str, path: str, registry):
    """Do one operation as it should be done."""
    url = address(path, registry)
    if method == "GET":
        return client.get(url)
    return client.post(url, json.dumps(BODIES[path]), content_type="application/json")


def operations():
    return {
        (method, path)
        for prefix, router in api._routers
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
    }


def test_every_operation_has_a_line_in_the_golden_table():
    assert operations() == GOLDEN.keys()


def test_every_scope_is_good_for_something():
    assert {scope for scope, _ in GOLDEN.values() if scope} == tokens.SCOPES.keys()


@pytest.mark.parametrize(("method", "path"), GOLDEN)
def test_an_operation_works_for_exactly_the_roles_of_the_table(
    method, path, machine, registry
):
    _, roles = GOLDEN[method, path]
    good = LATER.get(path, 202 if path.startswith("/scan-r") else 200)

    got = {
        role: send(machine(role), method, path, registry).status_code for role in ALL
    }

    assert got == {role: good if role in roles else 403 for role in ALL}


@pytest.mark.parametrize(("method", "path"), [o for o in GOLDEN if GOLDEN[o][0]])
def test_an_operation_takes_its_own_scope_and_no_other(
    method, path, machine, people, registry
):
    scope, _ = GOLDEN[method, path]
    role = "auditor" if scope == "audit:read" else "approver"
    owner = tokens.granted(people[role], tokens.SCOPES)
    others = tuple(sorted(owner - {scope}))

    assert send(machine(role, *others), method, path, registry).status_code == 403
    assert send(machine(role, scope), method, path, registry).status_code != 403


@pytest.mark.parametrize(("method", "path"), GOLDEN)
def test_nothing_but_the_status_is_told_without_a_token(method, path, client, registry):
    answer = send(client, method, path, registry)

    assert answer.status_code == (401 if GOLDEN[method, path][0] else 200)


@pytest.mark.parametrize(("method", "path"), GOLDEN)
def test_no_session_of_a_person_opens_the_door_of_machines(
    method, path, browsers, registry
):
    answer = send(browsers["approver"], method, path, registry)

    assert answer.status_code == (401 if GOLDEN[method, path][0] else 200)


@pytest.mark.parametrize(("method", "path"), GOLDEN)
def test_a_token_of_another_zone_finds_nothing(method, path, machine, registry):
    other = rows.a_zone("elsewhere")
    role = "auditor" if path.startswith("/audit") else "approver"

    answer = send(machine(role, zones=[other]), method, path, registry)

    if GOLDEN[method, path][0] is None:
        assert answer.status_code == 200
    elif path.startswith(EVERYWHERE):
        assert answer.status_code == 403
    elif "{" in path or method == "POST":
        assert answer.status_code == 404
    else:
        assert all(item["name"] == other.name for item in answer.json()["items"])


MISSING = [
    (method, path)
    for path in sorted({path for _, path in GOLDEN})
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    if (method, path) not in GOLDEN
]


@pytest.mark.parametrize(("method", "path"), MISSING)
def test_a_method_that_is_not_in_the_table_is_refused(method, path, machine, registry):
    url = address(path, registry)

    answer = machine("approver").generic(method, url)

    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/problem+json"


def test_no_address_decides():
    """S-111."""
    words = ("approve", "reject", "hold", "release", "decision")

    assert not [path for _, path in operations() if any(w in path for w in words)]
