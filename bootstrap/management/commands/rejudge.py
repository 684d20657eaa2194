"""`manage.py rejudge`: stored evidence again, under today's code or another policy."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bootstrap.core.dns.names import InvalidName, parse_name, unrooted
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.verdict import Verdict
from bootstrap.models import Domain
from bootstrap.services import rejudging, zones
from bootstrap.services.evidence import EvidenceUnreadable
from bootstrap.services.rejudging import Rejudged

USAGE = 2


class Command(BaseCommand):
    """Prints what would be decided otherwise; asks nobody, changes nothing."""

    help = (
        "Judge stored evidence again and print what would change. Ends with 1 when"
        " the same policy no longer decides the same, with 2 for wrong usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("names", nargs="*", metavar="NAME")
        parser.add_argument("--all", action="store_true", help="every domain's newest")
        parser.add_argument(
            "--since", metavar="DATE", help="every evaluation from this day on, UTC"
        )
        parser.add_argument(
            "--policy",
            type=Path,
            metavar="FILE",
            help="a policy as JSON; what it lacks is as by default",
        )
        parser.add_argument("--json", action="store_true", help="one object a line")

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Judge again, and print each."""
        scans = _chosen(options)
        policy = _policy(options["policy"]) if options["policy"] else None
        seen = changed = 0
        try:
            for found in rejudging.rejudge(scans, policy=policy):
                seen += 1
                changed += found.decides_otherwise
                self._tell(found, as_json=options["json"])
        except EvidenceUnreadable as exc:
            raise CommandError(str(exc)) from exc
        if not options["json"]:
            self.stdout.write(f"{seen} judged again, {changed} otherwise")
        if changed and policy is None:
            raise SystemExit(1)

    def _tell(self, found: Rejudged, *, as_json: bool) -> None:
        if as_json:
            line = {
                "domain": found.scan.domain.name,
                "evidence": found.scan.evidence_id,
                "changed": found.decides_otherwise,
                "differences": sorted({each.part for each in found.differences}),
                "before": _brief(found.stored),
                "after": _brief(found.again),
            }
            self.stdout.write(json.dumps(line, ensure_ascii=False))
        elif found.decides_otherwise:
            before, after = _brief(found.stored), _brief(found.again)
            self.stdout.write(
                f"{found.scan.domain.name}: {before['outcome']}"
                f" {before['primary_reason']} → {after['outcome']}"
                f" {after['primary_reason']}"
            )


def _brief(verdict: Verdict) -> dict[str, Any]:
    return {
        "path": verdict.path.value if verdict.path else None,
        "outcome": verdict.outcome.value,
        "primary_reason": verdict.primary.value,
        "reasons": [reason.value for reason in verdict.reasons],
        "ds": sorted(ds.to_text() for ds in verdict.candidate),
    }


def _chosen(options: dict[str, Any]) -> Any:  # noqa: ANN401 - attempts, in either form
    if sum(map(bool, (options["names"], options["all"], options["since"]))) != 1:
        raise CommandError(
            "name domains, or --all, or --since DATE: exactly one of these",
            returncode=USAGE,
        )
    if options["since"]:
        return rejudging.since(_moment(options["since"]))
    if options["all"]:
        return rejudging.latest(Domain.objects.iterator(500))
    try:
        names = {unrooted(parse_name(text)) for text in options["names"]}
    except InvalidName as exc:
        raise CommandError(str(exc), returncode=USAGE) from exc
    domains = list(Domain.objects.filter(name__in=names))
    if missing := names - {domain.name for domain in domains}:
        told = ", ".join(sorted(missing))
        raise CommandError(f"not known here: {told}", returncode=USAGE)
    return rejudging.latest(domains)


def _moment(text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError as exc:
        raise CommandError(f"--since: {exc}", returncode=USAGE) from exc
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _policy(path: Path) -> AcceptancePolicy:
    try:
        text = json.loads(path.read_text())
        unknown = set(text) - set(zones.text_of(AcceptancePolicy()))
        policy = zones.policy_from(text)
    except (OSError, ValueError, TypeError) as exc:
        raise CommandError(f"--policy: {exc}", returncode=USAGE) from exc
    if unknown:
        told = ", ".join(sorted(unknown))
        raise CommandError(f"--policy: unknown: {told}", returncode=USAGE)
    return policy
