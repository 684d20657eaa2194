"""`manage.py anchors`: the trust anchors in force, and a word for a changed set."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bootstrap import clock
from bootstrap.core.dnssec.anchor_files import read_anchors
from bootstrap.management.output import as_json
from bootstrap.models import AnchorFile
from bootstrap.services import people, trusting


class Command(BaseCommand):
    """List sets of trust anchors, or approve one that waits."""

    help = (
        "A changed file of trust anchors is not used before two persons have compared"
        " it with what IANA publishes; until then the set before stays in force."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the verbs and their options."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        listing = verbs.add_parser("list", help="show every set that was ever seen")
        listing.add_argument("--json", action="store_true", help="one object a line")
        approve = verbs.add_parser("approve", help="say that a set may be trusted")
        approve.add_argument("digest", help="as listed; its beginning is enough")
        approve.add_argument("--as", dest="user", required=True, metavar="USER")
        approve.add_argument("--comment", required=True, metavar="TEXT")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Do what the verb says."""
        if options["verb"] == "list":
            self.list(as_lines=options["json"])
        else:
            self.approve(options)

    def list(self, *, as_lines: bool) -> None:
        """Print each set: where it stands, and its anchors."""
        for found in AnchorFile.objects.prefetch_related("voices"):
            lines = [trusting.line_of(anchor) for anchor in read_anchors(found.text)]
            told = {
                "digest": found.digest,
                "stand": str(found.stand),
                "seen": f"{found.seen_at:%Y-%m-%dT%H:%M:%SZ}",
                "approved_by": [voice.actor for voice in found.voices.all()],
                "anchors": lines,
            }
            if as_lines:
                self.stdout.write(as_json(told))
                continue
            names = ", ".join(voice.actor for voice in found.voices.all()) or "nobody"
            self.stdout.write(f"{found.digest}  {found.stand}  approved by {names}")
            self.stdout.write("".join(f"    {line}\n" for line in lines), ending="")

    def approve(self, options: dict[str, Any]) -> None:
        """Count one person's word."""
        found = list(AnchorFile.objects.filter(digest__startswith=options["digest"]))
        if len(found) != 1:
            raise CommandError(f"{len(found)} sets begin with {options['digest']}")
        try:
            trusted = trusting.approve(
                found[0],
                actor=people.person(options["user"], via="command"),
                comment=options["comment"],
                now=clock.now(),
            )
        except (people.UnknownPerson, trusting.AnchorsRefused) as refusal:
            raise CommandError(str(refusal)) from refusal
        waits = "counted; a second person must say so too"
        self.stdout.write("in force" if trusted else waits)
