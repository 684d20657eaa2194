"""What the trail keeps of evaluations: each change, and the rest by batch (S-99).

A batch names its children by the hash of lines that anybody can write again from
the stored attempts: `{"child": …, "evidence": …, "scan": …}`, in the order of
their writing, one object a line, keys sorted.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Final

from bootstrap.core.evaluation.verdict import Outcome, Verdict
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Domain, ScanAttempt

from . import audit
from .actors import SCANNER
from .evaluating import Judged

EVENTFUL: Final = frozenset({Outcome.ACCEPT, Outcome.HOLD})


class Trail:
    """The entries of a group of evaluations that are saved together."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.drafts: list[audit.Draft] = []
        self.routine: list[dict[str, object]] = []

    def add(self, judged: Judged, domain: Domain, scan: ScanAttempt) -> None:
        """Take one evaluation; call it before the domain remembers it."""
        verdict = judged.verdict
        if not self._is_news(verdict, domain):
            self.routine.append(
                {
                    "child": domain.name,
                    "scan": str(scan.pk),
                    "evidence": scan.evidence_id,
                }
            )
            return
        self.drafts.append(
            audit.Draft(
                type=EntryType.SCAN_VERDICT,
                stream=domain.stream,
                actor=SCANNER,
                now=self.now,
                evidence=(str(scan.evidence_id),),
                data={
                    "scan": str(scan.pk),
                    "outcome": scan.outcome,
                    "path": scan.path,
                    "reasons": scan.reasons,
                    "ds": scan.ds,
                    "trigger": scan.trigger,
                },
            )
        )

    def write(self) -> None:
        """Append all of it to the trail."""
        if self.routine:
            lines = "".join(
                json.dumps(line, sort_keys=True) + "\n" for line in self.routine
            )
            data = {
                "count": len(self.routine),
                "sha256": hashlib.sha256(lines.encode()).hexdigest(),
            }
            self.drafts.append(
                audit.Draft(
                    type=EntryType.SCAN_BATCH,
                    stream="scans",
                    actor=SCANNER,
                    now=self.now,
                    data=data,
                )
            )
        if self.drafts:
            audit.append(self.drafts)

    @staticmethod
    def _is_news(verdict: Verdict, domain: Domain) -> bool:
        before = (domain.last_outcome, domain.last_reason)
        after = (verdict.outcome.value, verdict.primary.value)
        return verdict.outcome in EVENTFUL or before != after
