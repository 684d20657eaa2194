"""A dossier: one file that proves a change, its approval and its publication.

It holds the child's stream from the proposal's first entry to its last without
a gap, each entry with its inclusion proof, one signed checkpoint, the proposal
in the form whose digest was approved, and the bundles of evidence, unchanged.
docs/audit-format.md describes it; `dossier_checks` says what must hold.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from . import archive
from .archive import ArchiveMalformed

FORMAT: Final = "dnssec-bootstrap-dossier"
VERSION: Final = 1
INDEX: Final = "dossier.json"
PROPOSAL: Final = "proposal.json"
CHECKPOINT: Final = "checkpoint"
README: Final = "README.txt"
SUMS: Final = "SHA256SUMS"
ENTRY: Final = "entries/{:09}.json"
PROOF: Final = "entries/{:09}.tlog-proof"
EVIDENCE: Final = "evidence/{}.cbor"
SEEN: Final = "seen/{}.dns"
MOST: Final = 10_000
"""Entries of one dossier."""
FIELDS: Final[Mapping[str, type]] = {
    "exported": str,
    "first": int,
    "format": str,
    "last": int,
    "proposal": str,
    "stream": str,
    "version": int,
}
ABOUT: Final = """\
This archive proves one change of a DS set: what was observed, who approved it,
and what was published. It can be checked without the portal that made it:

    python audit_verify.py THIS-FILE --key KEY

KEY is the public key of the audit log. Take it from whoever runs the log, not
from whoever gave you this file. The form is that of docs/audit-format.md.

    dossier.json      which proposal, which entries of which stream
    proposal.json     the proposal: its SHA-256 is the digest that was approved
    entries/          entries of the audit log, each with its inclusion proof
    checkpoint        the signed head of the log that the proofs lead to
    evidence/         what the decision rests on, octet for octet
    seen/             what servers of the parent then answered, octet for octet
    SHA256SUMS        for `sha256sum -c`
"""


class DossierMalformed(Exception):
    """The octets are no dossier in its one form; the message says why."""


@dataclass(frozen=True, slots=True)
class Proven:
    """An entry's bytes, and its inclusion proof as C2SP tlog-proof."""

    body: bytes
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """What a dossier holds.

    `entries` are those of `stream` numbered `first` and on, in order. `canonical`
    is the proposal as RFC 8785 JSON: its SHA-256 is the proposal's digest.
    `evidence` maps the addresses that the proposal's entries name to bundles.
    `messages` are what servers of the parent answered after the publication, by the
    SHA-256 that the entries name them by (P-8.10). `exported` says who took it, when
    and by which query (S-116).
    """

    proposal: UUID
    stream: str
    first: int
    entries: tuple[Proven, ...]
    checkpoint: str
    canonical: bytes
    evidence: Mapping[str, bytes]
    messages: Mapping[str, bytes] = field(default_factory=dict)
    exported: str = ""


def encode(dossier: Dossier) -> bytes:
    """Return the one encoding of a dossier."""
    files = {
        README: ABOUT.encode(),
        INDEX: _index(dossier),
        PROPOSAL: dossier.canonical,
        CHECKPOINT: dossier.checkpoint.encode(),
    }
    for number, entry in enumerate(dossier.entries, dossier.first):
        files[ENTRY.format(number)] = entry.body
        files[PROOF.format(number)] = entry.proof.encode()
    for address, bundle in dossier.evidence.items():
        files[EVIDENCE.format(address)] = bundle
    for address, message in dossier.messages.items():
        files[SEEN.format(address)] = message
    return archive.pack({**files, SUMS: _sums(files)})


