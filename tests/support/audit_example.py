"""Writes the generated parts of docs/audit-format.md: types of entries, an example.

python -m tests.support.audit_example
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

from bootstrap.core.tlog import merkle, notes, tiles
from bootstrap.core.tlog.types import EntryType

from .dossiers import ADA, BOB, COMMENT, Change, Log, Signer, move

PAGE = Path(__file__).resolve().parents[2] / "docs/audit-format.md"
PLACE = 1


def a_small_log() -> Log:
    """Return a log of three entries: asked for, approved, and another's failure."""
    log, change = Log(), Change()
    log.add(
        EntryType.PROPOSAL_CREATED,
        change.stream,
        data={**change.facts, "version": 1, "via": "worker"},
        evidence=change.evidence,
    )
    log.add(
        EntryType.PROPOSAL_APPROVED,
        change.stream,
        data={
            **change.facts,
            **move(2, "candidate", "approved", voices=1),
            "via": "dashboard",
        },
        evidence=change.evidence,
        actor_kind="staff",
        actor_ref=ADA,
        disclosures=(COMMENT,),
    )
    log.add(EntryType.USER_SIGNED_OUT, "people", actor_kind="staff", actor_ref=BOB)
    return log


def example() -> Iterator[str]:
    """Yield the lines of the example."""
    log, key = a_small_log(), Signer().public
    hashes = [merkle.leaf_hash(body) for body in log.bodies]
    size, head = len(log.bodies), log.head()
    path = merkle.prove_inclusion(PLACE, size, log.nodes)
    yield from fenced("The key, as it is handed out", key.to_text())
    for index, body in enumerate(log.bodies):
        yield from fenced(f"Entry {index} (leaf {index})", body.decode())
    leaves = "\n".join(each.hex() for each in hashes)
    yield from fenced("The three leaf hashes; joined they are `tile/0/000.p/3`", leaves)
    left = merkle.node_hash(*hashes[:2])
    root = merkle.root(size, log.nodes)
    told = f"{left.hex()}\n{root.hex()}"
    yield from fenced("The node over leaves 0 and 1, and the root", told)
    bundle = tiles.encode_bundle(log.bodies)
    told = f"{len(bundle)} octets, the first two {bundle[:2].hex()}"
    yield from fenced("The bundle `tile/entries/000.p/3`", told)
    yield from fenced("The checkpoint", head.rstrip("\n"))
    proof = notes.proof_text(PLACE, path, head)
    yield from fenced(f"The proof of entry {PLACE}", proof.rstrip("\n"))
    array = base64.urlsafe_b64decode(COMMENT.encoded + "=" * 3).decode()
    told = f"{array}\n{COMMENT.encoded}\n{COMMENT.digest}"
    yield from fenced(f"The comment of entry {PLACE}: array, disclosure, digest", told)


def fenced(title: str, text: str) -> Iterator[str]:
    """Yield a title and a block of text below it."""
    yield from (f"{title}:", "", "```", *text.split("\n"), "```", "")


def types() -> Iterator[str]:
    """Yield the table of types: what they concern, what happened."""
    yield "| concerns | types |"
    yield "|---|---|"
    kinds: dict[str, list[str]] = {}
    for member in EntryType:
        kinds.setdefault(member.value.partition(".")[0], []).append(member.value)
    for kind, members in kinds.items():
        yield f"| {kind} | {', '.join(f'`{member}`' for member in members)} |"
    yield ""


def page(text: str) -> str:
    """Return the page with its generated parts as the code has them."""
    for name, lines in (("types", types()), ("example", example())):
        begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
        before, _, rest = text.partition(begin)
        after = rest.partition(end)[2]
        text = before + begin + "\n".join(lines) + end + after
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
