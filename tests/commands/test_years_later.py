"""The demo's evidence on a bare machine, fifty years later (P-8.23).

A folder with the verifier, dnspython and cryptography is all that is there: no
other package, no network, and a clock that knows nothing of today.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib import metadata
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from bootstrap.models import ScanAttempt
from tests.conftest import needs

pytestmark = pytest.mark.sqlite_only
ROOT = Path(__file__).parents[2]
YEARS_LATER = "2076-11-24 12:00:00"
OUTCOMES = {"accept", "nothing", "reject", "retry"}
VERIFY = """
import runpy, sys
sys.path[:0] = [sys.argv.pop(1)]
runpy.run_module("bootstrap.core.evidence", run_name="__main__", alter_sys=True)
"""
LOOK = """
import importlib.util, socket, sys, time
sys.path[:0] = [sys.argv.pop(1)]
import cryptography, dns
print(time.gmtime().tm_year)
print(*[name for _index, name in socket.if_nameindex()])
for name in ("django", "psycopg", "portal", "bootstrap.models", "bootstrap.core"):
    print(name, importlib.util.find_spec(name) is not None)
try:
    socket.create_connection(("127.0.0.1", 53), 1)
except OSError as failure:
    print(failure.strerror)
"""


def distributions(*names: str) -> set[str]:
    """Return these distributions and whatever they cannot do without."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            needed = metadata.requires(name) or []
            plain = [text for text in needed if "extra ==" not in text]
            waiting += [re.split(r"[^\w.-]", text)[0] for text in plain]
    return {name for name in found if installed(name)}


def installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False  # for another platform
    return True


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what somebody who distrusts us would install."""
    needs("faketime", "unshare")
    folder = tmp_path_factory.mktemp("machine") / "packages"
    for name in distributions("dnspython", "cryptography"):
        for file in metadata.files(name) or ():
            source = Path(str(file.locate()))
            if ".." not in file.parts and source.is_file():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, folder / file)
    shutil.copytree(ROOT / "bootstrap" / "core", folder / "bootstrap" / "core")
    shutil.copy(ROOT / "bootstrap" / "__init__.py", folder / "bootstrap")
    return folder


def on(machine: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script there: nothing installed is seen, and no interface is up."""
    interpreter = [sys.executable, "-I", "-S", "-B", "-c", script, str(machine)]
    return subprocess.run(
        ["unshare", "--net", "faketime", YEARS_LATER, *interpreter, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=machine,
    )


def exported(folder: Path) -> list[Path]:
    """Export the evidence that `scan` left of each child."""
    paths = []
    for attempt in ScanAttempt.objects.select_related("domain"):
        path = folder / f"{attempt.domain.name}.evidence"
        call_command("evidence", "export", str(attempt.pk), "-o", str(path))
        paths.append(path)
    return paths


def test_the_machine_is_bare_and_its_clock_is_wrong(machine):
    done = on(machine, LOOK)

    assert done.stdout.splitlines() == [
        "2076",
        "lo",
        "django False",
        "psycopg False",
        "portal False",
        "bootstrap.models False",
        "bootstrap.core True",
        "Network is unreachable",
    ], done.stderr


def test_p_8_23_the_demo_s_evidence_gives_the_same_verdicts_there(
    machine, world, tmp_path
):
    for parent in ("alpha.test", "beta.test"):
        call_command("scan", "--zone", parent, stdout=StringIO())

    paths = exported(tmp_path)
    done = on(machine, VERIFY, "verify", "--json", *map(str, paths))

    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert len(told) == ScanAttempt.objects.count() > 10
    assert {line["outcome"] for line in told} >= OUTCOMES
    for line in told:
        row = ScanAttempt.objects.get(evidence_id=line["address"])
        assert line["reproduced"]
        assert (line["outcome"], line["ds"]) == (row.outcome, sorted(row.ds))


def test_evidence_that_was_tampered_with_is_refused_there(machine, world, tmp_path):
    call_command("scan", "bakery.alpha.test", "garden.alpha.test", stdout=StringIO())
    spoiled, honest = exported(tmp_path)
    octets = bytearray(spoiled.read_bytes())
    octets[len(octets) // 2] ^= 1
    spoiled.write_bytes(octets)

    done = on(machine, VERIFY, "verify", str(spoiled), str(honest))

    assert done.returncode == 1
    assert f"{spoiled}: NOT REPRODUCED" in done.stdout
    assert f"{honest}: reproduced" in done.stdout
