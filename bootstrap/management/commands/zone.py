"""`manage.py zone`: the parent zones that we act for."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bootstrap import clock
from bootstrap.management.output import one_line, zone_named
from bootstrap.models import RoutingMode, Zone
from bootstrap.services import zones
from bootstrap.services.actors import OPERATOR

COLUMNS: Final = {
    "primary": "primary",
    "tsig_key": "tsig_key_file",
    "policy": "routing",
    "servers": "servers",
    "observe": "observe_seconds",
    "quiet": "quiet_seconds",
    "scan_every": "scan_every_seconds",
    "max_removed": "max_removed_share",
    "two_persons": "two_persons",
}
"""Option → column."""


class Command(BaseCommand):
    """Add, change or list zones."""

    help = "Add, change or list the parent zones that we act for."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the verbs and their options."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        add = verbs.add_parser("add", help="act for one more parent zone")
        add.add_argument("name")
        _add_settings(add, primary_required=True)
        change = verbs.add_parser("change", help="change settings of a zone")
        change.add_argument("name")
        _add_settings(change, primary_required=False)
        listing = verbs.add_parser("list", help="list the zones")
        listing.add_argument(
            "--json", action="store_true", help="print one JSON object a line"
        )

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Do what the verb says."""
        verbs: dict[str, Callable[[dict[str, Any]], None]] = {
            "add": self.add,
            "change": self.change,
            "list": self.list,
        }
        try:
            verbs[options["verb"]](options)
        except zones.ZoneRefused as refusal:
            raise CommandError(str(refusal)) from refusal

    def add(self, options: dict[str, Any]) -> None:
        """Add one zone."""
        columns = self.columns(options)
        zone = zones.add_zone(
            options["name"], actor=OPERATOR, now=clock.now(), **columns
        )
        self.stdout.write(f"{zone.name}: added, {zone.get_routing_display()}")

    def change(self, options: dict[str, Any]) -> None:
        """Change one zone."""
        zone = zone_named(options["name"])
        changed = zones.change_zone(
            zone, actor=OPERATOR, now=clock.now(), **self.columns(options)
        )
        self.stdout.write(f"{zone.name}: changed {', '.join(changed) or 'nothing'}")

    def list(self, options: dict[str, Any]) -> None:
        """Print one line for each zone."""
        for zone in Zone.objects.all():
            told = _summary(zone)
            self.stdout.write(one_line(told, as_json_line=options["json"]))

    def columns(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return what was given, by column; warn of a key file that is not there."""
        given = {
            column: options[name]
            for name, column in COLUMNS.items()
            if options[name] is not None
        }
        if path := given.get("tsig_key_file"):
            given["tsig_key_file"] = str(Path(path).absolute())
            if not Path(path).is_file():
                self.stderr.write(f"warning: there is no file {path} (yet)")
        return given


def _add_settings(parser: CommandParser, *, primary_required: bool) -> None:
    parser.add_argument(
        "--primary",
        required=primary_required,
        metavar="ADDRESS[#PORT]",
        help="where dynamic updates go",
    )
    parser.add_argument(
        "--tsig-key",
        metavar="FILE",
        help="BIND's key file; only the publisher reads it",
    )
    parser.add_argument(
        "--policy", choices=RoutingMode.values, help="who approves (default: review)"
    )
    parser.add_argument(
        "--server",
        dest="servers",
        nargs="+",
        action="extend",
        metavar="ADDRESS[#PORT]",
        help="servers that must show a published DS (default: the zone's NS)",
    )
    for option, words in {
        "--observe": "how long to watch a publication",
        "--quiet": "how long to wait after a change of an NS set",
        "--scan-every": "how often to look at each delegation",
    }.items():
        parser.add_argument(option, type=_seconds, metavar="SECONDS", help=words)
    parser.add_argument(
        "--max-removed",
        type=float,
        metavar="SHARE",
        help="share of all delegations that one import may remove (0 to 1)",
    )
    parser.add_argument(
        "--two-persons",
        action="store_const",
        const=True,
        help="what staff approves takes two of them",
    )


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ArgumentTypeError(f"{text!r} is no number of seconds")
    return int(text)


def _summary(zone: Zone) -> dict[str, Any]:
    return {
        "zone": zone.name,
        "policy": zone.routing,
        "two_persons": zone.two_persons,
        "automated": zone.automated,
        "primary": zone.primary,
        "servers": zone.servers,
        "observe": zone.observe_seconds,
        "quiet": zone.quiet_seconds,
        "delegations": zone.domains.delegated().count(),
        "serial": zone.soa_serial,
    }
