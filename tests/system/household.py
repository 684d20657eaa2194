"""The product's processes as a supervisor keeps them, and what may befall them.

Every command is started again when it ends, as systemd would. Each life of a
command has a log of its own, so that an incident can be held against what was
told of it.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.support.product import ROOT, Product, end_group

ENDED: Final = ("the cluster ended by itself", "no canary came back")
"""What `manage.py worker` says in its last line, when it ends unasked."""
TOLD_OF: Final = {
    "worker": ("reincarnated worker", "recycled worker"),
    "monitor": ("reincarnated monitor",),
    "pusher": ("reincarnated pusher",),
    "sentinel": ENDED,
    "cluster": ENDED,
}
"""Which words in the log tell what became of a process that was killed."""
DECK: Final = (
    *("worker",) * 4,
    "monitor",
    "pusher",
    "sentinel",
    "cluster",
    "command",
    "publisher",
    "sealer",
)
"""What is killed, in an order that chance shuffles each time it is through."""


def below(pid: int) -> list[int]:
    """Return the children of a process."""
    with suppress(FileNotFoundError, ProcessLookupError):
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(each) for each in told.split()]
    return []


def title(pid: int) -> str:
    """Return what a process calls itself."""
    with suppress(FileNotFoundError, ProcessLookupError):
        octets = Path(f"/proc/{pid}/cmdline").read_bytes()
        return octets.replace(b"\0", b" ").decode(errors="replace").strip()
    return ""


def family(command: int) -> dict[str, list[int]]:
    """Return the processes of a cluster by what they are, under the worker command."""
    found: dict[str, list[int]] = {"command": [command]}
    for cluster in below(command):
        found["cluster"] = [cluster]
        for sentinel in below(cluster):
            found.setdefault("sentinel", []).append(sentinel)
            for pid in below(sentinel):
                found.setdefault(_kind(title(pid)), []).append(pid)
    return found


def _kind(name: str) -> str:
    for kind in ("monitor", "pusher"):
        if name.endswith(kind):
            return kind
    return "worker" if " idle" in name or " processing" in name else "unready"


@dataclass
class Life:
    """One run of a command, from its start to its end."""

    process: subprocess.Popen[bytes]
    log: Path

    def told(self) -> str:
        """Return all that it has printed."""
        return self.log.read_text(errors="replace")


@dataclass
class Incident:
    """A process that was killed, and in whose life."""

    kind: str
    life: Life

    def unexplained(self) -> str:
        """Return what the logs keep quiet about; nothing when they tell."""
        words = TOLD_OF.get(self.kind, ())
        told = self.life.told()
        # whoever ends soon after is not told of any more, but its end is
        if not words or any(word in told for word in (*words, *ENDED)):
            return ""
        return f"{self.kind} killed, and {self.life.log.name} does not tell"


@dataclass
class Service:
    """A command that is started again whenever it ends."""

    product: Product
    arguments: tuple[str, ...]
    lives: list[Life] = field(default_factory=list)
    stopped: bool = False

    def start(self) -> None:
        """Begin another life."""
        name = f"{self.arguments[0]}-{id(self)}-{len(self.lives)}.log"
        log = self.product.folder / name
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *self.arguments],
                cwd=ROOT,
                env=self.product.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.lives.append(Life(process, log))

    @property
    def life(self) -> Life:
        """The one that lasts."""
        return self.lives[-1]

    def keep(self) -> None:
        """Start it again if it has ended."""
        if not self.lives or self.life.process.poll() is not None:
            self.start()

    def end(self) -> None:
        """Ask it to end, and wait."""
        end_group(self.life.process)


class Household:
    """Two clusters, a publisher and a sealer, and the trouble that they meet."""

    def __init__(self, product: Product, *, patience: float, seed: int) -> None:
        worker = ("worker", "--patience", str(patience), "--grace", "25")
        self.clusters = [Service(product, worker) for _ in range(2)]
        self.others = [
            Service(product, ("publisher", "--poll", "0.3")),
            Service(product, ("sealer", "--make-key", "--poll", "0.5")),
        ]
        self.incidents: list[Incident] = []
        self.chance = random.Random(seed)  # noqa: S311 - a trial, repeated by its seed
        self.deck: list[str] = []

    @property
    def services(self) -> list[Service]:
        """All of them."""
        return [*self.clusters, *self.others]

    def keep(self) -> None:
        """Do what a supervisor does."""
        for service in self.services:
            service.keep()

    def strike(self) -> bool:
        """Kill one process by chance; say whether there was one."""
        if not self.deck:
            self.deck = self.chance.sample(DECK, len(DECK))
        kind = self.deck.pop()
        found = [
            (service.life, pid)
            for service in self.services
            for pid in sorted(self._pids(service, kind))
        ]
        if not found:
            self.deck.insert(0, kind)  # it is being started again
            return False
        life, pid = self.chance.choice(found)
        os.kill(pid, signal.SIGKILL)
        self.incidents.append(Incident(kind, life))
        return True

    def _pids(self, service: Service, kind: str) -> list[int]:
        process = service.life.process
        if process.poll() is not None:
            return []
        if service in self.clusters:
            return family(process.pid).get(kind, [])
        return [process.pid] if kind == service.arguments[0] else []

    def end(self) -> None:
        """End all, the sealer last: it has something to seal until then."""
        for service in self.services:
            service.end()

    def logs(self) -> str:
        """Return the last lines of every life."""
        lives = [life for service in self.services for life in service.lives]
        return "\n".join(
            f"--- {life.log.name}\n{life.told()[-1500:]}" for life in lives
        )


def wait_for(
    what: Callable[[], bool], meanwhile: Callable[[], None], *, seconds: float
) -> bool:
    """Wait until something holds, and do something meanwhile; say whether it came."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        meanwhile()
        time.sleep(0.2)
    return True
