"""What is fuzzed: each target takes octets, and lets out only what is a fault.

A target catches the refusals that its reader promises, and asserts what must hold
of whatever the reader accepts. Any other exception is a finding.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

import dns.exception
import dns.message

from bootstrap.core.dns import guard
from bootstrap.core.dns.hints import HintsMalformed, read_hints
from bootstrap.core.dns.messages import Malformed, read
from bootstrap.core.dns.names import InvalidName, parse_name, unrooted
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.anchor_files import AnchorsMalformed, read_anchors
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.verdict import Outcome, judge
from bootstrap.core.evidence import bundle, cbor
from bootstrap.core.evidence.bundle import Bundle, BundleMalformed
from bootstrap.core.tlog import notes, tiles
from bootstrap.registry.csvfile import read_csv_file
from bootstrap.registry.rows import Reading, SourceRefused
from bootstrap.registry.tsigkeys import KeyFileInvalid, parse_key
from bootstrap.registry.zonefile import read_zone_file

Target = Callable[[bytes], None]

CORPUS: Final = Path(__file__).parent / "corpus"
ACCEPTED: Final = Path(__file__).parent / "accepted.evidence"
"""Evidence of a child that is accepted: what `evaluation` spoils."""
STEP: Final = 6
PARENT: Final = parse_name("example")


def message(octets: bytes) -> None:
    """What the guard accepts, dnspython parses or refuses; and so do we (S-16)."""
    try:
        guard.inspect(octets)
    except guard.Refused:
        return
    with suppress(dns.exception.DNSException):
        dns.message.from_wire(octets)
    with suppress(Malformed):
        read(octets, PARENT, RdataType.CDS)


def name(octets: bytes) -> None:
    """A name that is read is written so that it reads as the same name."""
    try:
        found = parse_name(octets.decode("utf-8", "replace"))
    except InvalidName:
        return
    assert parse_name(unrooted(found)) == found


def item(octets: bytes) -> None:
    """What is read of CBOR has just this encoding."""
    try:
        found = cbor.decode(octets)
    except BundleMalformed:
        return
    assert cbor.encode(found) == octets


def evidence(octets: bytes) -> None:
    """A bundle with a right seal is refused, or is the one encoding of its content."""
    sealed = octets + hashlib.sha256(octets).digest()
    try:
        found = bundle.decode(sealed)
    except BundleMalformed:
        return
    assert bundle.encode(found) == sealed


@cache
def accepted() -> Bundle:
    """Return the evidence of the accepted child."""
    return bundle.decode(ACCEPTED.read_bytes())


def evaluation(octets: bytes) -> None:
    """Spoiled packets are judged without an exception, and gain nothing."""
    honest = accepted()
    verdict = judge(spoiled(honest.case, octets))
    if verdict.outcome is Outcome.ACCEPT:
        assert verdict.candidate == honest.verdict.candidate
        assert verdict.auth_method == honest.verdict.auth_method


def spoiled(case: Case, octets: bytes) -> Case:
    """Return `case` with its packets changed as `octets` say.

    Six octets are one change: which packet, where (2), how, a value (2).
    """
    seen = list(case.observations)
    for start in range(0, len(octets) - STEP + 1, STEP):
        which, where, how, value = _fields(octets[start : start + STEP])
        at = which % len(seen)
        packet = seen[at].received
        if packet is not None:
            other = seen[value % len(seen)].received or b""
            changed = _changed(packet, where, how, value, other)
            seen[at] = replace(seen[at], received=changed)
    return replace(case, observations=tuple(seen))


def _fields(step: bytes) -> tuple[int, int, int, int]:
    return step[0], int.from_bytes(step[1:3]), step[3], int.from_bytes(step[4:6])


def _changed(packet: bytes, where: int, how: int, value: int, other: bytes) -> bytes:
    """Set, insert, cut out, cut off, take another's octets, or flip a bit."""
    at = where % (len(packet) or 1)
    octet = bytes((value & 255,))
    match how % 6:
        case 0:
            return packet[:at] + octet + packet[at + 1 :]
        case 1:
            return packet[:at] + octet + packet[at:]
        case 2:
            return packet[:at] + packet[at + value % 64 :]
        case 3:
            return packet[:at]
        case 4:
            return packet[:2] + other[2:]
        case _:
            flipped = bytes((packet[at] ^ 1 << value % 8,)) if packet else b""
            return packet[:at] + flipped + packet[at + 1 :]


def zone_file(octets: bytes) -> None:
    """A zone file is read to its end, or refused."""
    _read_to_the_end(octets, read_zone_file)


def csv_file(octets: bytes) -> None:
    """So is a CSV file of delegations."""
    header = b"name,ns,glue,ds,registrar,status\n"
    text = octets if octets.startswith(b"name,") else header + octets
    _read_to_the_end(text, read_csv_file)


def _read_to_the_end(octets: bytes, reader: Callable[..., Reading]) -> None:
    with tempfile.NamedTemporaryFile(dir=_memory()) as opened:
        opened.write(octets)
        opened.flush()
        try:
            for _entry in reader(Path(opened.name), PARENT):
                pass
        except SourceRefused:
            return


@cache
def _memory() -> str | None:
    """Return a folder that no disk is behind, where there is one."""
    shared = Path("/dev/shm")  # noqa: S108 - a private file is made in it
    return str(shared) if shared.is_dir() else None


def tsig_key(octets: bytes) -> None:
    """A TSIG key file is read or refused."""
    try:
        parse_key(octets.decode("utf-8", "replace"), "fuzz")
    except KeyFileInvalid:
        return


def anchors(octets: bytes) -> None:
    """A trust anchor file is read or refused, in both of its forms."""
    _read_text(octets, read_anchors, AnchorsMalformed)


def hints(octets: bytes) -> None:
    """A root hints file is read or refused."""
    _read_text(octets, read_hints, HintsMalformed)


def note(octets: bytes) -> None:
    """Signed notes, checkpoints and proofs are read or refused."""
    text = octets.decode("utf-8", "replace")
    for reader in (notes.read, notes.Checkpoint.from_text, notes.read_proof):
        _read_text(text.encode(), reader, notes.NoteWrong)
    try:
        tiles.encode_bundle(tiles.decode_bundle(octets))
    except tiles.BundleWrong:
        return


def _read_text(
    octets: bytes, reader: Callable[[str], object], refusal: type[Exception]
) -> None:
    try:
        reader(octets.decode("utf-8", "replace"))
    except refusal:
        return


TARGETS: Final[dict[str, Target]] = {
    each.__name__: each
    for each in (
        message,
        name,
        item,
        evidence,
        evaluation,
        zone_file,
        csv_file,
        tsig_key,
        anchors,
        hints,
        note,
    )
}


def replay(target: str, files: Iterable[Path]) -> int:
    """Put stored inputs to a target once more; return how many."""
    count = 0
    for path in sorted(files):
        TARGETS[target](path.read_bytes())
        count += 1
    return count
