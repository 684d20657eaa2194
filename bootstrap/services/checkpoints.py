"""Checkpoints leave the house: file drop, webhook, git remote, mail (P-8.30).

Whoever holds one that is newer than our database knows that entries are gone
(S-94). Each target gets the same signed note; a target that fails is told by the
caller, and does not keep the others from getting theirs.
"""

from __future__ import annotations

import logging
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from django.core.mail import send_mail

from bootstrap.config import Target
from bootstrap.core.tlog import notes

from .logfiles import CHECKPOINT, LogFiles

log = logging.getLogger("bootstrap.sealer")

WITHIN: Final = 20.0
"""Seconds that one target may take."""
DAILY: Final = frozenset({"mailto"})
"""Kinds that get one checkpoint a day."""


class NotDelivered(Exception):
    """A target did not take the checkpoint; the message says why."""


def deliver(target: Target, note: str) -> None:
    """Give one target the signed note.

    Raises:
        NotDelivered: it was not taken.
    """
    try:
        DELIVERIES[target.kind](target.where, note)
    except (OSError, subprocess.SubprocessError, ValueError) as exc:
        raise NotDelivered(f"{target.kind}:{target.where}: {exc}") from exc


def deliver_all(targets: Iterable[Target], note: str) -> list[str]:
    """Give every target the signed note; return what went wrong, in words."""
    wrong = []
    for target in targets:
        try:
            deliver(target, note)
        except NotDelivered as exc:
            wrong.append(str(exc))
    return wrong


def held(targets: Iterable[Target]) -> dict[str, str]:
    """Return the newest checkpoints that file drops and git remotes hold, by place.

    One that cannot be read says nothing against us; it is told in the log of the
    process.
    """
    found = {}
    for target in targets:
        if (read := HELD.get(target.kind)) is None:
            continue
        try:
            if (text := read(target.where)) is not None:
                found[target.where] = text
        except (OSError, subprocess.SubprocessError, ValueError) as exc:
            problem = f"{target.kind}:{target.where}: {exc}"
            log.warning("checkpoint.unreadable", extra={"problem": problem})
    return found


def size_of(note: str) -> int:
    """Return the size that a signed checkpoint claims.

    Raises:
        NoteWrong: it is no checkpoint.
    """
    return notes.Checkpoint.from_text(notes.read(note).text).size


def _to_folder(where: str, note: str) -> None:
    """Keep each checkpoint under its size, and the newest under its usual name."""
    files = LogFiles(Path(where))
    known = files.checkpoint()
    if known is not None and size_of(known) > size_of(note):
        raise ValueError("it holds a newer checkpoint")
    files.write(f"checkpoints/{size_of(note)}", note.encode(), replace=True)
    files.write(CHECKPOINT, note.encode(), replace=True)


def _to_webhook(where: str, note: str) -> None:
    request = urllib.request.Request(  # noqa: S310 - http or https, by configuration
        where, note.encode(), {"Content-Type": "text/plain; charset=utf-8"}
    )
    with urllib.request.urlopen(request, timeout=WITHIN):  # noqa: S310 - same
        pass


def _to_git(where: str, note: str) -> None:
    """Add a commit to the branch `checkpoints` of a remote."""
    with tempfile.TemporaryDirectory(prefix="checkpoint-") as folder:
        _git(folder, "init", "--quiet", "--initial-branch=checkpoints")
        _git(folder, "remote", "add", "origin", where)
        if _git(folder, "ls-remote", "--heads", "origin", "checkpoints"):
            _git(folder, "pull", "--quiet", "--depth=1", "origin", "checkpoints")
        LogFiles(Path(folder)).write(CHECKPOINT, note.encode(), replace=True)
        _git(folder, "add", CHECKPOINT)
        if _git(folder, "status", "--porcelain"):
            _git(folder, *IDENTITY, "commit", "--quiet", "-m", f"size {size_of(note)}")
            _git(folder, "push", "--quiet", "origin", "checkpoints")


IDENTITY: Final = ("-c", "user.name=sealer", "-c", "user.email=sealer@localhost")


def _git(folder: str, *words: str) -> str:
    done = subprocess.run(  # noqa: S603 - words of ours, the remote by configuration
        ["git", "-C", folder, *words],  # noqa: S607 - wherever the system has it
        check=False,
        capture_output=True,
        text=True,
        timeout=WITHIN,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise OSError(f"git {words[0]}: {done.stderr.strip()[-200:]}")
    return done.stdout


def _in_folder(where: str) -> str | None:
    return LogFiles(Path(where)).checkpoint()


def _in_git(where: str) -> str | None:
    with tempfile.TemporaryDirectory(prefix="checkpoint-") as folder:
        _git(folder, "init", "--quiet")
        _git(folder, "remote", "add", "origin", where)
        if not _git(folder, "ls-remote", "--heads", "origin", "checkpoints"):
            return None
        _git(folder, "fetch", "--quiet", "--depth=1", "origin", "checkpoints")
        return _git(folder, "show", f"FETCH_HEAD:{CHECKPOINT}")


def _to_mail(where: str, note: str) -> None:
    send_mail(f"checkpoint {size_of(note)}", note, None, [where])


DELIVERIES: Final[Mapping[str, Callable[[str, str], None]]] = {
    "file": _to_folder,
    "http": _to_webhook,
    "git": _to_git,
    "mailto": _to_mail,
}

HELD: Final[Mapping[str, Callable[[str], str | None]]] = {
    "file": _in_folder,
    "git": _in_git,
}
"""Where we can read back what left the house."""
