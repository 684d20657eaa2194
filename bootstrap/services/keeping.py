"""What the sealer does, round after round: seal, tell, ask witnesses, verify.

Any storage error ends it (rule L-1): whoever started it starts it again, and it
goes on from what is on disk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bootstrap.config import Ledger
from bootstrap.core.tlog import notes, policy as policies
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import AuditPending, Checkpoint

from . import (
    alarms,
    audit,
    chain,
    checkpoints,
    heartbeats,
    log_totals,
    log_verifying,
    sealing,
    stamping,
    witnessing,
)
from .actors import Actor, ActorKind
from .logfiles import KEY, HistoryDiffers, LogFiles
from .sealing import RolledBack
from .signing import Signer, WillNotSign, verify

log = logging.getLogger("bootstrap.sealer")

SEALER: Final = Actor(ActorKind.SYSTEM, "sealer", "sealer")
STREAM: Final = "log"
BEAT_EVERY: Final = timedelta(minutes=10)
COMPARE_EVERY: Final = timedelta(hours=1)
MAIL_EVERY: Final = timedelta(days=1)
STAMP_EVERY: Final = timedelta(days=1)
DAILY_AGAIN: Final = timedelta(hours=1)
"""After what is done once a day did not work."""
QUORUM_WITHIN: Final = timedelta(hours=1)
VERIFY_EVERY: Final = timedelta(seconds=10)
"""A slice is verified at least this often, however much there is to seal."""
MAX_STEP: Final = timedelta(seconds=2)


@dataclass(slots=True)
class Keeper:
    """The sealer's hands and what it remembers between rounds."""

    ledger: Ledger
    signer: Signer
    policy: policies.Policy
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    told: datetime | None = None
    mail_due: datetime | None = None
    compared: datetime | None = None
    sealed: datetime | None = None
    stamp_due: datetime | None = None
    quorum: datetime | None = None
    verified: datetime | None = None
    offset: float | None = None

    @property
    def files(self) -> LogFiles:
        """The folder of the log."""
        return LogFiles(self.ledger.folder)

    @property
    def verifier(self) -> log_verifying.Verifier:
        """What verifies the log, with the keys that we know."""
        cosigners = {w.key.name: w.key for w in self.policy.witnesses.values()}
        former = {key.name: key for key in self.policy.logs}
        return log_verifying.Verifier(self.files, self.signer.public, cosigners, former)

    def start(self) -> None:
        """Make sure that nothing was lost, and say which key is used.

        Raises:
            RolledBack: more was signed or published than the database holds.
        """
        now = self.clock()
        self.compare(now)
        self.files.write(
            KEY, f"{self.signer.public.to_text()}\n".encode(), replace=True
        )
        audit.record(
            EntryType.KEY_USED,
            stream=STREAM,
            actor=SEALER,
            now=now,
            key=self.signer.public.to_text(),
            purpose="checkpoints",
        )

    def round(self) -> bool:
        """Do what is due; say whether something was sealed.

        Raises:
            RolledBack, HistoryDiffers, WillNotSign: history was changed; the
                alarm is open, and nothing is signed.
        """
        now = self.clock()
        self._watch_clock(now)
        if self.compared is None or now - self.compared >= COMPARE_EVERY:
            self.compare(now)
        self._beat(now)
        done = self._seal(now)
        self._tell(now)
        heartbeats.beat("sealer", now=now, leaves=sealing.leaf_count())
        if done is None or self.verified is None or now - self.verified > VERIFY_EVERY:
            self.verifier.slice(now=now)
            self.verified = now
        return done is not None

    def compare(self, now: datetime) -> None:
        """Hold the database to all who remember its size (S-94).

        Raises:
            RolledBack: somebody remembers more than it holds.
            HistoryDiffers: somebody holds a checkpoint of another tree.
        """
        have = sealing.leaf_count()
        known = {"the signer": self.signer.last()[0]}
        known["the log's folder"] = sealing.published_size(self.files)
        held = self._held()
        known |= {where: checkpoints.size_of(note) for where, note in held.items()}
        known |= self._witnessed(have)
        self.compared = now
        ahead = {who: size for who, size in known.items() if size > have}
        if not ahead:
            self._refuse_fork(held, now)
            alarms.close_alarm(chain.CODE, subject=chain.ROLLED_BACK, now=now)
            return
        who, size = max(ahead.items(), key=lambda item: item[1])
        raise self._rolled_back(
            f"the database holds {have} entries of the log, {who} knows of {size}:"
            f" {size - have} are missing; see docs/runbooks/ledger-rolled-back.md",
            now,
        )

    def _held(self) -> dict[str, str]:
        """Return the checkpoints that left the house and carry our signature."""
        ours = {}
        for where, text in checkpoints.held(self.ledger.publish).items():
            try:
                notes.read(text).check(self.signer.public, verify)
                ours[where] = text
            except (notes.NoteWrong, notes.NotSigned) as exc:
                problem = f"{where}: {exc}"
                log.warning("checkpoint.foreign", extra={"problem": problem})
        return ours

    def _refuse_fork(self, held: Mapping[str, str], now: datetime) -> None:
        """Hold our tree to checkpoints that left the house: a signed fork differs."""
        for where, text in held.items():
            for found in log_totals.older(
                self.files, self.signer.public, f"the checkpoint in {where}", text
            ):
                detail = f"{found}; see docs/runbooks/ledger-rolled-back.md"
                alarms.open_alarm(
                    chain.CODE, subject=chain.FORKED, detail=detail, now=now
                )
                raise HistoryDiffers(detail)
        alarms.close_alarm(chain.CODE, subject=chain.FORKED, now=now)

    def _witnessed(self, have: int) -> dict[str, int]:
        newest = Checkpoint.objects.filter(size__lte=have).order_by("-size").first()
        if newest is None:
            return {}
        sizes = {}
        for witness in self.policy.witnesses.values():
            try:
                if witness.url:
                    sizes[witness.name] = witnessing.size_seen(witness, newest)
            except witnessing.WitnessRefused as exc:
                log.warning("witness.silent", extra={"problem": str(exc)})
        return sizes

    def _rolled_back(self, detail: str, now: datetime) -> RolledBack:
        # in a stream of its own: the usual ones may have lost their ends
        stream = f"restore:{now:%Y%m%dT%H%M%SZ}"
        alarms.open_alarm(
            chain.CODE, subject=chain.ROLLED_BACK, detail=detail, stream=stream, now=now
        )
        return RolledBack(detail)

    def _seal(self, now: datetime) -> sealing.Sealed | None:
        try:
            done = sealing.seal(files=self.files, signer=self.signer, now=now)
        except RolledBack as exc:
            raise self._rolled_back(str(exc), now) from exc
        except (HistoryDiffers, WillNotSign) as exc:
            alarms.open_alarm(
                chain.CODE, subject=chain.BROKEN, detail=str(exc), now=now
            )
            raise
        if done:
            self.sealed = now
        return done

    def _beat(self, now: datetime) -> None:
        """Let silence be visible: an entry every ten minutes without any other."""
        if self.sealed is not None and now - self.sealed < BEAT_EVERY:
            return
        if AuditPending.objects.exists():
            return
        audit.record(
            EntryType.LOG_HEARTBEAT,
            stream=STREAM,
            actor=SEALER,
            now=now,
            leaves=sealing.leaf_count(),
        )

    def _watch_clock(self, now: datetime) -> None:
        """Record a step of the clock against the one that only runs (P-8.35)."""
        offset = now.timestamp() - self.monotonic()
        before, self.offset = self.offset, offset
        if before is not None and abs(offset - before) > MAX_STEP.total_seconds():
            audit.record(
                EntryType.CLOCK_CHANGED,
                stream=STREAM,
                actor=SEALER,
                now=now,
                milliseconds=int((offset - before) * 1000),
            )

    def _tell(self, now: datetime) -> None:
        """Let the newest checkpoint leave the house, at fixed intervals."""
        if self.told is not None and now - self.told < self.ledger.publish_every:
            return
        newest = Checkpoint.objects.order_by("-size").first()
        if newest is None:
            return
        self.told = now
        if self.policy.witnesses:
            self._ask_witnesses(newest, now)
        note = sealing.publish_note(newest, self.files)
        mail = self.mail_due is None or now >= self.mail_due
        targets = [
            t for t in self.ledger.publish if mail or t.kind not in checkpoints.DAILY
        ]
        wrong = checkpoints.deliver_all(targets, note)
        for problem in wrong:
            log.error("checkpoint.not_delivered", extra={"problem": problem})
        if mail:
            lost = any(problem.startswith("mailto:") for problem in wrong)
            self.mail_due = now + (DAILY_AGAIN if lost else MAIL_EVERY)
        self._stamp(newest, now)

    def _stamp(self, newest: Checkpoint, now: datetime) -> None:
        """Let an authority say once a day since when a checkpoint exists."""
        authority = self.ledger.timestamps
        if authority is None or (self.stamp_due is not None and now < self.stamp_due):
            return
        self.stamp_due = now + STAMP_EVERY
        try:
            stamping.stamp(newest.note, newest.size, authority, self.files)
        except stamping.NotStamped as exc:
            log.exception("checkpoint.not_stamped", extra={"problem": str(exc)})
            self.stamp_due = now + DAILY_AGAIN

    def _ask_witnesses(self, newest: Checkpoint, now: datetime) -> None:
        nodes = self.files.nodes(newest.size)
        try:
            _made, wrong = witnessing.ask_all(self.policy, newest, nodes)
        except witnessing.WitnessAhead as exc:
            raise self._rolled_back(str(exc), now) from exc
        for problem in wrong:
            log.error("witness.refused", extra={"problem": problem})
        if witnessing.enough(self.policy, newest):
            self.quorum = now
            alarms.close_alarm(chain.CODE, subject=chain.WITNESSES, now=now)
        self.quorum = self.quorum or now
        if now - self.quorum > QUORUM_WITHIN:
            detail = "; ".join(wrong) or "too few witnesses have signed"
            alarms.open_alarm(
                chain.CODE, subject=chain.WITNESSES, detail=detail, now=now
            )
