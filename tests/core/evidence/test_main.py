"""The stand-alone verifier's command line."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys

import pytest

from bootstrap.core.evidence.__main__ import main


def test_a_damaged_file_is_not_reproduced(tmp_path, capsys):
    path = tmp_path / "evidence"
    path.write_bytes(b"not a bundle")

    status = main(["verify", str(path)])

    assert status == 1
    assert "damaged" in capsys.readouterr().out


def test_a_damaged_file_is_a_line_of_json(tmp_path, capsys):
    path = tmp_path / "evidence"
    path.write_bytes(b"not a bundle")

    status = main(["verify", "--json", str(path)])

    told = json.loads(capsys.readouterr().out)
    assert status == 1
    assert told["reproduced"] is False
    assert told["damage"].startswith("seal")


def test_wrong_usage_ends_with_2(tmp_path, capsys):
    assert main(["verify", str(tmp_path / "missing")]) == 2
    for arguments in ([], ["verify"], ["verify", "--anchor", "/nowhere", "x"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
    capsys.readouterr()


def test_the_verifier_loads_no_framework_and_no_socket():
    script = (
        "import sys, bootstrap.core.evidence.__main__;"
        "print([m for m in ('django', 'asyncio', 'psycopg', 'rfc8785') if m in sys.modules])"
    )

    told = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )

    assert told.stdout.strip() == "[]"


def test_the_module_is_a_program(tmp_path, capsys, monkeypatch):
    path = tmp_path / "evidence"
    path.write_bytes(b"not a bundle")
    monkeypatch.setattr(sys, "argv", ["evidence", "verify", str(path)])
    monkeypatch.delitem(sys.modules, "bootstrap.core.evidence.__main__")

    with pytest.raises(SystemExit) as ended:
        runpy.run_module("bootstrap.core.evidence", run_name="__main__")

    assert ended.value.code == 1
    assert "damaged" in capsys.readouterr().out
