"""The demo's laboratory with its zones imported, for commands that look at it."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command

from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.scenes import demo_world


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    with Lab(
        demo_world(), clock=lambda: datetime.now(UTC), folder=folder, prefix="127.56"
    ) as running:
        yield running


@pytest.fixture
def world(lab, settings, db):
    settings.BOOTSTRAP = {
        **settings.BOOTSTRAP,
        "DNS_ROOT_HINTS": str(lab.root_hints),
        "DNS_TRUST_ANCHORS": str(lab.anchors),
        "DNS_PORT": str(lab.port),
        "DNS_ALLOWED_NETWORKS": "127.56.0.0/16",
        "DNS_LAB_PACE": "unlimited",
        "DNS_SKIP_FAMILIES": "6",
    }
    manifest = lab.manifest()
    for parent in manifest["parents"]:
        call_command(
            "zone",
            "add",
            parent["name"],
            "--primary",
            parent["primary"],
            "--policy",
            parent["policy"],
            stdout=StringIO(),
        )
        call_command(
            "import_delegations",
            parent["name"],
            axfr=parent["primary"],
            tsig_key=lab.tsig_key_file,
            stdout=StringIO(),
        )
    return lab
