"""Rows of the old tables after the upgrade: every bundle comes back octet for octet."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zlib
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, connections

from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import RdataType
from bootstrap.core.evaluation.observations import Observation
from bootstrap.core.evaluation.queries import Query
from bootstrap.core.evaluation.verdict import judge
from bootstrap.core.evidence import bundle
from bootstrap.core.evidence.bundle import Bundle
from tests.support import rows
from tests.support.cases import a_case

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
OLD = "0018"
ALIAS = "upgraded"
KINDS = [("NS_OK_DATA", "I"), ("SIG_STALE", "A")]
CHECKS, SIGNALS = rows.checks(), rows.signals("example.ch", "secure", "bogus")


def a_bundle(number: int) -> Bundle:
    """Return evidence with packets of its own, some that others have, and one twice."""
    child = parse_name(f"child{number}.ch")
    own = f"own {number}".encode() * 20
    packets = (b"the root", own, own, *([b"shared by two"] if number < 2 else []))
    seen = tuple(
        Observation(Query("192.0.2.1", child, child, RdataType.CDS), NOW, b"asked", got)
        for got in packets
    )
    case = replace(a_case(), observations=seen, now=NOW + timedelta(hours=number))
    return Bundle(case, judge(case))


BUNDLES = [a_bundle(number) for number in range(5)]
ADDRESSES = [bundle.address(bundle.encode(each)) for each in BUNDLES]
COMPACTED = hashlib.sha256(b"compacted").hexdigest()
BROKEN = hashlib.sha256(b"broken").hexdigest()


@pytest.fixture
def old_database(tmp_path, django_db_blocker, settings):
    """Offer a database of the old schema, beside the one of the other tests."""
    with django_db_blocker.unblock():
        given = dict(connections.settings["default"])
        if connection.vendor == "postgresql":
            name = f"upgraded_{os.getpid()}"
            with closing(connection.copy(ALIAS)) as maker, maker.cursor() as cursor:
                cursor.execute(f"DROP DATABASE IF EXISTS {name}")
                cursor.execute(f"CREATE DATABASE {name}")
        else:
            name = str(tmp_path / "old.sqlite3")
        connections.settings[ALIAS] = {**given, "NAME": name}
        try:
            yield connections[ALIAS]
        finally:
            connections[ALIAS].close()
            del connections[ALIAS]
            del connections.settings[ALIAS]
            if connection.vendor == "postgresql":
                with closing(connection.copy(ALIAS)) as maker, maker.cursor() as cursor:
                    cursor.execute(f"DROP DATABASE {name}")


def url_of(database) -> str:
    given = database.settings_dict
    if database.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    place = f"{given['HOST']}:{given['PORT']}"
    return f"postgres://{given['USER']}:{given['PASSWORD']}@{place}/{given['NAME']}"


def manage(database, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url_of(database)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def insert(database, table: str, **columns) -> None:
    """Write one row; a field whose name SQL knows is quoted."""
    names = ", ".join(f'"{name}"' for name in columns)
    places = ", ".join(["%s"] * len(columns))
    with database.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608 - our own
            list(columns.values()),
        )


def moment(database, at: datetime):
    return database.ops.adapt_datetimefield_value(at)


def fill(database) -> None:
    """Store evidence and evaluations as the product did before."""
    known: set[str] = set()
    for number, (each, address) in enumerate(zip(BUNDLES, ADDRESSES, strict=True)):
        parts = bundle.split(each)
        old_evidence(database, address, zlib.compress(parts.manifest), number)
        for digest, packet in parts.packets.items():
            if digest not in known:
                body = zlib.compress(packet)
                old_packet(database, digest, body, len(packet))
            known.add(digest)
            insert(
                database,
                "bootstrap_evidence_packets",
                evidence_id=address,
                packet_id=digest,
            )
    old_evidence(database, COMPACTED, b"", 9)
    old_evidence(database, BROKEN, b"no stream", 10)
    old_scans(database)


def old_evidence(database, digest: str, manifest: bytes, hours: int) -> None:
    insert(
        database,
        "bootstrap_evidence",
        digest=digest,
        manifest=manifest,
        size=4711,
        created_at=moment(database, NOW + timedelta(hours=hours)),
    )


def old_packet(database, digest: str, body: bytes, size: int) -> None:
    insert(database, "bootstrap_packet", digest=digest, body=body, size=size)


def old_scans(database) -> None:
    """Write a zone, a domain, and an evaluation with and one without evidence."""
    newest = next((ROOT / "bootstrap/migrations").glob(f"{OLD}_*.py")).stem
    script = f"""
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from datetime import datetime, UTC
state = MigrationLoader(connection).project_state(("bootstrap", "{newest}")).apps
now = datetime(2026, 11, 20, tzinfo=UTC)
zone = state.get_model("bootstrap", "Zone").objects.create(name="ch", created_at=now)
domain = state.get_model("bootstrap", "Domain").objects.create(
    name="example.ch", zone=zone, created_at=now, changed_at=now)
make = state.get_model("bootstrap", "ScanAttempt").objects.create
for evidence in ({ADDRESSES[0]!r}, None):
    scan = make(domain=domain, trigger="schedule", started_at=now, duration_ms=1,
         outcome="accept", primary_reason="ACC_OK", kind="I", evidence_id=evidence,
         checks={CHECKS!r}, signals={SIGNALS!r})
    for reason, kind in {KINDS!r}:
        state.get_model("bootstrap", "ScanFinding").objects.create(
            scan=scan, reason=reason, kind=kind, subject="ns", detail="said")
"""
    run_script(database, script)


def run_script(database, script: str) -> str:
    head = "import django; django.setup()\n"
    done = subprocess.run(
        [sys.executable, "-c", head + script],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": url_of(database),
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


TOLD = """
import json
from bootstrap.models import Evidence, EvidencePiece, ScanAttempt, ScanFinding
from bootstrap.services import evidence
found = {}
for row in Evidence.objects.all():
    try:
        found[row.digest] = evidence.octets_of(row.digest).hex()
    except evidence.EvidenceUnreadable as exc:
        found[row.digest] = type(exc).__name__
scans = [[s.evidence_id, s.checks, s.nameservers, s.signals, s.domain.name, s.findings]
         for s in ScanAttempt.objects.order_by("evidence_id")]
print(json.dumps([found, EvidencePiece.objects.count(), scans,
                  list(ScanFinding.objects.values_list("kind", flat=True))]))
"""


def test_nothing_is_lost_when_the_tables_of_packets_go(old_database):
    manage(old_database, "migrate", "bootstrap", OLD, "--verbosity", "0")
    fill(old_database)
    old_database.close()

    manage(old_database, "migrate", "--verbosity", "0")

    found, pieces, scans, marks = json.loads(run_script(old_database, TOLD))
    whole = {a: bundle.encode(b).hex() for a, b in zip(ADDRESSES, BUNDLES, strict=True)}
    assert found == whole | {
        COMPACTED: "EvidenceCompacted",
        BROKEN: "EvidenceDamaged",
    }
    # "asked" and "the root" on two days, "shared by two" on both as well
    assert pieces == 6
    findings = [
        {"reason": reason, "kind": kind, "subject": "ns", "detail": "said"}
        for reason, kind in KINDS
    ]
    assert marks == ["A", "A"]
    views = [CHECKS, [], SIGNALS, "example.ch", findings]
    assert sorted(scans, key=str) == sorted(
        [[ADDRESSES[0], *views], [None, *views]], key=str
    )
