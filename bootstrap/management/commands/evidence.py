"""`manage.py evidence export`: a bundle as a file that anybody can verify."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bootstrap.core.dns.names import InvalidName, parse_name, unrooted
from bootstrap.models import Domain, Evidence, ScanAttempt
from bootstrap.services import evidence, rejudging

USAGE = 2
ADDRESS: Final = re.compile(r"[0-9a-f]{64}")
UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Command(BaseCommand):
    """Writes stored evidence to a file."""

    help = (
        "Export evidence. Verify the file anywhere with"
        " `python -m bootstrap.core.evidence verify FILE`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        commands = parser.add_subparsers(dest="command", required=True)
        export = commands.add_parser("export", help="write one bundle to a file")
        export.add_argument(
            "what",
            metavar="NAME|ID",
            help="a domain (its newest), the id of an evaluation, or an address",
        )
        export.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Write the bundle."""
        digest = _digest(options["what"].strip())
        try:
            octets = evidence.octets_of(digest)
        except evidence.EvidenceUnreadable as exc:
            raise CommandError(str(exc)) from exc
        try:
            options["output"].write_bytes(octets)
        except OSError as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(f"{digest} {len(octets)} octets → {options['output']}")


def _digest(what: str) -> str:
    """Return the address of what is meant.

    Raises:
        CommandError: nothing of that kind has evidence.
    """
    if ADDRESS.fullmatch(what):
        found = Evidence.objects.filter(digest=what).first()
        digest = found.digest if found else None
    elif UUID.fullmatch(what):
        scan = ScanAttempt.objects.filter(pk=what).first()
        digest = scan.evidence_id if scan else None
    else:
        try:
            name = unrooted(parse_name(what))
        except InvalidName as exc:
            raise CommandError(str(exc), returncode=USAGE) from exc
        scans = rejudging.latest(Domain.objects.filter(name=name))
        digest = next((scan.evidence_id for scan in scans), None)
    if digest is None:
        raise CommandError(f"no evidence is kept of {what}", returncode=USAGE)
    return str(digest)
