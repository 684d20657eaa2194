"""What servers of the parent showed after a publication, read again (P-8.10).

A dossier has their messages. Here each is held to what the log says that it
showed, and to the parent's keys that the evidence of the change proves: signed,
it speaks for itself; otherwise it is attested by the log alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bootstrap.core.dns.messages import Malformed, Rcode, Response, read
from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import Ds, RdataType
from bootstrap.core.dnssec import denial
from bootstrap.core.dnssec.absence import Absent
from bootstrap.core.dnssec.budget import Budget, BudgetSpent
from bootstrap.core.dnssec.security import Flaw, Security
from bootstrap.core.dnssec.signatures import Context, Unverified, ZoneKeys, verify
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.proofs import proving, settled
from bootstrap.core.tlog.dossier_checks import MESSAGES
from bootstrap.core.tlog.story import Told

SERVERS: Final = "servers"
"""Where it says which DS set each server showed."""
NO_KEYS: Final = "the evidence proves no key of the parent"


@dataclass(frozen=True, slots=True)
class Showing:
    """What one server showed: by the log, and as its message has it.

    `doubt` says why the message proves nothing by itself; `wrong` how it differs
    from what the log says.
    """

    entry: str
    at: datetime
    server: str
    ds: tuple[str, ...]
    doubt: str = ""
    wrong: str = ""


def showings(
    own: Sequence[Told], messages: Mapping[str, bytes], case: Case
) -> Iterator[Showing]:
    """Yield what each message that the entries name shows, in their order.

    `case` is the evidence of the change, with the anchors to start from.
    """
    child, keys = case.delegation.child, parent_keys(case)
    for told in own:
        for server, digest in sorted(told.data.get(MESSAGES, {}).items()):
            showing = Showing(told.name, told.at, server, _stated(told, server))
            yield _read(showing, messages[digest], child, keys)


def parent_keys(case: Case) -> ZoneKeys | None:
    """Return the parent's keys as the evidence proves them; None if it does not."""
    delegation = case.delegation
    proof = settled(proving(case), delegation.child, RdataType.DS)
    for cut in proof.cuts:
        if cut.zone == delegation.parent and cut.security is Security.SECURE:
            return ZoneKeys(cut.zone, cut.keys)
    return None


def _stated(told: Told, server: str) -> tuple[str, ...]:
    """Return the DS set that a server showed, as the entry has it."""
    match told.data.get(SERVERS):
        case dict() as servers:
            found = servers.get(server)
            return tuple(sorted(map(str, found if isinstance(found, list) else ())))
        case _:
            return ()


def _read(
    showing: Showing, octets: bytes, child: Name, keys: ZoneKeys | None
) -> Showing:
    try:
        response = read(octets, child, RdataType.DS)
    except Malformed as exc:
        return replace(showing, wrong=f"is no answer about DS of the child: {exc}")
    found = response.answered(child, RdataType.DS)
    shown = sorted(
        Ds.from_wire(rdata).to_text() for rdata in (found.rrset.rdatas if found else ())
    )
    if not response.aa or response.rcode != Rcode.NOERROR:
        return replace(showing, wrong="is no authoritative answer")
    if tuple(shown) != showing.ds:
        return replace(showing, wrong=f"shows {', '.join(shown) or 'no DS'}")
    context = Context(showing.at, Budget())
    return replace(showing, doubt=doubt(response, child, keys, context))


def doubt(
    response: Response, child: Name, keys: ZoneKeys | None, context: Context
) -> str:
    """Say why an answer proves nothing; nothing when the parent signed it."""
    if keys is None:
        return NO_KEYS
    try:
        signed = response.answered(child, RdataType.DS)
        if signed is not None:
            outcome = verify(signed, keys, context)
            return outcome.flaw.value if isinstance(outcome, Unverified) else ""
        denials = denial.collect(response, keys, context)
        absence = denials.absence(child, RdataType.DS)
    except BudgetSpent:
        return Flaw.LIMIT.value
    return "" if isinstance(absence, Absent) else absence.flaw.value
