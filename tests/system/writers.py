"""The trial of killed writers and sealers: forks them, kills them, says what they said.

Run as a process of its own: `python -m tests.system.writers FOLDER WRITERS ROUNDS
SEED`. Writers do the real acts of staff; each says `NAME` in `acknowledged` after
the service returned. All of them, and the sealer beside them, end by SIGKILL.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import django

django.setup()

from django.db import (  # noqa: E402
    InterfaceError,
    OperationalError,
    connections,
)

from bootstrap.core.evaluation.delegation import Suspension  # noqa: E402
from bootstrap.models import Domain, Proposal  # noqa: E402
from bootstrap.services import proposals, sealing, suspension  # noqa: E402
from bootstrap.services.logfiles import LogFiles  # noqa: E402
from bootstrap.services.signing import Signer  # noqa: E402
from tests.services.builders import NOW, a_domain, a_person, a_proposal  # noqa: E402

ORIGIN = "portal.example/audit"
CHILDREN = 40
SPAN = 0.8
"""Seconds within which all writers of a round are killed."""
REFUSED = (
    proposals.DecisionRefused,
    proposals.StaleDecision,
    proposals.TransitionRefused,
)


def hold(pk: int, name: str) -> bool:
    """Hold the child's change; a refusal is an act too, with an entry."""
    return _decide(proposals.hold, pk, name)


def release(pk: int, name: str) -> bool:
    """Release the child's change."""
    return _decide(proposals.release, pk, name)


def _decide(verb: Callable[..., None], pk: int, name: str) -> bool:
    change = Proposal.objects.get(domain=pk)
    with suppress(*REFUSED):  # told by an entry of its own
        verb(
            change, actor=a_person(name), digest=change.digest, comment="tried", now=NOW
        )
    return True


def suspend(pk: int, name: str) -> bool:
    """Turn automation off; nothing is done where it is off."""
    child = Domain.objects.get(pk=pk)
    cause = Suspension.HOLDER_OPT_OUT
    return suspension.suspend(child, cause, actor=a_person(name), now=NOW)


def resume(pk: int, name: str) -> bool:
    """Turn automation on; nothing is done where it is on."""
    child = Domain.objects.get(pk=pk)
    return suspension.resume(child, actor=a_person(name), now=NOW)


ACTS = (hold, release, suspend, resume)


def write(name: str, children: list[int], folder: Path, seed: int) -> None:
    """Act until killed."""
    dice = random.Random(seed)  # noqa: S311 - a trial that can be repeated
    said = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        try:
            if dice.choice(ACTS)(dice.choice(children), name):
                os.write(said, f"{name}\n".encode())
        except (OperationalError, InterfaceError):
            connections.close_all()  # busy, or a deadlock: nothing was acknowledged


class ToldSigner(Signer):
    """Says in a file what it signs, as whoever receives a checkpoint could."""

    def sign(self, checkpoint, proof, *, now):
        note = super().sign(checkpoint, proof, now=now)
        line = f"{checkpoint.size} {checkpoint.root.hex()}\n"
        with (self.state_file.parent / "signed").open("a") as file:
            file.write(line)
        return note


def the_signer(folder: Path) -> ToldSigner:
    """Return the signer of the trial; its key is made beforehand."""
    return ToldSigner(ORIGIN, folder / "log.key", folder / "state")


def seal(folder: Path) -> None:
    """Seal until killed."""
    while True:
        seal_once(folder)


def seal_once(folder: Path) -> None:
    """Seal what waits."""
    files = LogFiles(folder / "log")
    try:
        sealing.seal(files=files, signer=the_signer(folder), now=NOW)
    except OperationalError:
        connections.close_all()


def forked(act: Callable[[], None]) -> int:
    """Do it in a process of its own, which shares no connection with this one."""
    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    try:
        act()
    except BaseException as exc:  # noqa: BLE001 - told by the exit status
        print(f"{type(exc).__name__}: {exc}", file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


def prepare() -> list[int]:
    """Make the children and their changes, at the first call; return their ids."""
    if not Domain.objects.exists():
        for number in range(CHILDREN):
            a_proposal(a_domain(name=f"child{number}.test"))
    return list(Domain.objects.order_by("pk").values_list("pk", flat=True))


def one_round(number: int, writers: int, folder: Path, dice: random.Random) -> None:
    """Let writers and a sealer run, and kill each at a moment of its own."""
    children = prepare()
    running = [forked(lambda: seal(folder))]
    for writer in range(writers):
        name, seed = f"w{number}-{writer}", dice.getrandbits(32)
        running.append(
            forked(lambda n=name, s=seed: write(n, children, folder, s))  # type: ignore[misc]  # mypy sees no defaults
        )
    began = time.monotonic()
    for at, pid in sorted((dice.uniform(0.1, SPAN), pid) for pid in running):
        time.sleep(max(0.0, began + at - time.monotonic()))
        os.kill(pid, signal.SIGKILL)
    for pid in running:
        _, status = os.waitpid(pid, 0)
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            sys.exit(f"a process of round {number} ended by itself")


def main(folder: Path, writers: int, rounds: int, seed: int) -> None:
    """Do all rounds."""
    dice = random.Random(seed)  # noqa: S311 - a trial that can be repeated
    for number in range(rounds):
        one_round(number, writers, folder, dice)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
