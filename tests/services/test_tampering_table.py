"""Every way to tamper with history, by how much an intruder holds, and who finds it.

Meets the trials that S-93 and the issue of the ledger ask for. Two verifiers look:
`manage.py audit verify`, and `tools/audit_verify.py`, which knows nothing of ours and
reads the files alone. The auditor keeps the log's key and one checkpoint. A change of
single columns is in test_tampering.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from django.core.management import CommandError, call_command

from bootstrap.models import Checkpoint
from bootstrap.services.signing import Signer
from tests.support import tampering
from tests.support.tampering import chained, moved, spelled

from . import test_keeping
from .builders import NOW
from .test_keeping import a_keeper, write

time = test_keeping.time
pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]

FIRST, SIZE = 150, 301
"""Entries under the first checkpoint, and under the one that the auditor keeps."""
NEW: Final = "019ab000-0000-7000-8000-000000000001"
Bodies = list[bytes]


def insert(bodies: Bodies) -> Bodies:
    forged = spelled(bodies[100], id=NEW, n=1_000)
    return [*bodies[:100], forged, *bodies[100:]]


def fork(bodies: Bodies) -> Bodies:
    """Tell another story from entry 150 on, in which everything fits."""
    other = [spelled(body, type="scan.verdict") for body in bodies[150:]]
    return chained([*bodies[:150], *other, spelled(bodies[0], id=NEW)])


@dataclass(frozen=True)
class Trial:
    """What is done to the list of entries, and the first one that it hits."""

    change: Callable[[Bodies], Bodies]
    hits: int
    earlier: bool = False
    """The first checkpoint comes back too, with its own good signature."""
    consistent: bool = False
    """Streams fit: only signatures tell, and once they are forged what was kept."""


TRIALS = {
    "deletion": Trial(lambda b: b[:100] + b[101:], 100),
    "insertion": Trial(insert, 100),
    "re-ordering": Trial(lambda b: moved(b, 3, 6, 9), 3),
    "exchange of two": Trial(lambda b: moved(b, 10, 20), 10),
    "truncation": Trial(lambda b: b[:200], 200, consistent=True),
    "roll-back": Trial(lambda b: b[:FIRST], FIRST, earlier=True, consistent=True),
    "fork": Trial(fork, 150, consistent=True),
}
HOLDS = {
    "the database": {"tables"},
    "the files": {"files"},
    "database and files": {"tables", "files"},
    "both and the key": {"tables", "files", "key"},
}
"""What an intruder can write to, or sign with."""


@pytest.fixture
def log(tmp_path, time, settings):
    """A log under two checkpoints, of which the auditor kept the newer one."""
    keeper = a_keeper(tmp_path / "keeper", time)
    settings.BOOTSTRAP = settings.BOOTSTRAP | {
        "AUDIT_LOG_DIR": str(keeper.files.folder)
    }
    keeper.start()
    for count in (FIRST - 1, SIZE - FIRST):
        write(count)
        keeper.round()
    kept = tmp_path / "kept"
    kept.write_text(keeper.files.checkpoint() or "")
    (tmp_path / "key").write_bytes((keeper.files.folder / "key").read_bytes())
    return keeper


def by_the_command(log, folder) -> tuple[bool, str]:
    """Return whether `manage.py audit verify` is content, and what it says."""
    said = folder / "said"
    words = ["--key", str(folder / "key"), "--checkpoint", str(folder / "kept")]
    with said.open("w") as out:
        try:
            call_command("audit", "verify", *words, stdout=out)
        except CommandError:
            content = False
        else:
            content = True
    return content, said.read_text()


def by_a_stranger(log, folder) -> tuple[bool, str]:
    """Return whether `tools/audit_verify.py` is content, and what it says."""
    words = ["--key", str(folder / "key"), "--checkpoint", str(folder / "kept")]
    done = subprocess.run(
        [sys.executable, "tools/audit_verify.py", str(log.files.folder), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0, done.stdout + done.stderr


VERIFIERS = {"manage.py audit verify": by_the_command, "audit_verify.py": by_a_stranger}


def tamper(log, trial: Trial, holds: set[str], folder: Path) -> None:
    bodies = tampering.bodies_of(log.files, SIZE)
    heads = list(Checkpoint.objects.order_by("size"))
    changed = trial.change(bodies)
    head = heads[0].note if trial.earlier else None
    heads = heads[:1] if trial.earlier else heads
    if "key" in holds and not trial.earlier:
        thief = Signer(log.signer.origin, log.signer.key_file, folder / "forgotten")
        unsigned = tampering.head_of(log.signer.origin, changed)
        head = thief.sign(unsigned, (), now=NOW).to_text()
        root, size = unsigned.root, unsigned.size
        at = NOW.replace(microsecond=0)
        heads = [Checkpoint(size=size, root=root, note=head, at=at)]
    if "tables" in holds:
        tampering.rewrite_tables(changed, heads)
    if "files" in holds:
        tampering.rewrite_files(log.files, changed, head)


def names(said: str, trial: Trial, bodies: Bodies) -> bool:
    """Say whether a report leads to the entry that was hit.

    By its place or id; by the break in its stream; by the first bundle that is not
    there. Where the other story fits in itself, by the checkpoints that it is not of.
    """
    told: dict[str, Any] = json.loads(bodies[trial.hits])
    before, after = told["n"] - 1, told["n"] + 1
    wanted = [
        rf"\b(leaf|entry) {trial.hits}\b",
        re.escape(told["id"]),
        rf"stream {told['stream']} (goes from {before} to {after}|has another entry)",
        rf"\({told['stream']} ({told['n']}|{after})\)",
        rf"bundle {trial.hits // 256} is missing",
        rf"tile/entries/{trial.hits // 256:03} is missing",
        rf"entries {trial.hits} to {SIZE - 1} are missing",
        rf"had {SIZE} entries and now has {trial.hits}",
    ]
    if trial.consistent:
        wanted.append(rf"(before|the first) (entry )?{SIZE}\b")
    return any(re.search(words, said) for words in wanted)


def test_both_verifiers_are_content_with_a_log_that_nobody_touched(log, tmp_path):
    for verifier in VERIFIERS.values():
        content, said = verifier(log, tmp_path)
        assert content, said
        assert str(SIZE) in said


@pytest.mark.parametrize("holding", HOLDS)
@pytest.mark.parametrize("name", TRIALS)
def test_both_verifiers_find_it_and_name_the_entry(log, tmp_path, name, holding):
    trial, holds = TRIALS[name], HOLDS[holding]
    bodies = tampering.bodies_of(log.files, SIZE)

    tamper(log, trial, holds, tmp_path)

    for verifier in VERIFIERS.values():
        content, said = verifier(log, tmp_path)
        if verifier is by_a_stranger and "files" not in holds:
            assert content  # the files are what leaves the house, and they are true
            continue
        assert not content
        assert names(said, trial, bodies), said[:2000]


@pytest.mark.parametrize("name", [n for n, t in TRIALS.items() if t.consistent])
def test_what_is_signed_and_fits_is_told_by_the_kept_checkpoint_alone(
    log, tmp_path, name
):
    """Why checkpoints leave the house: without one, nobody could know."""
    tamper(log, TRIALS[name], HOLDS["both and the key"], tmp_path)
    (tmp_path / "kept").write_text(log.files.checkpoint() or "")

    for verifier in VERIFIERS.values():
        content, said = verifier(log, tmp_path)
        assert content, said[:2000]
