"""The stand-alone verifier: `python -m bootstrap.core.evidence verify FILE…` (P-8.26).

Needs neither Django nor database nor network nor the present time. Ends with 0
only if every file's hashes, verdict and candidate DS are reproduced, with 1 if
any is not, with 2 for wrong usage. `dossier FILE… --key KEY` does the same for
the evidence in dossiers, and holds the rest of them to the audit log.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from bootstrap.core.dns.names import unrooted
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.anchor_files import AnchorsMalformed, read_anchors
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.dnssec.chain import Proof
from bootstrap.core.evaluation.verdict import Verdict
from bootstrap.core.tlog import notes

from . import dossiers
from .telling import explanation, validity
from .verify import Verification, verify


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify each file named on the command line; return the exit status."""
    options = _parser().parse_args(arguments)
    check = _dossier if "key" in options else _bundle
    all_hold = True
    for path in options.files:
        try:
            octets = path.read_bytes()
        except OSError as exc:
            _say(f"{path}: {exc.strerror}", sys.stderr)
            return 2
        all_hold &= check(path, octets, options)
    return 0 if all_hold else 1


def _bundle(path: Path, octets: bytes, options: argparse.Namespace) -> bool:
    found = verify(octets, anchors=options.anchor)
    strangers = [text for text in options.digest if not found.is_named(text)]
    _report(path, found, options)
    for text in strangers:
        _say(f"{path}: this is not the evidence {text}", sys.stderr)
    return found.reproduced and not strangers


def _dossier(path: Path, octets: bytes, options: argparse.Namespace) -> bool:
    found = dossiers.check(octets, options.key, anchors=options.anchor)
    if options.json:
        _say(json.dumps({"file": str(path), **dossiers.as_json(found)}))
    else:
        _say(f"{path}: {'everything holds' if found.holds else 'DOES NOT HOLD'}")
        for line in dossiers.lines(found):
            _say(f"  {line}")
    return found.holds


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bootstrap.core.evidence")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("verify", help="judge recorded evidence again")
    _add_common(command)
    command.add_argument(
        "--explain", action="store_true", help="print every chain and every check"
    )
    command.add_argument(
        "--digest",
        action="append",
        default=[],
        metavar="HEX",
        help="a SHA-256 or SHA-512 that the log has of this file; may be given twice",
    )
    dossier = commands.add_parser(
        "dossier", help="hold a dossier to the audit log, and judge its evidence again"
    )
    _add_common(dossier)
    dossier.add_argument(
        "--key",
        type=_key,
        required=True,
        help="the log's public key, name+id+base64, or a file that holds it",
    )
    return parser


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument("files", nargs="+", type=Path, metavar="FILE")
    command.add_argument(
        "--anchor",
        type=_anchors,
        default=(),
        metavar="FILE",
        help="trust these anchors (RFC 9718 XML, or DS and DNSKEY lines) instead of"
        " those in the evidence",
    )
    command.add_argument(
        "--json", action="store_true", help="print one JSON object for each file"
    )


def _anchors(path: str) -> tuple[Anchor, ...]:
    try:
        return read_anchors(Path(path).read_text())
    except (OSError, UnicodeDecodeError, AnchorsMalformed) as exc:
        raise argparse.ArgumentTypeError(f"{path}: {exc}") from exc


def _key(text: str) -> notes.VerifierKey:
    try:
        if Path(text).is_file():
            text = Path(text).read_text()
        return notes.VerifierKey.from_text(text)
    except (OSError, UnicodeDecodeError, notes.NoteWrong) as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc


def _report(path: Path, found: Verification, options: argparse.Namespace) -> None:
    if options.json:
        _say(json.dumps(_as_json(path, found), ensure_ascii=False))
        return
    _say(f"{path}: {'reproduced' if found.reproduced else 'NOT REPRODUCED'}")
    _say(f"  address {found.address}")
    half = len(found.second) // 2
    _say(f"  SHA-512 {found.second[:half]}")
    _say(f"          {found.second[half:]}")
    if found.damage:
        _say(f"  damaged: {found.damage}")
    for difference in found.differences:
        _say(f"  {difference.part}: stored {difference.stored}")
        _say(f"  {difference.part}: again  {difference.again}")
    if found.evidence is not None:
        _say(f"  {_headline(found.evidence.verdict)}")
    if found.evidence is not None and options.explain:
        for line in explanation(found.evidence, found):
            _say(f"  {line}".rstrip())


def _headline(verdict: Verdict) -> str:
    path = verdict.path.value if verdict.path else "no path"
    codes = ", ".join(reason.value for reason in verdict.reasons)
    return f"{path}: {verdict.outcome.value} ({codes})"


def _claim(proof: Proof) -> str:
    kind = RdataType.to_text(proof.rdtype)
    what = f"absent ({proof.absence.value})" if proof.absence else "present"
    chain = " > ".join(unrooted(cut.zone) for cut in proof.cuts)
    return (
        f"{unrooted(proof.name)} {kind} {what}; chain {chain}; valid {validity(proof)}"
    )


def _as_json(path: Path, found: Verification) -> dict[str, object]:
    verdict = found.evidence.verdict if found.evidence else None
    return {
        "file": str(path),
        "reproduced": found.reproduced,
        "address": found.address,
        "sha512": found.second,
        "damage": found.damage or None,
        "differences": [
            {"part": each.part, "stored": each.stored, "again": each.again}
            for each in found.differences
        ],
        "outcome": verdict.outcome.value if verdict else None,
        "path": verdict.path.value if verdict and verdict.path else None,
        "reasons": [reason.value for reason in verdict.reasons] if verdict else [],
        "ds": sorted(ds.to_text() for ds in verdict.candidate) if verdict else [],
        "checks": [
            {
                "id": check.id,
                "mark": check.mark.value,
                "reasons": sorted({each.reason.value for each in check.findings}),
                "inputs": list(found.inputs.get(check.id, ())),
            }
            for check in (verdict.checks if verdict else ())
        ],
        "proven": [_claim(proof) for proof in found.proofs],
        "attested": list(found.attested),
    }


def _say(line: str, stream: TextIO | None = None) -> None:
    print(line, file=stream or sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
