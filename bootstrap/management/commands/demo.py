"""`manage.py demo`: a laboratory Internet, and the whole product living in it.

The laboratory runs in this process; database, web, workers, publisher and sealer
are processes of the product itself, started with settings that point into the
laboratory. All state is in one folder, which the next start reuses.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from bootstrap import clock
from bootstrap.lab.hierarchy import Lab
from bootstrap.lab.scenes import demo_world
from bootstrap.models import Zone

DNS_PORT: Final = 5300
MORE_THAN_PORTS: Final = 65_536
OBSERVE_SECONDS: Final = 10
PATIENCE: Final = 90.0
"""Seconds until everything must be up."""
PEOPLE: Final = {
    "rita": ("reviewer", "may hold, comment and ask for scans"),
    "anton": ("approver", "decides"),
    "aud": ("auditor", "reads everything, changes nothing"),
}
"""Demo users, by name; the password is the name with "-demo" after it."""


class Command(BaseCommand):
    """Runs the demo until Ctrl-C."""

    help = "Starts a laboratory DNS hierarchy, the portal and its workers on loopback."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--port", default="8000", help="of the web site")
        parser.add_argument(
            "--folder", type=Path, default=Path(settings.BASE_DIR) / "demo-data"
        )
        parser.add_argument(
            "--prepare", type=Path, help="internal: fill the database from a manifest"
        )

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Run it."""
        if options["prepare"]:
            prepare(json.loads(options["prepare"].read_text()))
            return
        port = web_port(str(options["port"]))
        with only_one(options["folder"]), laboratory(options["folder"]) as lab:
            demo = Demo(options["folder"], lab, port)
            with demo.running():
                self.stdout.write(demo.welcome())
                self.stdout.flush()  # also where somebody reads it through a pipe
                demo.wait()
            self.stdout.write("\nStopped. The next start goes on from here.")


@dataclass
class Demo:
    """The processes of the product, and the settings they live with."""

    folder: Path
    lab: Lab
    port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ending: bool = False

    @property
    def settings(self) -> dict[str, str]:
        """Environment variables that put any command into this demo."""
        return {
            "PORTAL_DEMO": "1",
            "DATABASE_URL": f"sqlite:///{self.folder.resolve()}/portal.sqlite3",
            "SECRET_KEY": secret_of(self.folder),
            "DNS_ROOT_HINTS": str(self.lab.root_hints.resolve()),
            "DNS_TRUST_ANCHORS": str(self.lab.anchors.resolve()),
            "DNS_PORT": str(self.lab.port),
            "DNS_ALLOWED_NETWORKS": ",".join(self.lab.allowed_networks),
            "DNS_LAB_PACE": "unlimited",
            "DNS_SKIP_FAMILIES": "6",
            "PUBLISH_STOP_FILE": str(self.folder.resolve() / "publication.stop"),
            "AUDIT_LOG_DIR": str(self.folder.resolve() / "audit-log"),
            "AUDIT_ORIGIN": "localhost/demo/audit",
            "AUDIT_KEY_FILE": str(self.folder.resolve() / "audit.key"),
        }

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Start everything; end everything when the block ends, however it ends."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._end)
        try:
            self.run_command("migrate", "--verbosity", "0")
            manifest = self.folder / "lab" / "manifest.json"
            self.run_command("demo", "--prepare", str(manifest))
            self.start("web", "-m", "gunicorn", "portal.wsgi", *self.web_options())
            self.start("publisher", "manage.py", "publisher", "--poll", "1")
            self.start("worker", "manage.py", "worker")
            self.start("sealer", "manage.py", "sealer", "--make-key")
            self.until_healthy()
            yield
        finally:
            self.stop()

    def web_options(self) -> list[str]:
        """Return gunicorn's options: one process, loopback only."""
        bind = f"127.0.0.1:{self.port}"
        return ["--bind", bind, "--threads", "8", "--log-level", "warning"]

    def run_command(self, *arguments: str) -> None:
        """Run one management command of the product to its end."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(  # noqa: S603 - our own command
            command, cwd=settings.BASE_DIR, env=self.environment(), check=False
        )
        if done.returncode:
            raise CommandError(f"`manage.py {arguments[0]}` failed; see above.")

    def start(self, name: str, *arguments: str) -> None:
        """Start one process in a group of its own; its output goes to a file."""
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, *arguments],
            cwd=settings.BASE_DIR,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def environment(self) -> dict[str, str]:
        """Return the environment of the product's processes."""
        return {**os.environ, **self.settings, "PYTHONUNBUFFERED": "1"}

    def until_healthy(self) -> None:
        """Wait until web, database and workers answer for themselves.

        Raises:
            CommandError: a process ended, or nothing answered in time.
        """
        deadline = time.monotonic() + PATIENCE
        while not self.ending and not healthy(self.port):
            self.check_alive()
            if time.monotonic() > deadline:
                raise CommandError(
                    f"The portal did not come up within {PATIENCE:.0f} seconds;"
                    f" see {self.folder}/*.log"
                )
            time.sleep(0.3)

    def check_alive(self) -> None:
        """Raise CommandError when one of the processes has ended."""
        for name, process in self.processes.items():
            if process.poll() is not None and not self.ending:
                raise CommandError(
                    f"The {name} process ended with {process.returncode};"
                    f" see {self.folder / name}.log"
                )

    def wait(self) -> None:
        """Stay until somebody ends it, or a process ends by itself."""
        while not self.ending:
            self.check_alive()
            time.sleep(0.5)

    def stop(self) -> None:
        """End all processes: politely, then not."""
        self.ending = True
        for how, patience in ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0)):
            for process in self.processes.values():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, how)
            deadline = time.monotonic() + patience
            for process in self.processes.values():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.1, deadline - time.monotonic()))

    def welcome(self) -> str:
        """Return what the person at the terminal needs to know."""
        exports = " ".join(f"{k}={shlex.quote(v)}" for k, v in self.settings.items())
        people = "\n".join(
            f"    {name:<8} {name}-demo    {role}: {what}"
            for name, (role, what) in PEOPLE.items()
        )
        return (
            f"\n  http://127.0.0.1:{self.port}/\n\n"
            f"  log in as (second factor off, in the demo alone):\n{people}\n\n"
            "  In another terminal, any command works on this data after\n\n"
            f"export {exports}\n\n"
            f"  Logs and state: {self.folder}. Ctrl-C ends everything.\n"
        )

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.ending = True


