"""`manage.py discover`: list the signals of nameservers, as hints for scans."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bootstrap import clock, config
from bootstrap.core.dns.names import InvalidName, parse_name, unrooted
from bootstrap.services import discovering, trusting
from bootstrap.services.discovering import Found


class Command(BaseCommand):
    """Looks at signaling domains, whatever their turn, and enqueues what is new."""

    help = (
        "List which children have a signal under a nameserver, by transfer or by"
        " walking its zone, and let what is new be evaluated. A list is a hint: it"
        " decides nothing (RFC 9615, section 4.3). Without a name: all nameservers"
        " whose turn it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("hosts", nargs="*", metavar="NAMESERVER")
        parser.add_argument("--limit", type=int, default=100, help="nameservers, 100")
        parser.add_argument("--json", action="store_true", help="one object a line")

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """List, and print what each list came to."""
        try:
            hosts = [parse_name(text) for text in options["hosts"]]
            every, world = config.discovering(), config.world()
        except (InvalidName, config.Unusable) as exc:
            raise CommandError(str(exc), returncode=2) from exc
        now = clock.now()
        world = trusting.trusted(world, now=now)
        if not hosts:
            discovering.keep_sources(now=now)
        found = (
            discovering.explore_hosts(
                hosts, eyes=lambda: world.scanner(clock=clock.now), every=every, now=now
            )
            if hosts
            else discovering.explore_due(
                eyes=lambda: world.scanner(clock=clock.now),
                every=every,
                limit=options["limit"],
                now=now,
            )
        )
        for one in found:
            self.stdout.write(
                json.dumps(as_json(one)) if options["json"] else told(one)
            )
        if not found and not options["json"]:
            self.stdout.write("no nameserver is to be looked at now")


def as_json(found: Found) -> dict[str, Any]:
    """Return one list as a line of `--json`."""
    signals = found.signals
    return {
        "nameserver": unrooted(signals.host),
        "way": signals.way.value,
        "ending": signals.ending.value,
        "listed": len(signals.children),
        "matched": found.matched,
        "new": list(found.news),
        "queries": signals.queries,
    }


def told(found: Found) -> str:
    """Return one list as a line for people."""
    signals = found.signals
    news = ", ".join(found.news[:5]) + (" …" if len(found.news) > 5 else "")  # noqa: PLR2004
    return (
        f"{unrooted(signals.host)}: {signals.ending.value} ({signals.way.value}),"
        f" {len(signals.children)} listed, {found.matched} delegated to it,"
        f" {len(found.news)} new" + (f": {news}" if news else "")
    )
