"""`manage.py audit`: verify the trail, prove an entry, hand the log out."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from bootstrap import clock, config
from bootstrap.core.tlog import notes, policy
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import AuditEntry, Proposal
from bootstrap.services import (
    audit,
    dbroles,
    dossiers,
    erasure,
    log_checks,
    log_exporting,
    log_totals,
    log_verifying,
    recovering,
    sealing,
)
from bootstrap.services.actors import OPERATOR
from bootstrap.services.logfiles import KEY, HistoryDiffers, LogFiles

USAGE: Final = 2
SHOWN: Final = 100


class Command(BaseCommand):
    """Verifies and hands out the audit log."""

    help = "Verify the audit trail, prove entries, export the log."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        commands = parser.add_subparsers(dest="command", required=True)
        verify = commands.add_parser(
            "verify", help="hold entries, leaves, files and signatures to each other"
        )
        verify.add_argument("--full", action="store_true", help="open all evidence too")
        verify.add_argument("--since", type=_day, metavar="DATE", help="UTC")
        verify.add_argument(
            "--key",
            type=Path,
            metavar="FILE",
            help="the log's public key, as you kept it",
        )
        verify.add_argument(
            "--checkpoint",
            type=Path,
            metavar="FILE",
            help="an older checkpoint that you kept: the log must begin with it",
        )
        prove = commands.add_parser("prove", help="write an entry's inclusion proof")
        prove.add_argument(
            "entry", type=_id, help="the entry's id, as the trail shows it"
        )
        _output(prove, "entry-ENTRY.tlog-proof, the entry itself beside it as .json")
        dossier = commands.add_parser(
            "dossier", help="prove a change, its approval and publication in one file"
        )
        dossier.add_argument("proposal", type=_id, help="the proposal's id")
        _output(dossier, "dossier-PROPOSAL.tar")
        export = commands.add_parser("export", help="write the log into a folder")
        export.add_argument("--from", dest="since", type=_day, metavar="DATE")
        export.add_argument("--to", dest="until", type=_day, metavar="DATE")
        _output(export, "audit-export, which must be empty or new")
        recover = commands.add_parser(
            "recover", help="put back what an older database has forgotten"
        )
        recover.add_argument("--key", type=Path, metavar="FILE", help="as for verify")
        erase = commands.add_parser(
            "erase", help="forget who somebody is, or what an entry keeps apart"
        )
        whose = erase.add_mutually_exclusive_group(required=True)
        whose.add_argument("--person", metavar="NAME", help="of an account now off")
        whose.add_argument("--entry", type=_id, help="its comment and other words")
        roles = commands.add_parser(
            "roles", help="print the SQL of PostgreSQL's roles and rights"
        )
        roles.add_argument("--app", default="portal_app", metavar="NAME")
        roles.add_argument("--sealer", default="portal_sealer", metavar="NAME")
        roles.add_argument("--monitor", default="portal_monitor", metavar="NAME")

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Do what was asked."""
        verbs = {
            "verify": self.verify,
            "prove": self.prove,
            "dossier": self.dossier,
            "export": self.export,
            "recover": self.recover,
            "erase": self.erase,
            "roles": self.roles,
        }
        verbs[options["command"]](options)

    def verify(self, options: dict[str, Any]) -> None:
        """Print what does not hold; end with 1 if anything does not."""
        files = LogFiles(config.log_folder())
        trusted = _trusted()
        verifier = log_verifying.Verifier(
            files,
            _key(files, options["key"]),
            {w.key.name: w.key for w in trusted.witnesses.values()},
            {key.name: key for key in trusted.logs},
        )
        since = options["since"]
        first = log_verifying.first_since(since) if since else 0
        wrong = 0
        found = verifier.everything(contents=options["full"], first=first)
        for trouble in chain(found, _older(verifier, options["checkpoint"])):
            wrong += 1
            if wrong <= SHOWN:
                self.stdout.write(f"WRONG: {trouble}")
        size = log_verifying.sealed_size()
        if wrong:
            raise CommandError(f"{wrong} do not hold, of {size - first} entries")
        self.stdout.write(f"everything holds: {size - first} entries of {size}")

    def prove(self, options: dict[str, Any]) -> None:
        """Write the proof beside the entry that it is about."""
        entry = _entry(options["entry"])
        output: Path = options["output"] or Path(f"entry-{entry.uid}.tlog-proof")
        beside = output.with_suffix(".json")
        if output == beside:
            raise CommandError(f"{beside} is for the entry itself", returncode=USAGE)
        try:
            text = sealing.prove(entry, LogFiles(config.log_folder()))
        except LookupError as exc:
            raise CommandError(f"{exc}: is `manage.py sealer` running?") from exc
        except HistoryDiffers as exc:
            raise CommandError(str(exc)) from exc
        output.write_bytes(text.encode())
        beside.write_bytes(bytes(entry.body))
        self.stdout.write(f"{output}, and the entry itself in {beside}")

    def dossier(self, options: dict[str, Any]) -> None:
        """Write the dossier of a proposal, and record that it was handed out."""
        rows = Proposal.objects.select_related("domain", "scan")
        proposal = rows.filter(pk=options["proposal"]).first()
        if proposal is None:
            raise CommandError(
                f"there is no proposal {options['proposal']}", returncode=USAGE
            )
        files = LogFiles(config.log_folder())
        try:
            made = dossiers.take(proposal, files, actor=OPERATOR, now=clock.now())
        except dossiers.NoDossier as exc:
            raise CommandError(str(exc)) from exc
        output = options["output"] or Path(f"dossier-{proposal.pk}.tar")
        output.write_bytes(made.octets)
        self.stdout.write(
            f"{output}: {made.state}, {made.entries} entries and"
            f" {made.bundles} of evidence under checkpoint {made.size}"
        )

    def export(self, options: dict[str, Any]) -> None:
        """Write the folder, and record that the log was handed out."""
        folder: Path = options["output"] or Path("audit-export")
        if folder.exists() and any(folder.iterdir()):
            raise CommandError(f"{folder} is not empty", returncode=USAGE)
        try:
            done = log_exporting.export(
                LogFiles(config.log_folder()),
                LogFiles(folder),
                since=options["since"],
                until=options["until"],
            )
        except (log_exporting.NothingSealed, HistoryDiffers) as exc:
            raise CommandError(str(exc)) from exc
        audit.record(
            EntryType.DATA_EXPORTED,
            stream="exports",
            actor=OPERATOR,
            now=clock.now(),
            what="audit log",
            first=done.first,
            last=done.last,
            size=done.size,
        )
        self.stdout.write(
            f"entries {done.first} to {done.last} of {done.size} → {folder}"
        )

    def recover(self, options: dict[str, Any]) -> None:
        """Read the log's files into the database, if they fit it (S-94)."""
        files = LogFiles(config.log_folder())
        key = _key(files, options["key"])
        try:
            done = recovering.recover(files, key, now=clock.now())
        except recovering.CannotRecover as exc:
            raise CommandError(f"nothing was written: {exc}") from exc
        for kind, count in sorted(done.types.items()):
            self.stdout.write(f"{count:>8}  {kind}")
        self.stdout.write(f"{done.added} entries put back; the log has {done.size}")

    def erase(self, options: dict[str, Any]) -> None:
        """Delete what leads from entries to a person (S-95)."""
        entry = options["entry"] and _entry(options["entry"])
        now = clock.now()
        try:
            count = (
                erasure.words(entry, actor=OPERATOR, now=now)
                if entry
                else erasure.person(options["person"], actor=OPERATOR, now=now)
            )
        except (erasure.StillActive, erasure.NothingToErase) as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(f"{count} values erased; every proof holds as before")

    def roles(self, options: dict[str, Any]) -> None:
        """Print what the owner of the database runs after each migration (S-86)."""
        if connection.vendor != "postgresql":
            raise CommandError(
                "SQLite has no roles: there the signer's key and witnesses alone show"
                " what was changed",
                returncode=USAGE,
            )
        names = {role: options[role] for role in ("app", "sealer", "monitor")}
        try:
            chosen = dbroles.Names(**names)
        except dbroles.NoSuchName as exc:
            raise CommandError(
                f"{exc} is no name for a role", returncode=USAGE
            ) from exc
        database = str(connection.settings_dict["NAME"])
        found = dbroles.statements(chosen, database=database, tables=dbroles.tables())
        self.stdout.write("BEGIN;")
        for statement in found:
            self.stdout.write(f"{statement};")
        self.stdout.write("COMMIT;")


