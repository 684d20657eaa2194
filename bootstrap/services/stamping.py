"""RFC 3161: an authority that is not ours says since when a checkpoint exists (P-8.24).

OpenSSL makes the question and checks the answer, in processes of its own: what a
stranger sends is not parsed beside the log's key. A stamp is kept beside the octets
that it is of, so that anybody can check it for as long as the authority's key holds:
`openssl ts -verify -data NOTE -in STAMP -CAfile AUTHORITY`.
"""

from __future__ import annotations

import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bootstrap.config import Authority

from .logfiles import LogFiles

FOLDER: Final = "timestamps"
NOTE: Final = "note"
STAMP: Final = "tsr"
WITHIN: Final = 20.0
"""Seconds that the authority may take."""
MAX_ANSWER: Final = 65_536
QUERY_MEDIA: Final = "application/timestamp-query"


class NotStamped(Exception):
    """The authority gave no stamp, or one that does not hold; the message says why."""


def stamp(note: str, size: int, authority: Authority, files: LogFiles) -> None:
    """Get a time stamp of a signed checkpoint, and keep both; once for each size.

    Raises:
        NotStamped: there is none that holds.
    """
    if files.read(f"{FOLDER}/{size}.{STAMP}") is not None:
        return
    try:
        with tempfile.TemporaryDirectory(prefix="timestamp-") as folder:
            answer = _ask(note, authority, Path(folder))
    except (OSError, subprocess.SubprocessError, ValueError) as exc:
        raise NotStamped(f"{authority.url}: {exc}") from exc
    stamped = [(f"{size}.{NOTE}", note.encode()), (f"{size}.{STAMP}", answer)]
    files.write_all((f"{FOLDER}/{name}", data) for name, data in stamped)


def stamps(files: LogFiles) -> Iterator[tuple[str, bytes]]:
    """Yield paths and octets of all stamps, and of what they are of."""
    for path in sorted((files.folder / FOLDER).glob("*")):
        yield f"{FOLDER}/{path.name}", path.read_bytes()


def _ask(note: str, authority: Authority, folder: Path) -> bytes:
    """Return the authority's answer, after OpenSSL has found it right.

    It answers this very question (imprint and nonce), and a certificate that
    leads to the authority's own is for time stamps.
    """
    said, question, answer = (folder / name for name in ("note", "question", "answer"))
    said.write_bytes(note.encode())
    _openssl("-query", "-data", said, "-sha256", "-cert", "-out", question)
    request = urllib.request.Request(  # noqa: S310 - http or https, by configuration
        authority.url, question.read_bytes(), {"Content-Type": QUERY_MEDIA}
    )
    with urllib.request.urlopen(request, timeout=WITHIN) as response:  # noqa: S310 - same
        answer.write_bytes(response.read(MAX_ANSWER))
    trusted = ("-CAfile", authority.certificates)
    _openssl("-verify", "-queryfile", question, "-in", answer, *trusted)
    return answer.read_bytes()


def _openssl(*words: str | Path) -> None:
    done = subprocess.run(  # noqa: S603 - words of ours
        ["openssl", "ts", *map(str, words)],  # noqa: S607 - wherever the system has it
        check=False,
        capture_output=True,
        text=True,
        timeout=WITHIN,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise OSError(f"openssl ts {words[0]}: {_reason(done.stderr)}")


def _reason(said: str) -> str:
    """Return the innermost words of OpenSSL's stack of errors."""
    lines = [line for line in said.splitlines() if line.count(":") >= 5]  # noqa: PLR2004 - fields of such a line
    return lines[0].split(":", 5)[5][:200] if lines else said.strip()[-200:]
