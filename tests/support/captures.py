"""Evidence captured from Knot, BIND, NSD and PowerDNS, kept as files (P-7.97).

    python -m tests.support.captures     captures anew; needs the servers and root

The files are judged again in each run of the suite, ever longer after their
signatures have expired: what a version of ours accepted or refused once, by packets
of servers that we did not write, every later one must accept or refuse as well.
So they are not renewed with the code: only with another selection.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final

from bootstrap import VERSION
from bootstrap.core.evaluation.inputs import inputs_of
from bootstrap.core.evaluation.verdict import judge
from bootstrap.core.evidence import bundle
from bootstrap.core.evidence.bundle import Bundle
from bootstrap.lab.kit import cases_of
from bootstrap.services import conformance
from tests.support import real_situations as real
from tests.support.daemons import versions

FOLDER: Final = Path(__file__).parents[1] / "captures"
CHOSEN: Final = (
    "F1",  # nothing unusual
    "F12",  # KSK and ZSK of algorithm 8
    "F42",  # a further zone cut above the signal
    "F45",  # a wrong signature
    "F46",  # an expired one
    "F55",  # a denial with opt-out
    "F57",  # a compact denial
    "F92",  # an algorithm rollover
    "F96",  # a removal
    "F98",  # a request that is older than the DS
)
SERVERS: Final = ("knot", "bind", "nsd", "powerdns")


def main() -> int:
    """Capture all that is chosen."""
    chosen = {name: real.served()[name] for name in CHOSEN}
    known = versions()
    made_by = (
        ("bootstrap", VERSION),
        *((name, known[name]) for name in SERVERS),
    )
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        real.running(Path(folder) / "situations") as lab,
    ):
        for kit, case in conformance.observed(lab, cases_of(lab, chosen)):
            verdict = judge(case)
            faults = kit.faults(conformance.seen(verdict))
            if faults:
                print(f"{kit.id}: {faults}", file=sys.stderr)
                return 1
            inputs = inputs_of(case, verdict.checks)
            octets = bundle.encode(Bundle(case, verdict, made_by, None, inputs))
            (FOLDER / f"{kit.id}.evidence").write_bytes(octets)
            print(kit.id, len(octets))
    return 0


if __name__ == "__main__":
    sys.exit(main())