def _key(files: LogFiles, kept: Path | None) -> notes.VerifierKey:
    """Return the log's key: the one that was kept, or the one beside the log."""
    try:
        data = kept.read_bytes() if kept else files.read(KEY)
        if data is None:
            raise CommandError("nothing is sealed yet: is `manage.py sealer` running?")
        return notes.VerifierKey.from_text(data.decode())
    except (OSError, UnicodeDecodeError, notes.NoteWrong) as exc:
        raise CommandError(f"--key: {exc}", returncode=USAGE) from exc


def _entry(uid: UUID) -> AuditEntry:
    found = AuditEntry.objects.filter(uid=uid).first()
    if found is None:
        raise CommandError(f"there is no entry {uid}", returncode=USAGE)
    return found


def _older(
    verifier: log_verifying.Verifier, kept: Path | None
) -> Iterator[log_checks.Trouble]:
    """Yield what speaks against a checkpoint that was kept, if one was."""
    if kept is None:
        return iter(())
    try:
        text = kept.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise CommandError(f"--checkpoint: {exc}", returncode=USAGE) from exc
    return log_totals.older(verifier.files, verifier.key, str(kept), text)


def _trusted() -> policy.Policy:
    """Return the witnesses that we believe, and the logs that ended before ours."""
    path = config.witnesses_file()
    if path is None:
        return policy.Policy()
    try:
        return policy.read(path.read_text())
    except (OSError, policy.PolicyWrong) as exc:
        raise CommandError(f"AUDIT_WITNESSES: {exc}") from exc


def _output(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "-o", "--output", type=Path, metavar="PATH", help=f"default: {default}"
    )


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no id such as 019ab3e0-8a2c-7c1e-9d2f-5b0c4e6a7f10"
        ) from None


def _day(text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no day such as 2026-11-24"
        ) from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
