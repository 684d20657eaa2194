"""A worker's memory stays flat, however much it evaluates (performance.md, section 4).

Real evaluations over loopback, recorded in a real database. Short in `make test`;
`make test-long` runs 200,000. ENDURANCE_EVALUATIONS sets the size.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap import clock
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.scenes import many
from tests.support.product import ROOT, Product

pytestmark = [pytest.mark.system, pytest.mark.slow]
PARENT = "alpha.test"
CHILDREN = 150
GOOD = 20
"""Per cent of the children that are candidates, each with its whole evidence."""
WARM = 3
"""One of so many parts of the run is left for pools and caches to fill."""
MOST = 0.10
"""How far the memory may move from its median, of that median (performance.md, 4)."""


def curve_of(product: Product, evaluations: int) -> list[tuple[int, int]]:
    """Let one worker do so many; return evaluations done and KiB, after each round."""
    environment = product.environment | {"DJANGO_SETTINGS_MODULE": "portal.settings"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.system.endurance", str(evaluations)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = (line.split() for line in done.stdout.splitlines())
    return [(int(count), int(memory)) for count, memory in lines]


def test_the_memory_of_a_worker_is_flat(tmp_path: Path, postgres, long_trials):
    wanted = os.environ.get("ENDURANCE_EVALUATIONS")
    evaluations = int(wanted or (200_000 if long_trials else 1_500))
    postgres.psql("DROP DATABASE IF EXISTS endurance")
    postgres.psql("CREATE DATABASE endurance")
    database = postgres.url.rsplit("/", 1)[0] + "/endurance"
    world = many(CHILDREN, parent=PARENT, share_good=GOOD)
    with Lab(world, clock=clock.now, folder=tmp_path / "lab", prefix="127.63") as lab:
        manifest = lab.manifest()
        settings = {
            "DNS_ROOT_HINTS": manifest["root_hints"],
            "DNS_TRUST_ANCHORS": manifest["trust_anchors"],
            "DNS_ALLOWED_NETWORKS": ",".join(manifest["networks"]),
            "DNS_PORT": str(manifest["port"]),
            "DNS_LAB_PACE": "unlimited",
            "DNS_SKIP_FAMILIES": "6",
        }
        product = Product(tmp_path / "product", settings, database)
        primary = manifest["parents"][0]["primary"]
        key = ("--tsig-key", manifest["tsig_key"])
        product.migrate()
        product.manage("zone", "add", PARENT, "--primary", primary, *key)
        product.manage("import_delegations", PARENT, "--axfr", primary, *key)
        curve = curve_of(product, evaluations)

    assert curve[-1][0] >= evaluations
    warm = [kib for count, kib in curve if count > evaluations / WARM]
    middle = statistics.median(warm)
    step = max(1, len(curve) // 20)
    told = ", ".join(f"{count}: {kib / 1024:.1f}" for count, kib in curve[::step])
    print(f"MiB after so many evaluations: {told}; last {curve[-1][1] / 1024:.1f}")
    assert max(warm) <= middle * (1 + MOST), told
    assert min(warm) >= middle * (1 - MOST), told
