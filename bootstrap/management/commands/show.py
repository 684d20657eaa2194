"""`manage.py show`: what is known of a domain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from bootstrap.management.output import as_json, domain_named
from bootstrap.services.summaries import domain_summary


class Command(BaseCommand):
    """Print state, DS set, last attempt, open proposal and alarms."""

    help = "Print what is known of a domain: state, DS, last attempt, proposal, alarms."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("name", help="a delegation, with or without its last dot")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Print it."""
        told = domain_summary(domain_named(options["name"]))
        text = as_json(told) if options["json"] else "\n".join(_lines(told))
        self.stdout.write(text)


def _lines(told: dict[str, Any]) -> Iterator[str]:
    since = f" since {told['since']}" if told["since"] else ""
    yield f"{told['domain']}: {told['state']}{since}"
    if told["suspended"]:
        yield f"  automation is off: {told['suspended']}"
    if told["removed"]:
        yield f"  no longer delegated since {told['removed']}"
    yield f"  nameservers: {' '.join(told['nameservers']) or 'none'}"
    yield from _listed("DS", told["ds"])
    yield from _attempt(told["last_attempt"], told["domain"])
    yield from _look(told["last_look"], told["last_attempt"])
    yield from _proposal(told["proposal"])
    for alarm in told["alarms"]:
        yield f"  ALARM {alarm['code']} since {alarm['opened']}: {alarm['detail']}"


def _listed(title: str, ds: list[str]) -> Iterator[str]:
    yield f"  {title}: {'none' if not ds else ''}".rstrip()
    for text in ds:
        yield f"    {text}"


def _look(look: str | None, attempt: dict[str, Any] | None) -> Iterator[str]:
    """Tell of a routine scan that the first look ended after the last evaluation."""
    if look is not None and (attempt is None or attempt["started"] < look):
        yield f"  last looked at {look}: no server announces CDS or CDNSKEY"


def _attempt(attempt: dict[str, Any] | None, domain: str) -> Iterator[str]:
    if attempt is None:
        yield f"  not evaluated yet in full: manage.py scan {domain}"
        return
    yield (
        f"  last evaluated {attempt['started']}: {attempt['outcome']},"
        f" {' '.join(attempt['reasons']) or attempt['primary_reason']}"
    )
    if attempt["evidence"]:
        yield f"    on evidence {attempt['evidence']}"
        yield f"    (messages and chains: manage.py evidence export {domain} -o FILE)"


def _proposal(proposal: dict[str, Any] | None) -> Iterator[str]:
    if proposal is None:
        return
    yield (
        f"  proposal {proposal['id']}: {proposal['path']},"
        f" {proposal['state']} since {proposal['since']} ({proposal['reason']})"
    )
    yield from _listed("would become", proposal["new_ds"])
