"""The sealer's rounds: told, witnessed, verified; and what the alarm stops."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from bootstrap import config
from bootstrap.core.tlog import notes, policy
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import (
    Alarm,
    AuditEntry,
    AuditLeaf,
    Checkpoint,
    Cosignature,
    Evidence,
)
from bootstrap.services import (
    audit,
    chain,
    checkpoints,
    evidence,
    keeping,
    proposals,
    sealing,
    signing,
)
from bootstrap.services.actors import SCANNER
from tests.support.trail import triggers_away
from tests.support.witnesses import running

from . import builders
from .builders import NOW, a_domain, a_person, proposed
from .test_evidence import BUNDLE

pytestmark = pytest.mark.django_db
ORIGIN = "portal.example/audit"
NOBODY = policy.Policy()


@pytest.fixture(autouse=True)
def _genuine_evidence(monkeypatch):
    """Let the builders store bundles that can be opened."""

    def stored(_text="evidence"):
        (digest,) = evidence.store([BUNDLE], now=NOW)
        return Evidence.objects.get(digest=digest)

    monkeypatch.setattr(builders, "some_evidence", stored)


class Time:
    """A clock that a test moves; both clocks run together unless it steps one."""

    def __init__(self):
        self.now, self.running = NOW, 1000.0

    def pass_(self, **span):
        self.now += timedelta(**span)
        self.running += timedelta(**span).total_seconds()


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def keeper(tmp_path, time):
    return a_keeper(tmp_path, time)


def a_keeper(folder, time, trusted=NOBODY, publish=(), origin=ORIGIN):
    folder.mkdir(exist_ok=True)
    key = folder / "log.key"
    if not key.exists():
        signing.make_key(key)
    ledger = config.Ledger(
        folder=folder / "log",
        origin=origin,
        key_file=key,
        state_file=folder / "state",
        publish=publish,
    )
    signer = signing.Signer(origin, key, folder / "state")
    return keeping.Keeper(
        ledger, signer, trusted, lambda: time.now, lambda: time.running
    )


def write(count):
    audit.append(
        audit.Draft(
            type=EntryType.SCAN_FAILED,
            stream=f"child:n{n % 3}.",
            actor=SCANNER,
            now=NOW,
            data={"n": n},
        )
        for n in range(count)
    )


def types():
    return list(AuditEntry.objects.values_list("type", flat=True))


def test_a_round_seals_verifies_and_says_which_key_signs(keeper):
    write(5)
    keeper.start()
    assert keeper.round() is True
    assert keeper.round() is False
    assert keeper.verifier.slice(now=NOW) == []
    assert "key.used" in types()
    assert (keeper.files.folder / "key").read_text().startswith(ORIGIN)
    assert list(keeper.verifier.everything(contents=True)) == []


def test_a_log_that_ended_is_believed_by_its_key_when_a_new_one_begins(
    keeper, tmp_path, time
):
    write(3)
    keeper.start()
    keeper.round()
    public = keeper.signer.public.to_text()
    time.pass_(seconds=5)

    def begin(folder, trusted):
        after = a_keeper(tmp_path / folder, time, trusted, origin="portal.example/two")
        after.start()
        after.round()
        return [str(trouble) for trouble in after.verifier.everything()]

    known = begin("new", policy.read(f"log {public}\nquorum none\n"))
    unknown = begin("new", NOBODY)

    assert known == []
    assert len(unknown) == 1
    assert "portal.example/two has not signed" in unknown[0]


def test_silence_is_visible_by_a_heartbeat_every_ten_minutes(keeper, time):
    keeper.start()
    keeper.round()
    for _ in range(4):
        time.pass_(minutes=5)
        keeper.round()
    assert types().count("log.heartbeat") == 2


def test_a_step_of_the_clock_is_recorded(keeper, time):  # P-8.35
    keeper.round()
    time.now += timedelta(seconds=30)
    keeper.round()
    entry = AuditEntry.objects.get(type="clock.changed")
    assert json.loads(bytes(entry.body))["data"]["milliseconds"] == 30_000


def test_checkpoints_reach_a_folder_and_a_git_remote(keeper, tmp_path, time):  # P-8.30
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", remote], check=True)
    targets = (
        config.Target("file", str(tmp_path / "drop")),
        config.Target("git", str(remote)),
    )
    keeper = a_keeper(tmp_path, time, publish=targets)
    write(2)
    keeper.round()
    note = (tmp_path / "drop" / "checkpoint").read_text()
    notes.read(note).check(keeper.signer.public, signing.verify)
    shown = subprocess.run(
        ["git", "-C", remote, "show", "checkpoints:checkpoint"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == note


@pytest.fixture(params=["file", "git"])
def drop(request, tmp_path):
    """A place outside where checkpoints go, and can be read back."""
    where = tmp_path / "drop"
    if request.param == "git":
        subprocess.run(["git", "init", "-q", "--bare", where], check=True)
    return config.Target(request.param, str(where))


def test_a_drop_that_knows_more_makes_the_database_read_only(tmp_path, time, drop):
    keeper = a_keeper(tmp_path, time, publish=(drop,))
    write(9)
    keeper.round()
    proposal = proposed(a_domain())
    with triggers_away():
        AuditLeaf.objects.filter(index__gte=5).delete()
        Checkpoint.objects.all().delete()
    keeper.signer.state_file.unlink()
    (keeper.files.folder / "checkpoint").unlink()

    with pytest.raises(sealing.RolledBack, match="4 are missing"):
        a_keeper(tmp_path, time, publish=(drop,)).start()

    for verb in (proposals.approve, proposals.reject, proposals.hold):
        with pytest.raises(chain.LedgerBroken, match="X_AUDIT_CHAIN"):
            verb(
                proposal,
                actor=a_person(),
                digest=proposal.digest,
                comment="yes",
                now=NOW,
            )


def test_a_place_that_is_away_does_not_keep_the_sealer_from_its_work(
    tmp_path, time, caplog
):
    away = config.Target("git", str(tmp_path / "nowhere"))
    keeper = a_keeper(tmp_path, time, publish=(away,))
    write(1)
    keeper.start()

    assert keeper.round()
    assert "checkpoint.unreadable" in caplog.text
    assert "checkpoint.not_delivered" in caplog.text


def test_mail_goes_once_a_day_and_is_tried_again_when_nobody_took_it(
    tmp_path, time, settings
):
    auditor = config.Target("mailto", "auditor@registry.example")
    keeper = a_keeper(tmp_path, time, publish=(auditor,))
    taken = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    write(1)
    keeper.round()

    settings.EMAIL_BACKEND = taken
    sent = []
    for _ in range(4):
        time.pass_(minutes=31)
        keeper.round()
        sent.append(len(mail.outbox))
    time.pass_(hours=24)
    keeper.round()

    assert sent == [0, 1, 1, 1]
    assert len(mail.outbox) == 2


def test_a_request_that_the_signer_refuses_opens_the_alarm(keeper):  # S-91
    write(3)
    keeper.round()
    keeper.signer.state_file.write_text(
        json.dumps({"size": 3, "root": "00" * 32})  # another tree was signed elsewhere
    )
    write(1)

    with pytest.raises(signing.WillNotSign):
        keeper.round()
    assert Alarm.objects.open().filter(subject=chain.BROKEN).exists()
    assert chain.open_alarm(NOW) is not None
    assert json.loads(keeper.signer.state_file.read_text())["size"] == 3


def test_a_changed_entry_opens_the_alarm_by_name_and_stops_approvals(keeper):  # P-8.33
    proposal = proposed(a_domain())
    write(3)
    keeper.round()
    entry = AuditEntry.objects.filter(stream="child:n1.").get()
    with triggers_away():
        AuditEntry.objects.filter(pk=entry.pk).update(type="scan.verdict")

    keeper.round()

    alarm = Alarm.objects.get(code="X_AUDIT_CHAIN")
    assert str(entry.uid) in alarm.detail
    assert "column type" in alarm.detail
    words: Any = {"actor": a_person(), "comment": "why", "now": NOW}
    with pytest.raises(chain.LedgerBroken, match=str(entry.uid)):
        proposals.approve(proposal, digest=proposal.digest, **words)
    assert proposed(a_domain(name="other.test")).route == "hold"

    with triggers_away():
        AuditEntry.objects.filter(pk=entry.pk).update(type="scan.failed")
    keeper.round()
    keeper.round()
    alarm.refresh_from_db()
    assert alarm.closed_at is not None
    proposals.approve(proposal, digest=proposal.digest, **words)


def test_entries_that_nobody_seals_raise_the_alarm(keeper):
    write(1)
    assert chain.watch(now=NOW + timedelta(minutes=30))
    assert not chain.watch(now=NOW + timedelta(minutes=90))
    assert chain.open_alarm(NOW) is not None
    keeper.round()
    assert chain.watch(now=NOW + timedelta(minutes=90))
    assert chain.open_alarm(NOW) is None


@pytest.fixture
def witness(tmp_path, keeper):
    """A witness of our log, on loopback."""
    key = keeper.signer.public.to_text()
    with running(tmp_path / "witness", "w1", origin=ORIGIN, key=key) as one:
        yield policy.read(f"{one.line}\nquorum w1\n"), one.log


def test_a_witness_cosigns_what_grows(tmp_path, time, witness):  # S-92, P-8.24
    trusted, log = witness
    keeper = a_keeper(tmp_path, time, trusted)
    for count in (3, 300):
        write(count)
        keeper.round()
        time.pass_(minutes=2)
    assert Cosignature.objects.count() == 2
    assert log.last()[0] == Checkpoint.objects.order_by("-size")[0].size
    note = notes.read(keeper.files.checkpoint() or "")
    assert note.check(trusted.witnesses["w1"].key, signing.verify)
    assert list(keeper.verifier.everything()) == []


def test_a_witness_that_has_seen_more_proves_a_roll_back(tmp_path, time, witness):
    trusted, _log = witness
    keeper = a_keeper(tmp_path, time, trusted)
    write(3)
    keeper.round()
    time.pass_(minutes=2)
    write(3)
    keeper.round()
    with triggers_away():
        Cosignature.objects.filter(checkpoint__size__gt=4).delete()
        Checkpoint.objects.filter(size__gt=4).delete()
        AuditLeaf.objects.filter(index__gte=3).delete()
    keeper.signer.state_file.unlink()
    (keeper.files.folder / "checkpoint").unlink()
    with pytest.raises(sealing.RolledBack, match="w1 knows of"):
        a_keeper(tmp_path, time, trusted).start()


def test_a_missing_quorum_is_an_alarm_after_an_hour_and_stops_after_a_day(
    tmp_path, time, witness
):
    trusted, log = witness
    keeper = a_keeper(tmp_path, time, trusted)
    log.public = bytes(32)  # it no longer knows our key
    for _ in range(3):
        write(1)
        keeper.round()
        time.pass_(minutes=40)
    assert Alarm.objects.open().filter(subject=chain.WITNESSES).exists()
    assert chain.open_alarm(time.now) is None
    assert chain.open_alarm(time.now + timedelta(hours=24)) is not None


@pytest.mark.django_db(transaction=True)
def test_the_command_makes_its_key_only_when_asked(settings, tmp_path, capsys):
    settings.BOOTSTRAP = {
        **settings.BOOTSTRAP,
        "AUDIT_ORIGIN": ORIGIN,
        "AUDIT_LOG_DIR": str(tmp_path / "log"),
        "AUDIT_KEY_FILE": str(tmp_path / "key"),
    }
    with pytest.raises(CommandError, match="--make-key"):
        call_command("sealer", "--once")
    call_command("sealer", "--once", "--make-key")
    call_command("sealer", "--once")
    assert "sealed up to" in capsys.readouterr().out
    settings.BOOTSTRAP = {**settings.BOOTSTRAP, "AUDIT_ORIGIN": "two words"}
    with pytest.raises(CommandError, match="AUDIT_ORIGIN"):
        call_command("sealer", "--once")


def test_a_target_that_fails_does_not_stop_the_others(tmp_path):
    targets = [
        config.Target("file", "/proc/nowhere"),
        config.Target("file", str(tmp_path)),
    ]
    note = f"{ORIGIN}\n1\n{base64.b64encode(bytes(32)).decode()}\n\n\u2014 x AAAAAAAA\n"
    assert len(checkpoints.deliver_all(targets, note)) == 1
    assert (tmp_path / "checkpoint").read_text() == note
