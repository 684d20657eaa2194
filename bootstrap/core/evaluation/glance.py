"""Stage one: the cheap look that may end a routine scan, and nothing else.

Most delegations have nothing to say. Where every address of a child denies both
types by which it could ask for a change, nothing can follow from the rest of the
plan (protocol.md 2.6, row A0; RFC 9975, section 3): such a scan ends here, with
code, time and hash of the answers (P-8.3). Whatever is not exactly that, or differs
from what is remembered, is a doubt, and doubts are for the whole evaluation: this
module can say "nothing", and never anything else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from bootstrap.core.dns.denials import is_signed_denial
from bootstrap.core.dns.names import Name, in_domain, unrooted
from bootstrap.core.dns.records import RdataType

from .answers import REQUEST_TYPES
from .case import Case
from .decision import Outcome
from .findings import Finding
from .paths import Path, choose_path
from .queries import Trigger
from .reasons import Kind, Reason
from .servers import is_hostname
from .verdict import Verdict

UNCHANGED: Final = frozenset(
    {("", ""), (Outcome.NOTHING.value, Reason.APEX_NO_CDS.value)}
)
"""Outcome and primary reason of the last evaluation, or none yet: a scan that ends
here would say the same again."""


@dataclass(frozen=True, slots=True, order=True)
class Denial:
    """What one address answered to one of the two questions, as it came."""

    address: str
    rdtype: RdataType
    packet: bytes


@dataclass(frozen=True, slots=True)
class Glance:
    """All that is kept of a scan that stage one ended (P-8.3)."""

    is_signed: bool
    """Signatures came with the denials; a hint for people, and no proof."""
    digest: str
    """SHA-256 in hex over the answers, in the order of address and type: address,
    a space, type, a space, and the message without its id, after its length in two
    octets."""


@dataclass(frozen=True, slots=True)
class Routine:
    """A scan before its first packet, and how the last one ended."""

    case: Case
    last: tuple[str, str] = ("", "")
    """Outcome and primary reason; empty when there was none."""

    @property
    def was_signed(self) -> bool | None:
        """Whether the zone was signed at the last look; None before the first."""
        known = any(self.last)
        return self.case.history.signed_since is not None if known else None


def may_end_early(routine: Routine, *, full_every: int, today: date) -> bool:
    """Say whether a cheap look can be all that this scan needs.

    Only a routine scan of a child without DS, without anything that goes on, whose
    last evaluation said the same or that has had none. Every `full_every` days, on
    days that differ from child to child, a scan after the first is whole in any
    case: signals beside an empty apex are found by that (protocol.md 2.6, row A0).

    Args:
        routine: what is known before any packet.
        full_every: days; 1 means that each scan is whole.
        today: the day of the scan, in UTC.
    """
    case, delegation = routine.case, routine.case.delegation
    choice = choose_path(delegation, case.policy)
    return (
        case.trigger is Trigger.SCHEDULE
        and routine.last in UNCHANGED
        and choice.path is Path.BOOTSTRAP
        and not any(finding.kind is not Kind.INFO for finding in choice.findings)
        and not case.history.troubled_since
        and not delegation.glue
        and len(delegation.nameservers) <= case.policy.max_nameservers
        and all(_is_foreign(delegation.child, host) for host in delegation.nameservers)
        and not _is_whole_day(routine, full_every, today)
    )


def _is_foreign(child: Name, host: Name) -> bool:
    """Say whether the host is out of domain: others share its addresses."""
    return is_hostname(host) and not in_domain(child, host)


def _is_whole_day(routine: Routine, full_every: int, today: date) -> bool:
    if full_every > 1 and not any(routine.last):
        return False
    child = routine.case.delegation.child
    share = int.from_bytes(hashlib.sha256(child.to_digestable()).digest()[:4], "big")
    return (share + today.toordinal()) % full_every == 0


def conclude(
    routine: Routine, addresses: Sequence[str], answers: Iterable[Denial]
) -> Glance | None:
    """Return what is kept when every address denied both types; None on any doubt.

    Args:
        routine: a scan that may end early.
        addresses: all addresses of the child's nameservers (P-2.3), at least one.
        answers: those that came over TCP (P-2.20), one an address and type.
    """
    found = sorted(answers)
    wanted = sorted((one, rdtype) for one in addresses for rdtype in REQUEST_TYPES)
    if not wanted or [(one.address, one.rdtype) for one in found] != wanted:
        return None
    qname = routine.case.delegation.child.to_digestable()
    signed = {is_signed_denial(one.packet, qname, one.rdtype) for one in found}
    if len(signed) != 1:
        return None
    is_signed = signed.pop()
    if is_signed is None or routine.was_signed not in {None, is_signed}:
        return None
    return Glance(is_signed, _digest(found))


def _digest(answers: Iterable[Denial]) -> str:
    found = hashlib.sha256()
    for one in answers:
        octets = one.packet[2:]
        found.update(f"{one.address} {one.rdtype.name} ".encode())
        found.update(len(octets).to_bytes(2, "big") + octets)
    return found.hexdigest()


def verdict(case: Case) -> Verdict:
    """Return what a scan that ended here says: there is nothing to do."""
    finding = Finding(Reason.APEX_NO_CDS, unrooted(case.delegation.child))
    return Verdict(Path.BOOTSTRAP, Outcome.NOTHING, finding.reason, (finding,), ())
