"""`manage.py webhook`: which machines are told what happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bootstrap import clock, config
from bootstrap.management.output import as_json
from bootstrap.models import Webhook
from bootstrap.services import deliveries
from bootstrap.services.actors import OPERATOR


class Command(BaseCommand):
    """Add, list, try or remove webhooks."""

    help = "Add, list, try or remove webhooks."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the verbs and their options."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        add = verbs.add_parser("add", help="tell one more machine")
        add.add_argument("url")
        add.add_argument(
            "--event",
            dest="events",
            nargs="+",
            action="extend",
            required=True,
            metavar="TYPE",
            help='types of entries, or their beginnings: "proposal.*"',
        )
        listing = verbs.add_parser("list", help="list the webhooks")
        listing.add_argument(
            "--json", action="store_true", help="print one JSON object a line"
        )
        for verb, words in {"remove": "tell it nothing more", "test": "try it"}.items():
            one = verbs.add_parser(verb, help=words)
            one.add_argument("id", type=int)

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Do what the verb says."""
        verbs: dict[str, Callable[[dict[str, Any]], None]] = {
            "add": self.add,
            "list": self.list,
            "remove": self.remove,
            "test": self.test,
        }
        verbs[options["verb"]](options)

    def add(self, options: dict[str, Any]) -> None:
        """Print the secret of a new webhook, alone on standard output."""
        try:
            hook = deliveries.add(
                options["url"],
                tuple(options["events"]),
                actor=OPERATOR,
                now=clock.now(),
            )
        except deliveries.WebhookRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stderr.write(f"webhook {hook.pk}; what it gets is signed with:")
        self.stdout.write(hook.secret)

    def list(self, options: dict[str, Any]) -> None:
        """Print one line for each webhook, and how its last delivery went."""
        for hook in Webhook.objects.all():
            told = _summary(hook)
            words = "  ".join(f"{name}={value}" for name, value in told.items())
            self.stdout.write(as_json(told) if options["json"] else words)

    def remove(self, options: dict[str, Any]) -> None:
        """Stop telling one machine."""
        hook = _named(options["id"])
        deliveries.remove(hook, actor=OPERATOR, now=clock.now())
        self.stdout.write(f"webhook {hook.pk}: removed")

    def test(self, options: dict[str, Any]) -> None:
        """Send a trial now; say what came back."""
        row = deliveries.try_out(
            _named(options["id"]), egress=config.webhooks(), clock=clock.now
        )
        if row.delivered_at is None:
            raise CommandError(row.trouble or f"answered {row.status}")
        self.stdout.write(f"answered {row.status}")


def _named(number: int) -> Webhook:
    hook = Webhook.objects.filter(pk=number).first()
    if hook is None:
        raise CommandError(f"there is no webhook {number}")
    return hook


def _summary(hook: Webhook) -> dict[str, Any]:
    last = hook.deliveries.exclude(tried_at=None).order_by("-tried_at").first()
    return {
        "webhook": hook.pk,
        "url": hook.url,
        "events": hook.events,
        "active": hook.active,
        "last_status": last.status if last else None,
        "last_trouble": last.trouble if last else "",
        "waiting": hook.deliveries.filter(delivered_at=None, given_up_at=None).count(),
    }
