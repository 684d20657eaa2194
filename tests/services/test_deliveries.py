"""Webhooks: told with the event, signed, to checked addresses, again when it fails."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from bootstrap.core.tlog.types import EntryType
from bootstrap.models import Delivery, Webhook
from bootstrap.scanner.egress import Egress, networks
from bootstrap.services import audit, deliveries, posting
from bootstrap.services.actors import OPERATOR, SCANNER
from tests.support import rows

pytestmark = pytest.mark.django_db
NOW = rows.NOW
LAB = Egress(allowed=networks(["127.0.0.0/8"]))


class Receiver(HTTPServer):
    """A machine of somebody else, on loopback; answers what it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answer = 204

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?from=us"


class Answering(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        self.send_response(self.server.answer)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def receiver():
    server = Receiver()
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}
    )
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def a_webhook(url: str, *events: str) -> Webhook:
    return deliveries.add(url, events or ("scan.*",), actor=OPERATOR, now=NOW)


def happen(kind: EntryType = EntryType.SCAN_VERDICT, **data):
    return audit.record(kind, stream="child:a.example.", actor=SCANNER, now=NOW, **data)


def deliver(after: timedelta = timedelta(0), egress: Egress = LAB):
    return dict(deliveries.deliver_due(egress=egress, clock=lambda: NOW + after))


def test_what_happens_is_told_signed_so_that_the_receiver_can_check(receiver):
    hook = a_webhook(receiver.url)
    entry = happen(outcome="accept")

    assert deliver() == {"delivered": 1}
    assert deliver(timedelta(days=1)) == {}

    ((headers, body),) = receiver.got
    signed = headers["Webhook-Timestamp"].encode() + b"." + body
    wanted = hmac.new(hook.secret.encode(), signed, hashlib.sha256).hexdigest()
    told = json.loads(body)
    assert headers["Webhook-Signature"] == f"v1={wanted}"
    assert headers["Webhook-Id"] == told["id"] == str(entry.uid)
    assert told["type"] == "scan.verdict"
    assert told["entry"] == json.loads(bytes(entry.body))


def test_nothing_is_told_of_what_was_rolled_back(receiver):
    a_webhook(receiver.url)
    with transaction.atomic():
        happen()
        transaction.set_rollback(True)

    assert deliver() == {}


def test_only_wanted_types_go_into_the_outbox():
    a_webhook("https://hooks.example/", "proposal.*", "alarm.opened")
    for kind in (
        EntryType.SCAN_VERDICT,
        EntryType.ALARM_OPENED,
        EntryType.ALARM_CLOSED,
    ):
        happen(kind)

    told = Delivery.objects.values_list("entry__type", flat=True)
    assert list(told) == ["alarm.opened"]


def test_failures_are_tried_again_ever_later_and_given_up_in_the_end(receiver):
    a_webhook(receiver.url)
    happen()
    receiver.answer = 500

    assert deliver() == {"failed": 1}
    assert deliver(timedelta(minutes=4)) == {}
    assert deliver(timedelta(minutes=5)) == {"failed": 1}
    assert deliver(timedelta(minutes=14)) == {}
    receiver.answer = 200
    assert deliver(timedelta(minutes=15)) == {"delivered": 1}
    assert Delivery.objects.get().attempts == 3

    happen()
    receiver.answer = 503
    endings = [deliver(timedelta(days=day)) for day in range(1, 11)]
    assert endings == [{"failed": 1}] * 8 + [{"given up": 1}, {}]


def test_a_redirect_is_an_answer_and_is_not_followed(receiver):
    a_webhook(receiver.url)
    happen()
    receiver.answer = 302

    assert deliver() == {"failed": 1}
    assert len(receiver.got) == 1


FORBIDDEN = {
    "the cloud's metadata": "http://169.254.169.254/latest",
    "loopback": "https://127.0.0.1/",
    "loopback in six": "https://[::1]/",
    "a private network": "https://10.0.0.1/",
    "embedded loopback": "https://[::ffff:127.0.0.1]/",
}


@pytest.mark.parametrize("url", FORBIDDEN.values(), ids=FORBIDDEN)
def test_no_packet_goes_to(url):
    """S-112: targets pass the table of S-1."""
    a_webhook(url)
    happen()

    assert deliver(egress=Egress()) == {"failed": 1}
    assert "forbidden" in Delivery.objects.get().trouble


def test_plain_http_needs_a_network_that_was_allowed_by_name():
    with pytest.raises(posting.NotSent, match="without TLS"):
        posting.post("http://192.0.2.1/", b"", headers={}, egress=_open())


def _open():
    class Everywhere(Egress):
        def objection(self, address):
            return None

    return Everywhere()