def prepare(manifest: Mapping[str, Any]) -> None:
    """Make the demo's people and zones, and import the delegations; repeatable."""
    users = get_user_model()
    for name, (role, _what) in PEOPLE.items():
        user, made = users.objects.get_or_create(
            username=name, defaults={"is_staff": True, "email": f"{name}@demo.invalid"}
        )
        if made:
            user.set_password(f"{name}-demo")
            user.save()
            user.groups.add(Group.objects.get(name=role))
    for parent in manifest["parents"]:
        address = parent["primary"]
        servers = [f"{server}#{manifest['port']}" for server in parent["servers"]]
        add_zone(parent, address, servers, manifest["tsig_key"])
        call_command(
            "import_delegations",
            parent["name"],
            axfr=address,
            tsig_key=Path(manifest["tsig_key"]),
        )


def add_zone(
    parent: Mapping[str, Any], address: str, servers: list[str], key_file: str
) -> None:
    """Add one parent zone; one that is there follows the laboratory to its port."""
    options = ["--primary", address, "--tsig-key", key_file]
    for server in servers:
        options += ["--server", server]
    if Zone.objects.filter(name=parent["name"]).exists():
        call_command("zone", "change", parent["name"], *options, stdout=io.StringIO())
        return
    options += ["--policy", parent["policy"], "--quiet", "0"]
    options += ["--observe", str(OBSERVE_SECONDS)]
    call_command("zone", "add", parent["name"], *options)


def secret_of(folder: Path) -> str:
    """Return the demo's secret key, made at the first start."""
    path = folder / "secret-key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(64))
    return path.read_text()


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Refuse to run twice on the same folder.

    Raises:
        CommandError: another demo holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(f"A demo is already running on {folder}.") from None
        yield


def web_port(text: str) -> int:
    """Return the port for the web site.

    Raises:
        CommandError: it is no port, or nobody like us can listen there now.
    """
    another = "Choose another: make demo PORT=8001"
    if not (text.isascii() and text.isdigit() and 0 < int(text) < MORE_THAN_PORTS):
        raise CommandError(f"{text!r} is no port from 1 to 65535. {another}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError as exc:
            told = "in use" if exc.errno == errno.EADDRINUSE else exc.strerror
            raise CommandError(
                f"Port {text} cannot be used: {told}. {another}"
            ) from exc
    return int(text)


@contextlib.contextmanager
def laboratory(folder: Path) -> Iterator[Lab]:
    """Run the laboratory, at its usual port or, where that is taken, at a free one.

    Raises:
        CommandError: it can listen nowhere.
    """
    lab = Lab(demo_world(), clock=clock.now, folder=folder / "lab", port=DNS_PORT)
    try:
        lab.start()
    except OSError:  # somebody else's laboratory, most likely
        lab.port = 0
        try:
            lab.start()
        except OSError as exc:
            raise CommandError(f"The laboratory cannot listen: {exc}") from exc
    try:
        yield lab
    finally:
        lab.stop()


def healthy(port: int) -> bool:
    """Say whether /healthz answers 200."""
    try:
        url = f"http://127.0.0.1:{port}/healthz"
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)  # noqa: PLR2004 - HTTP
    except (urllib.error.URLError, OSError):
        return False
