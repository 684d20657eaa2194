"""Whoever rearranges an export is found out by a verifier that knows nothing of us."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import rfc8785

from bootstrap.core.tlog import merkle, notes, tiles
from bootstrap.services import log_exporting, signing
from bootstrap.services.logfiles import LogFiles

from . import test_keeping, test_tampering
from .builders import NOW

keeper, time, witness = test_keeping.keeper, test_keeping.time, test_keeping.witness
pytestmark = pytest.mark.django_db(transaction=True)


sealed = test_tampering.sealed


def exported(sealed, tmp_path):
    """Return an export of the log, and the path of its checkpoint as kept."""
    folder = LogFiles(tmp_path / "export")
    sealed.start()
    log_exporting.export(sealed.files, folder, since=None, until=None)
    kept = tmp_path / "kept"
    kept.write_text(folder.checkpoint() or "")
    return folder, kept


def stranger(folder, kept):
    """Return exit status and words of the verifier that knows nothing of ours."""
    words = ["--key", str(folder.folder / "key"), "--checkpoint", str(kept)]
    done = subprocess.run(
        [sys.executable, "tools/audit_verify.py", str(folder.folder), *words],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def rebuilt(folder, bodies, sign=None):
    """Write an export of these entries that fits itself in all but its signature."""
    text = folder.checkpoint() or ""
    origin = text.split("\n", 1)[0]
    shutil.rmtree(folder.folder / "tile")
    nodes = merkle.in_memory(map(merkle.leaf_hash, bodies))
    for number, width in tiles.bundles_for(0, len(bodies)):
        part = bodies[number * 256 : number * 256 + width]
        folder.write(tiles.bundle_path(number, width), tiles.encode_bundle(part))
    for tile in tiles.tiles_for(0, len(bodies)):
        folder.write(tile.path, tile.data(nodes))
    if sign is not None:
        head = notes.Checkpoint(origin, len(bodies), merkle.root(len(bodies), nodes))
        note = sign(head)
        folder.write("checkpoint", note.to_text().encode(), replace=True)


def bodies_of(folder, size):
    found = []
    for number, width in tiles.bundles_for(0, size):
        found += folder.bundle(number, width)
    return found


def moved(bodies, *order):
    changed = list(bodies)
    for place_, other in zip(order, (*order[1:], order[0]), strict=True):
        changed[place_] = bodies[other]
    return changed


EXPORTS = {
    "deletion": (lambda b: b[:100] + b[101:], "entry 100 "),
    "insertion": (lambda b: [*b[:100], b[7], *b[100:]], "entry 100 "),
    "exchange of two": (lambda b: moved(b, 10, 20), "entry 10 "),
    "re-ordering": (lambda b: moved(b, 3, 6, 9), "entry 3 "),
}


@pytest.mark.parametrize(("change", "named"), EXPORTS.values(), ids=EXPORTS)
def test_a_stranger_finds_and_names_a_rearranged_export(
    sealed, tmp_path, change, named
):
    folder, kept = exported(sealed, tmp_path)
    size = sealed.signer.last()[0]
    assert stranger(folder, kept)[0] == 0
    changed = change(bodies_of(folder, size))

    # the bundles alone: what was sealed is still in the tiles
    for number, width in tiles.bundles_for(0, size):
        part = changed[number * 256 : number * 256 + width]
        data = tiles.encode_bundle(part)
        folder.write(tiles.bundle_path(number, width), data, replace=True)
    status, words = stranger(folder, kept)
    assert status == 1
    assert named in words

    # everything but the signature
    rebuilt(folder, changed)
    assert stranger(folder, kept)[0] == 1

    # and with a signature by the right key: the streams still tell
    rebuilt(folder, changed, forger(sealed, tmp_path).sign_any)
    status, words = stranger(folder, kept)
    assert status == 1
    assert "stream child:n" in words


class Forger:
    """Has the key, and a memory of nothing."""

    def __init__(self, signer, folder):
        self.signer = signing.Signer(signer.origin, signer.key_file, folder / "forged")

    def sign_any(self, head):
        return self.signer.sign(head, (), now=NOW)


def forger(sealed, tmp_path):
    return Forger(sealed.signer, tmp_path)


def test_a_stranger_who_kept_a_checkpoint_finds_truncation_and_fork(sealed, tmp_path):
    folder, kept = exported(sealed, tmp_path)
    bodies = bodies_of(folder, sealed.signer.last()[0])

    rebuilt(folder, bodies[:200], forger(sealed, tmp_path).sign_any)
    status, words = stranger(folder, kept)
    assert (status, "now has 200" in words) == (1, True)

    (tmp_path / "forged").unlink()
    told = json.loads(bodies[-1]) | {"type": "scan.verdict"}
    fork = [*bodies[:-1], rfc8785.dumps(told), bodies[0]]
    rebuilt(folder, fork, forger(sealed, tmp_path).sign_any)
    status, words = stranger(folder, kept)
    assert (status, "older" in words) == (1, True)


def test_a_stranger_refuses_the_signature_of_another_key(sealed, tmp_path):
    folder, kept = exported(sealed, tmp_path)
    bodies = bodies_of(folder, sealed.signer.last()[0])
    other = tmp_path / "other"
    signing.make_key(other)
    thief = signing.Signer(sealed.signer.origin, other, tmp_path / "thief")

    rebuilt(folder, bodies, lambda head: thief.sign(head, (), now=NOW))

    assert stranger(folder, kept)[0] == 1
