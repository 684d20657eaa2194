"""Make a dictionary for compression: `python -m tools.dictionaries KIND FILE`.

KIND is `evidence` or `views`. What evaluations of the laboratory's catalogue have in
common becomes the dictionary: segments are chosen by how many samples have their
parts (as zstd's COVER does), the best at the end, where deflate reaches it cheapest.

A dictionary that rows were written with is never made anew: the next one has the
next number (bootstrap/models/squeezed.py).
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import django

PART = 8
SEGMENT = 40
SIZES = {"evidence": 12_288, "views": 6_144}


def trained(samples: Sequence[bytes], size: int) -> bytes:
    """Return a dictionary of at most `size` octets for things like these samples."""
    seen: Counter[bytes] = Counter()
    for sample in samples:
        seen.update({sample[at : at + PART] for at in range(len(sample) - PART + 1)})
    whole = b"".join(samples)
    epochs = max(1, size // SEGMENT)
    width = max(SEGMENT, len(whole) // epochs)
    chosen: list[tuple[int, bytes]] = []
    for start in range(0, len(whole) - SEGMENT, width):
        score, at = max(_scores(whole, start, min(start + width, len(whole)), seen))
        segment = whole[at : at + SEGMENT]
        for offset in range(SEGMENT - PART + 1):
            seen.pop(segment[offset : offset + PART], None)
        chosen.append((score, segment))
    best = sorted(chosen)[-epochs:]
    return b"".join(segment for _, segment in best)[-size:]


def _scores(
    whole: bytes, start: int, end: int, seen: Counter[bytes]
) -> Iterator[tuple[int, int]]:
    """Yield what each segment of a stretch would be worth, and where it begins."""
    worth = [
        max(0, seen.get(whole[at : at + PART], 0) - 1)
        for at in range(start, min(end + SEGMENT, len(whole) - PART + 1))
    ]
    length = SEGMENT - PART + 1
    score = sum(worth[:length])
    for offset in range(max(1, len(worth) - length)):
        yield score, start + offset
        score += (worth[offset + length] if offset + length < len(worth) else 0) - (
            worth[offset]
        )


def evidence() -> list[bytes]:
    """Return packed bundles and packed pieces of every situation."""
    from bootstrap.core.evidence import bundle  # noqa: PLC0415 - needs Django
    from bootstrap.services.sharing import Shelf  # noqa: PLC0415

    found = []
    for each in _bundles():
        shelf = Shelf()
        found.append(shelf.pack(each, bundle.split(each)).octets)
        found += [piece.packed for piece in shelf.pieces.values()]
    return found


def views() -> list[bytes]:
    """Return the three views of every situation's verdict, as rows keep them."""
    from bootstrap.core.evaluation import views as shapes  # noqa: PLC0415

    found = []
    for each in _bundles():
        verdict = each.verdict
        for view in (
            [shapes.check_view(check) for check in verdict.checks],
            [shapes.server_view(server) for server in verdict.nameservers],
            [shapes.signal_view(signal) for signal in verdict.signals],
        ):
            text = json.dumps(view, separators=(",", ":"), ensure_ascii=False)
            found.append(text.encode())
    return found


def _bundles() -> Iterator[Any]:
    from bootstrap.core.evaluation.verdict import judge  # noqa: PLC0415
    from bootstrap.core.evidence.bundle import Bundle  # noqa: PLC0415
    from bootstrap.lab.situations import catalogue  # noqa: PLC0415
    from bootstrap.services.recording import MADE_BY  # noqa: PLC0415
    from tests.support.rehearsal import delegation_of, rehearse  # noqa: PLC0415

    rehearsal = rehearse(dict(catalogue()))
    for placer in rehearsal.built.children.values():
        case = rehearsal.evaluate(delegation_of(rehearsal, placer))
        yield Bundle(case, judge(case), MADE_BY)


KINDS: dict[str, Callable[[], list[bytes]]] = {"evidence": evidence, "views": views}


def main() -> None:
    """Write the dictionary that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tools.dictionaries")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("file", type=Path)
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    os.environ.setdefault("PORTAL_DEMO", "1")
    django.setup()
    samples = KINDS[asked.kind]()
    made = trained(samples, SIZES[asked.kind])
    asked.file.write_bytes(made)
    print(f"{len(samples)} samples, {sum(map(len, samples))} octets → {len(made)}")


if __name__ == "__main__":
    main()
