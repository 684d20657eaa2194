"""Writers and sealers killed by SIGKILL: nothing lost, nothing without its entry."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bootstrap.services import signing
from tests.support.product import ROOT, Product

pytestmark = [pytest.mark.system, pytest.mark.slow]
WRITERS = {"sqlite": 4, "postgresql": 64}


@pytest.fixture(params=WRITERS)
def product(request, tmp_path) -> Product:
    database = ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        server.psql("DROP DATABASE IF EXISTS writers")
        server.psql("CREATE DATABASE writers")
        database = server.url.rsplit("/", 1)[0] + "/writers"
    folder = tmp_path / "product"
    settings = {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "AUDIT_ORIGIN": "portal.example/audit",
        "AUDIT_LOG_DIR": str(folder / "log"),
    }
    installed = Product(folder, settings, database)
    installed.migrate()
    signing.make_key(folder / "log.key")
    return installed


def run(product: Product, module: str, *arguments: object) -> str:
    words = map(str, (product.folder, *arguments))
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [sys.executable, "-m", f"tests.system.{module}", *words],
        cwd=ROOT,
        env=product.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=3600,
    )
    assert done.returncode == 0, (done.stdout, done.stderr[-2000:])
    return done.stdout


def check(product: Product) -> None:
    """Hold all to all: by the trial's own reckoning, the command, the stand-alone tool."""
    assert run(product, "reckoning") == ""
    assert "everything holds" in product.manage("audit", "verify")
    export = product.folder / "export"
    product.manage("audit", "export", "-o", str(export))
    verifier = (sys.executable, "tools/audit_verify.py", str(export))
    key = ("--key", str(export / "key"))
    subprocess.run([*verifier, *key], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def test_killed_writers_leave_no_gap_no_loss_and_no_act_without_entry(
    product, request, long_trials
):
    seed = int(os.environ.get("TEST_SEED") or int.from_bytes(os.urandom(4), "big"))
    print(f"TEST_SEED={seed}")
    writers = WRITERS[request.node.callspec.params["product"]]

    run(product, "writers", writers, 100 if long_trials else 5, seed)

    check(product)


def test_a_sealer_killed_before_any_durable_step_goes_on_where_it_was(
    product, long_trials
):
    steps = int(run(product, "crashes", 50 if long_trials else 1))

    assert steps >= 12
    check(product)
