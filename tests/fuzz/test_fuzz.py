"""The corpus once more, and a short run of the coverage-guided fuzzer (S-16)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.core.evaluation.verdict import judge
from bootstrap.core.evidence.verify import compare
from fuzz import targets
from fuzz.__main__ import CORPUS, main

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("target", targets.TARGETS)
def test_no_kept_input_trips_its_reader(target):
    assert targets.replay(target, (CORPUS / target).iterdir())


def test_every_corpus_has_its_target_and_stays_small():
    kept = [path for path in CORPUS.rglob("*") if path.is_file()]

    assert {path.parent.name for path in kept} == set(targets.TARGETS)
    assert sum(path.stat().st_size for path in kept) < 500_000


def test_the_evidence_that_is_spoiled_is_still_accepted_by_today_s_code():
    honest = targets.accepted()

    assert compare(honest.verdict, judge(honest.case)) == ()
    assert targets.spoiled(honest.case, b"") == honest.case
    assert targets.spoiled(honest.case, bytes(6)) != honest.case


@pytest.mark.slow
def test_a_short_run_finds_nothing(long_trials, tmp_path):
    pytest.importorskip("atheris", reason="has wheels for Linux on x86-64 alone")
    short = ["--seconds", "60", "--runs", "150", "--seed", "1"]
    extent = ["--seconds", "300"] if long_trials else short

    done = subprocess.run(
        [sys.executable, "-m", "fuzz", *extent],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr
    assert done.stdout.count("Done") == len(targets.TARGETS), done.stdout


def test_a_finding_is_told_and_ends_with_1(tmp_path):
    """A target that trips over its own corpus: the run must not pass."""
    pytest.importorskip("atheris", reason="has wheels for Linux on x86-64 alone")
    broken = tmp_path / "fuzz"
    broken.mkdir()
    for path in (ROOT / "fuzz").glob("*.py"):
        text = path.read_text()
        text = text.replace("except KeyFileInvalid:", "except ZeroDivisionError:")
        (broken / path.name).write_text(text)
    folder = broken / "corpus" / "tsig_key"
    folder.mkdir(parents=True)
    (folder / "seed").write_bytes(b"key")

    done = subprocess.run(
        [sys.executable, "-m", "fuzz", "--seconds", "5"],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "KeyFileInvalid" in done.stdout


def test_without_the_library_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    assert main([]) == 2
    assert "not installed" in capsys.readouterr().err
