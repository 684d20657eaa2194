"""`manage.py token`: keys of machines for the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from bootstrap import clock
from bootstrap.management.output import one_line, zone_named
from bootstrap.models import Token
from bootstrap.services import tokens
from bootstrap.services.actors import OPERATOR
from bootstrap.services.summaries import moment


class Command(BaseCommand):
    """Issue, list or revoke tokens."""

    help = "Issue, list or revoke tokens of the API. A token never decides."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the verbs and their options."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        issue = verbs.add_parser("issue", help="make a token; its secret is shown once")
        issue.add_argument("name", help="what it is for")
        issue.add_argument("--owner", required=True, metavar="USER")
        issue.add_argument(
            "--scope",
            dest="scopes",
            nargs="+",
            action="extend",
            required=True,
            choices=sorted(tokens.SCOPES),
            metavar="SCOPE",
            help=", ".join(sorted(tokens.SCOPES)),
        )
        issue.add_argument(
            "--zone", dest="zones", nargs="+", action="extend", default=[]
        )
        issue.add_argument("--days", type=int, default=90, help="how long it lives")
        listing = verbs.add_parser("list", help="list the tokens")
        listing.add_argument(
            "--json", action="store_true", help="print one JSON object a line"
        )
        revoke = verbs.add_parser("revoke", help="end a token at once")
        revoke.add_argument("prefix")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Do what the verb says."""
        verbs: dict[str, Callable[[dict[str, Any]], None]] = {
            "issue": self.issue,
            "list": self.list,
            "revoke": self.revoke,
        }
        verbs[options["verb"]](options)

    def issue(self, options: dict[str, Any]) -> None:
        """Print the secret of a new token, alone on standard output."""
        owner = User.objects.filter(username=options["owner"], is_active=True).first()
        if owner is None:
            raise CommandError(f"there is no active user {options['owner']!r}")
        terms = tokens.Terms(
            name=options["name"],
            scopes=tuple(options["scopes"]),
            zones=tuple(zone_named(name) for name in options["zones"]),
            life=timedelta(days=options["days"]),
        )
        try:
            token, secret = tokens.issue(owner, terms, actor=OPERATOR, now=clock.now())
        except tokens.TokenRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stderr.write(
            f"{token.prefix} until {moment(token.expires_at)}; the secret is not kept:"
        )
        self.stdout.write(secret)

    def list(self, options: dict[str, Any]) -> None:
        """Print one line for each token."""
        for token in Token.objects.select_related("owner").prefetch_related("zones"):
            told = _summary(token)
            self.stdout.write(one_line(told, as_json_line=options["json"]))

    def revoke(self, options: dict[str, Any]) -> None:
        """End one token."""
        token = Token.objects.filter(prefix=options["prefix"]).first()
        if token is None:
            raise CommandError(f"there is no token {options['prefix']}")
        done = tokens.revoke(token, actor=OPERATOR, now=clock.now())
        self.stdout.write(f"{token.prefix}: {'revoked' if done else 'was revoked'}")


def _summary(token: Token) -> dict[str, Any]:
    return {
        "token": token.prefix,
        "name": token.name,
        "owner": token.owner.get_username(),
        "scopes": token.scopes,
        "zones": [zone.name for zone in token.zones.all()],
        "created": moment(token.created_at),
        "expires": moment(token.expires_at),
        "last_used": moment(token.last_used_at),
        "revoked": moment(token.revoked_at),
    }
