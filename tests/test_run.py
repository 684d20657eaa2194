"""`make`'s words on a machine that lacks something: one line that says what."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RUN = ROOT / "tools" / "run.py"
WITHOUT_VENV = """
import importlib.util, pathlib, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name == "ensurepip" else found(name)
sys.argv = ["run.py", "demo"]
sys.path.insert(0, "tools")
import run
run.VENV = pathlib.Path("nothing", ".venv")
run.PYTHON = run.VENV / "bin" / "python"
sys.exit(run.main())
"""
TOO_OLD = """
import sys
sys.version_info, sys.version = (3, 8, 18), "3.8.18 (default)"
sys.argv = ["run.py", "demo"]
sys.path.insert(0, "tools")
import run
sys.exit(run.main())
"""


def started(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("version", [(3, 7), (3, 8), (3, 9), (3, 10)])
def test_an_old_python_can_read_what_it_lacks(version):
    ast.parse(RUN.read_text(), feature_version=version)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (TOO_OLD, "Python 3.11 or newer is needed; this is 3.8.18"),
        (WITHOUT_VENV, "apt-get install python3-venv"),
    ],
    ids=["too old", "no venv"],
)
def test_what_the_machine_lacks_is_named_in_the_last_line(script, words):
    done = started(script)

    assert done.returncode == 1
    assert words in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (ROOT / "nothing").exists()