def test_a_name_is_not_resolved_again_between_check_and_use(receiver, monkeypatch):
    """S-2: the second answer would be a forbidden address."""
    answers = iter(["127.0.0.1", "10.0.0.1"])
    real = socket.getaddrinfo

    def changing(host, *args, **kwargs):
        here = next(answers) if host == "hooks.example" else host
        return real(here, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    url = f"http://hooks.example:{receiver.server_port}/"

    assert posting.post(url, b"{}", headers={}, egress=LAB) == 204
    assert receiver.got[0][0]["Host"] == f"hooks.example:{receiver.server_port}"


USELESS = {
    "no scheme": "hooks.example",
    "another scheme": "ftp://hooks.example/",
    "a user": "https://user:secret@hooks.example/",
    "a line end": "https://hooks.example/\r\nX: y",
    "no host": "https:///path",
    "no port": "https://hooks.example:99999/",
}


@pytest.mark.parametrize("url", USELESS.values(), ids=USELESS)
def test_an_address_is_refused_with(url):
    with pytest.raises(deliveries.WebhookRefused):
        a_webhook(url)


def test_an_event_that_never_happens_is_refused():
    with pytest.raises(deliveries.WebhookRefused):
        a_webhook("https://hooks.example/", "proposal.aproved")


def test_a_removed_webhook_is_told_nothing_more(receiver):
    hook = a_webhook(receiver.url)
    happen()
    deliveries.remove(hook, actor=OPERATOR, now=NOW)
    happen()

    assert deliver() == {}
    assert hook.deliveries.count() == 1


def test_two_workers_send_a_row_once(receiver):
    a_webhook(receiver.url)
    happen()
    row = Delivery.objects.get()

    assert deliveries._take(row, NOW)
    assert not deliveries._take(row, NOW)
    assert deliver() == {}


def test_the_command_adds_lists_tries_and_removes(receiver, settings, capsys):
    settings.BOOTSTRAP = settings.BOOTSTRAP | {"WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1"}
    call_command("webhook", "add", receiver.url, "--event", "proposal.*")
    secret = capsys.readouterr().out.strip()
    hook = Webhook.objects.get()
    call_command("webhook", "test", str(hook.pk))
    assert "answered 204" in capsys.readouterr().out
    call_command("webhook", "list", "--json")
    assert json.loads(capsys.readouterr().out)["last_status"] == 204
    call_command("webhook", "remove", str(hook.pk))

    assert secret == hook.secret
    assert not Webhook.objects.get().active
    receiver.answer = 500
    with pytest.raises(CommandError, match="answered 500"):
        call_command("webhook", "test", str(hook.pk))
    with pytest.raises(CommandError):
        call_command("webhook", "test", "999")


def given_up(receiver) -> Delivery:
    receiver.answer = 500
    happen()
    for wait in range(len(deliveries.WAITS) + 1):
        deliver(timedelta(days=wait))
    return Delivery.objects.get(given_up_at__isnull=False)


def test_what_was_given_up_can_be_sent_again_and_nothing_else(receiver):
    hook = a_webhook(receiver.url)
    row = given_up(receiver)
    receiver.answer = 204

    deliveries.send_again(row, now=NOW)
    with pytest.raises(deliveries.WebhookRefused):
        deliveries.send_again(row, now=NOW)  # it waits already

    assert deliver() == {"delivered": 1}
    with pytest.raises(deliveries.WebhookRefused):
        deliveries.send_again(row, now=NOW)
    Delivery.objects.update(delivered_at=None, given_up_at=NOW)
    deliveries.remove(hook, actor=OPERATOR, now=NOW)
    with pytest.raises(deliveries.WebhookRefused):
        deliveries.send_again(row, now=NOW)


def test_the_log_tells_every_delivery_the_newest_first(receiver, capsys):
    hook = a_webhook(receiver.url)
    row = given_up(receiver)
    waiting = happen()

    call_command("webhook", "log", str(hook.pk), "--json")
    newest, older = map(json.loads, capsys.readouterr().out.splitlines())

    assert (newest["entry"], newest["stand"]) == (str(waiting.uid), "waiting")
    assert newest["next_at"] == NOW.isoformat()
    assert (older["delivery"], older["stand"], older["status"]) == (
        row.pk,
        "given up",
        500,
    )
    assert older["attempts"] == len(deliveries.WAITS) + 1
    call_command("webhook", "log", str(hook.pk), "--limit", "1")
    assert "stand=waiting" in capsys.readouterr().out
    call_command("webhook", "resend", str(row.pk))
    assert Delivery.objects.waiting().count() == 2
    for number in (row.pk, 999_999):
        with pytest.raises(CommandError):
            call_command("webhook", "resend", str(number))


def test_staff_see_the_host_and_the_last_try_but_no_path_and_no_secret(receiver):
    hook = a_webhook(f"{receiver.url}/T0P-SECRET?token=x")
    row = given_up(receiver)
    happen()

    (seen,) = deliveries.listeners()

    assert (seen.number, seen.host, seen.waiting) == (hook.pk, "127.0.0.1", 1)
    assert seen.last == row
    deliveries.remove(hook, actor=OPERATOR, now=NOW)
    assert deliveries.listeners() == []
