"""After the trial: prints what does not fit, a line each; nothing when all does.

Run as a process of its own: `python -m tests.system.reckoning FOLDER`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.system.writers import ORIGIN, seal_once, the_signer  # sets Django up first

from bootstrap.core.tlog import entries, merkle  # isort: skip
from bootstrap.models import (  # isort: skip
    AuditDisclosure,
    AuditEntry,
    AuditLeaf,
    Checkpoint,
    Decision,
    Domain,
    Proposal,
)
from bootstrap.services.log_verifying import Verifier  # isort: skip
from bootstrap.services.logfiles import KEY, LogFiles  # isort: skip

MOVES = ("proposal.held", "proposal.released")
SUSPENSIONS = ("suspension.began", "suspension.ended")


def streams() -> Iterator[str]:
    """Numbers count up by one, and each entry names the one before it (S-88)."""
    heads: dict[str, tuple[int, str]] = {}
    for entry in AuditEntry.objects.order_by("stream", "number"):
        number, digest = heads.get(entry.stream, (0, ""))
        if (entry.number, entry.previous) != (number + 1, digest):
            yield f"{entry} does not follow number {number}"
        heads[entry.stream] = (entry.number, entries.digest(bytes(entry.body)))


def acts() -> Iterator[str]:
    """Every row says what the last entry about it says (S-85)."""
    for change in Proposal.objects.select_related("domain"):
        found = AuditEntry.objects.filter(about=change.pk).order_by("about_version")
        versions = list(found.values_list("about_version", flat=True))
        if versions != list(range(2, change.version + 1)):
            yield f"{change.pk} has version {change.version}, entries for {versions}"
        last = found.last()
        if last and json.loads(bytes(last.body))["data"]["to"] != change.state:
            yield f"{change.pk} is {change.state}; its last entry says otherwise"
    for child in Domain.objects.all():
        story = AuditEntry.objects.filter(stream=child.stream, type__in=SUSPENSIONS)
        ended = story.order_by("number").last()
        if (ended is not None and ended.type == SUSPENSIONS[0]) != bool(
            child.suspension
        ):
            yield f"{child.name} is not as its last entry says"
    if Decision.objects.count() != AuditEntry.objects.filter(type__in=MOVES).count():
        yield "decisions without entry, or entries without decision"


def acknowledged(folder: Path) -> Iterator[str]:
    """What a writer was told is there, and at most one act that it did not hear of."""
    said = Counter((folder / "acknowledged").read_text().split())
    names = AuditDisclosure.objects.filter(name="actor").values_list("value", flat=True)
    held = Counter(names)
    for name in said.keys() | held.keys():
        if not said[name] <= held[name] <= said[name] + 1:
            yield f"{name} was told of {said[name]}, the trail holds {held[name]}"


def tree(folder: Path) -> Iterator[str]:
    """Leaves without gap, all sealed, and no size with a second root (S-90)."""
    seal_once(folder)
    files, signer = LogFiles(folder / "log"), the_signer(folder)
    files.write(KEY, f"{signer.public.to_text()}\n".encode(), replace=True)
    size = AuditEntry.objects.count()
    indexes = list(AuditLeaf.objects.order_by("index").values_list("index", flat=True))
    if indexes != list(range(size)):
        yield f"{len(indexes)} leaves of {size} entries, or with gaps"
    bodies = AuditLeaf.objects.order_by("index").values_list("entry__body", flat=True)
    nodes = merkle.in_memory(merkle.leaf_hash(bytes(body)) for body in bodies)
    for signed, root in signatures(folder):
        if merkle.root(signed, nodes) != root:
            yield f"another tree of {signed} was signed"
    for trouble in Verifier(files, signer.public, {}).everything():
        yield str(trouble)


def signatures(folder: Path) -> Iterator[tuple[int, bytes]]:
    """Yield all that the signer ever signed, or remembered that it would."""
    for line in (folder / "signed").read_text().splitlines():
        size, root = line.split()
        yield int(size), bytes.fromhex(root)
    states = folder / "states"
    for line in states.read_text().splitlines() if states.exists() else ():
        told = json.loads(line)
        yield int(told["size"]), bytes.fromhex(told["root"])
    for row in Checkpoint.objects.all():
        yield row.size, bytes(row.root)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    for check in (streams(), acts(), tree(place)):
        for found in check:
            print(found)
    if (place / "acknowledged").exists():
        for found in acknowledged(place):
            print(found)
    print(f"{AuditEntry.objects.count()} entries of {ORIGIN}", file=sys.stderr)
