"""Tries another engine: a program that is run once a case and says its verdict.

The interface is docs/conformance.md: the case comes as JSON on standard input
and in the environment, the answer is the first line of standard output.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import dns.exception
import dns.rdata
from dns.rdataclass import IN
from dns.rdatatype import RdataType

from .hierarchy import Lab
from .kit import ACCEPT, REFUSE, KitCase, Seen

PATIENCE: Final = 120.0
"""Seconds for one case, the wall time of an evaluation (protocol.md 10)."""
AT_ONCE: Final = 8


def answers(
    program: Sequence[str],
    lab: Lab,
    cases: Sequence[KitCase],
    *,
    patience: float = PATIENCE,
) -> Iterator[tuple[KitCase, Seen]]:
    """Run `program` for each case and yield what it said, in the order of cases."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = pool.map(lambda case: _run(program, lab, case, patience), cases)
        yield from zip(cases, runs, strict=True)


def environment(lab: Lab, case: KitCase) -> dict[str, str]:
    """Return what a program is told of a case by variables."""
    told = case.as_json(lab.now())
    delegation = told["delegation"]
    return {
        "KIT_CASE": case.id,
        "KIT_CHILD": told["child"],
        "KIT_PARENT": told["parent"],
        "KIT_NS": " ".join(delegation["ns"]),
        "KIT_GLUE": " ".join("=".join(pair) for pair in delegation["glue"]),
        "KIT_DS": "; ".join(delegation["ds"]),
        "KIT_TIME": told["time"],
        "KIT_PORT": str(lab.port),
        "KIT_ROOT_HINTS": str(lab.root_hints),
        "KIT_TRUST_ANCHORS": str(lab.anchors),
    }


def _run(program: Sequence[str], lab: Lab, case: KitCase, patience: float) -> Seen:
    told = environment(lab, case)
    try:
        done = subprocess.run(  # noqa: S603 - the program is the operator's choice
            [*program, told["KIT_CHILD"]],
            input=json.dumps(case.as_json(lab.now())),
            env=os.environ | told,
            capture_output=True,
            text=True,
            check=False,
            timeout=patience,
        )
    except subprocess.TimeoutExpired:
        return Seen("", trouble=f"no answer within {patience:.0f} s")
    except OSError as exc:
        return Seen("", trouble=f"cannot be run: {exc.strerror}")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        return Seen("", trouble=f"ended with {done.returncode}: {last}".rstrip(": "))
    return read_answer(done.stdout)


def read_answer(printed: str) -> Seen:
    """Return what a program's output says."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    if not lines or lines[0].lower() not in {ACCEPT, REFUSE}:
        first = lines[0][:60] if lines else "nothing"
        return Seen("", trouble=f"said {first!r} instead of accept or refuse")
    try:
        records = [dns.rdata.from_text(IN, RdataType.DS, line) for line in lines[1:]]
    except dns.exception.DNSException as exc:
        return Seen("", trouble=f"printed no DS record: {exc}")
    ds = sorted(record.to_text().upper() for record in records)
    return Seen(lines[0].lower(), tuple(ds))