def decode(octets: bytes) -> Dossier:
    """Return the dossier that `octets` encode; nothing in it is checked yet.

    Raises:
        DossierMalformed: they are no dossier, or a file of it is damaged,
            missing, or has no place in it.
    """
    try:
        files = archive.unpack(octets)
    except ArchiveMalformed as exc:
        raise DossierMalformed(str(exc)) from exc
    _refuse_damage(_take(files, SUMS), files)
    _text(files, README)
    told = _told(_take(files, INDEX))
    numbers = range(told["first"], told["last"] + 1)
    if not 0 < len(numbers) <= MOST:
        raise DossierMalformed(f"{INDEX}: {len(numbers)} entries")
    found = Dossier(
        proposal=_uuid(told["proposal"]),
        stream=told["stream"],
        first=told["first"],
        exported=told["exported"],
        canonical=_take(files, PROPOSAL),
        checkpoint=_text(files, CHECKPOINT),
        entries=tuple(
            Proven(_take(files, ENTRY.format(n)), _text(files, PROOF.format(n)))
            for n in numbers
        ),
        evidence=_by_address(files, EVIDENCE),
        messages=_by_address(files, SEEN),
    )
    if files:
        raise DossierMalformed(f"{min(files)} has no place in a dossier")
    return found


def _index(dossier: Dossier) -> bytes:
    return _canonical(
        {
            "exported": dossier.exported,
            "first": dossier.first,
            "format": FORMAT,
            "last": dossier.first + len(dossier.entries) - 1,
            "proposal": str(dossier.proposal),
            "stream": dossier.stream,
            "version": VERSION,
        }
    )


def _canonical(value: Mapping[str, object]) -> bytes:
    """Return RFC 8785 JSON of texts and integers under ASCII keys.

    For these Python's own writer does it, so that a verifier needs no more.
    """
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()


def _told(octets: bytes) -> dict[str, Any]:
    """Return what the index says: exactly its fields, in canonical form."""
    try:
        told = json.loads(octets)
        kinds = {name: type(value) for name, value in told.items()}
        canonical = _canonical(told)
    except (ValueError, AttributeError, RecursionError) as exc:
        raise DossierMalformed(f"{INDEX} is no index") from exc
    if kinds != FIELDS or canonical != octets:
        raise DossierMalformed(f"{INDEX} is no index")
    if (told["format"], told["version"]) != (FORMAT, VERSION):
        raise DossierMalformed(f"{INDEX}: another format, or another version")
    result: dict[str, Any] = told
    return result


def _sums(files: Mapping[str, bytes]) -> bytes:
    """Return what `sha256sum` prints of these files, in order."""
    lines = (f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n" for n in sorted(files))
    return "".join(lines).encode()


def _refuse_damage(sums: bytes, files: Mapping[str, bytes]) -> None:
    wanted = _sums(files)
    if wanted == sums:
        return
    stated = set(sums.splitlines())
    for name, line in zip(sorted(files), wanted.splitlines(), strict=True):
        if line not in stated:
            raise DossierMalformed(f"{name} is not what {SUMS} says")
    raise DossierMalformed(f"{SUMS} names other files than there are")


def _take(files: dict[str, bytes], name: str) -> bytes:
    try:
        return files.pop(name)
    except KeyError:
        raise DossierMalformed(f"{name} is missing") from None


def _text(files: dict[str, bytes], name: str) -> str:
    try:
        return _take(files, name).decode()
    except UnicodeDecodeError as exc:
        raise DossierMalformed(f"{name} is no text") from exc


def _uuid(text: str) -> UUID:
    try:
        found = UUID(text)
    except ValueError as exc:
        raise DossierMalformed(f"{INDEX}: {text!a} is no proposal") from exc
    if str(found) != text:
        raise DossierMalformed(f"{INDEX}: {text!a} is no proposal")
    return found


def _by_address(files: dict[str, bytes], form: str) -> dict[str, bytes]:
    """Take files of one kind: each has the name that its content gives it."""
    before, after = form.split("{}")
    found = {}
    for name in [name for name in files if name.startswith(before)]:
        octets = files.pop(name)
        address = hashlib.sha256(octets).hexdigest()
        if name != f"{before}{address}{after}":
            raise DossierMalformed(f"{name} has another content: {address}")
        found[address] = octets
    return found
