"""What is told of each named situation, word by word: told.txt, to be read.

After a change that is meant: `python -m tests.core.evaluation.test_told`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bootstrap.core.evaluation.facts import Facts
from bootstrap.core.evaluation.findings import Finding
from bootstrap.core.evaluation.verdict import PLAIN, Mark, Verdict, conclude

from .scenarios import SCENARIOS

TOLD = Path(__file__).with_name("told.txt")
LETTERS = {Mark.PASS: "+", Mark.FAIL: "X", Mark.NOTE: "o", Mark.SKIPPED: "-"}


def told() -> str:
    """Return all situations with their verdicts as text."""
    blocks = []
    for name, scenario in SCENARIOS.items():
        verdict = conclude(Facts(scenario.case, scenario.proofs))
        blocks.append("\n".join((name, *(f"  {line}" for line in lines(verdict)))))
    return "\n\n".join(blocks) + "\n"


def lines(verdict: Verdict) -> Iterator[str]:
    """Yield the verdict: outcome, marks of all checks, what stands out, and the DS."""
    marks = "".join(LETTERS[check.mark] for check in verdict.checks)
    yield f"{verdict.outcome} {verdict.primary} {verdict.path or 'no path'} {marks}"
    for finding in sorted(verdict.findings):
        if finding.reason not in PLAIN:
            yield line(finding)
    for check in verdict.checks:
        if check.detail:
            yield f"{check.id}: {check.detail}"
    for ds in verdict.candidate:
        yield f"DS {ds.to_text()}"
    if verdict.auth_method:
        times = f"from {verdict.inception} until {verdict.expires}"
        yield f"by {verdict.auth_method}, {times}, {len(verdict.required)} required"
        yield f"signatures in force from {verdict.not_before} to {verdict.not_after}"


def line(finding: Finding) -> str:
    kind = f"{finding.reason} {finding.kind}"
    return " | ".join(part for part in (kind, finding.subject, finding.detail) if part)


def test_each_situation_is_told_word_by_word():
    expected = TOLD.read_text().split("\n\n")

    found = told().split("\n\n")

    for before, after in zip(expected, found, strict=True):
        assert after == before


if __name__ == "__main__":
    TOLD.write_text(told())
