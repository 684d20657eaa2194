"""`manage.py webhook`: which machines are told what happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bootstrap import clock, config
from bootstrap.management.output import one_line
from bootstrap.models import Delivery, Webhook
from bootstrap.services import deliveries
from bootstrap.services.actors import OPERATOR


class Command(BaseCommand):
    """Add, list, try or remove webhooks; read their log."""

    help = "Add, list, try or remove webhooks; read their log."

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
        log = verbs.add_parser("log", help="say what it was told, the newest first")
        log.add_argument("id", type=int)
        log.add_argument("--limit", type=int, default=50, help="so many (50)")
        log.add_argument(
            "--json", action="store_true", help="print one JSON object a line"
        )
        again = verbs.add_parser("resend", help="tell what was given up again")
        again.add_argument("delivery", type=int, help="its number in the log")
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
            "log": self.log,
            "resend": self.resend,
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
            self.stdout.write(one_line(told, as_json_line=options["json"]))

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

    def log(self, options: dict[str, Any]) -> None:
        """Print one line for each delivery: what, how often tried, and how it went."""
        hook = _named(options["id"])
        for row in deliveries.log_of(hook, max(0, options["limit"])):
            told = _line(row)
            self.stdout.write(one_line(told, as_json_line=options["json"]))

    def resend(self, options: dict[str, Any]) -> None:
        """Put what was given up back in the outbox."""
        row = Delivery.objects.filter(pk=options["delivery"]).first()
        if row is None:
            raise CommandError(f"there is no delivery {options['delivery']}")
        try:
            deliveries.send_again(row, now=clock.now())
        except deliveries.WebhookRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"delivery {row.pk}: due now")


def _line(row: Delivery) -> dict[str, Any]:
    return {
        "delivery": row.pk,
        "event": row.entry.type if row.entry else deliveries.TRIAL,
        "entry": str(row.entry.uid) if row.entry else None,
        "stand": row.stand,
        "attempts": row.attempts,
        "tried_at": row.tried_at.isoformat() if row.tried_at else None,
        "status": row.status,
        "trouble": row.trouble,
        "next_at": row.due_at.isoformat() if row.stand == "waiting" else None,
    }


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
