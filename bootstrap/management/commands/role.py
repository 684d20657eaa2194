"""`manage.py role`: the first roles of an installation, and a look at all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from bootstrap import clock
from bootstrap.management.output import as_json, zone_named
from bootstrap.models import ZoneRole
from bootstrap.services import roles
from bootstrap.services.actors import OPERATOR

DONE = {"grant": "granted", "revoke": "taken away"}


class Command(BaseCommand):
    """Grant, revoke or list roles."""

    help = "Grant, revoke or list roles, everywhere or in one zone."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the verbs and their options."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        for verb, words in (("grant", "give a person a role"), ("revoke", "take it")):
            one = verbs.add_parser(verb, help=words)
            one.add_argument("user")
            one.add_argument("role")
            one.add_argument("--zone", help="in this zone alone")
        listing = verbs.add_parser("list", help="list who has which role where")
        listing.add_argument(
            "--json", action="store_true", help="print one JSON object a line"
        )

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Do what the verb says."""
        if options["verb"] == "list":
            self.list(options)
            return
        verb = roles.grant if options["verb"] == "grant" else roles.revoke
        self.change(verb, options)

    def change(self, verb: Callable[..., None], options: dict[str, Any]) -> None:
        """Grant or revoke, at the word of whoever has a shell."""
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"there is no user {options['user']!r}")
        zone = zone_named(options["zone"]) if options["zone"] else None
        wish = roles.Wish(user, options["role"], zone)
        try:
            verb(wish, actor=OPERATOR, now=clock.now())
        except roles.GrantRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{user}: {options['role']}, {DONE[options['verb']]}")

    def list(self, options: dict[str, Any]) -> None:
        """Print one line for each role of each person."""
        for told in _told():
            words = "  ".join(str(value) for value in told.values())
            self.stdout.write(as_json(told) if options["json"] else words)


def _told() -> Iterator[dict[str, str]]:
    for role in Group.objects.order_by("name"):
        for user in User.objects.filter(groups=role).order_by("username"):
            yield {"user": user.username, "role": role.name, "zone": "all"}
    rows = ZoneRole.objects.select_related("user", "role", "zone")
    for row in rows.order_by("zone__name", "role__name", "user__username"):
        yield {"user": row.user.username, "role": row.role.name, "zone": row.zone.name}
