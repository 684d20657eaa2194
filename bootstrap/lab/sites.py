"""Where a situation is looked at from: what is wrong with the machine that scans.

No packet of a child can bring that about. What was seen is edited instead, as a
scanner with that fault would have left it (P-2.23, S-46).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from dns.rdatatype import RdataType

from bootstrap.core.dns.names import canonical, signaling_name
from bootstrap.core.evaluation.findings import Finding
from bootstrap.core.evaluation.observations import Observation, Trouble
from bootstrap.core.evaluation.queries import Carrier, Query
from bootstrap.core.evaluation.reasons import Reason

from .network import name_of

if TYPE_CHECKING:
    from bootstrap.core.dnssec.anchors import Anchor
    from bootstrap.core.evaluation.case import Case

    from .placing import Placer

SECOND: Final = "elsewhere"
"""The name of the other place from which a child is looked at."""
DAY: Final = timedelta(days=1)
ANCHORS: Final = ("", "none", "early", "over", "dated", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What ails the machine that scans; nothing, if nothing is said.

    `faults` are codes of its own. `anchors` are `none`, `early` (in force from
    tomorrow), `over` (until yesterday), `dated` (both, and in force) or `other`
    (of a key that the root lacks). `troubles` are what comes of questions,
    `unasked` are those that were forgotten: "b1" (all to that nameserver), "b1 DNSKEY",
    "signal b1 CDS" or "<name>. NS". `udp` are nameservers whose answers came that way. `views`: from a second place, the
    nameserver answers as the other one does.
    """

    faults: tuple[str, ...] = ()
    anchors: str = ""
    troubles: Mapping[str, str] = field(default_factory=dict)
    unasked: tuple[str, ...] = ()
    udp: tuple[str, ...] = ()
    views: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse words that mean nothing.

        Raises:
            ValueError: with the word.
        """
        words = (
            (self.faults, frozenset(Reason)),
            ((self.anchors,), ANCHORS),
            (self.troubles.values(), frozenset(Trouble)),
        )
        for given, known in words:
            if unknown := set(given) - set(known):
                raise ValueError(f"no {min(unknown)!r}")

    def applied(self, case: Case, placer: Placer) -> Case:
        """Return what this site would have seen of a case that was seen well."""
        if self == Site():
            return case
        seen = [
            edited
            for observation in case.observations
            for edited in self._edited(observation, placer)
        ]
        return replace(
            case,
            observations=(*seen, *self._views(case.observations, placer)),
            anchors=tuple(self._anchors(case)),
            own_faults=tuple(
                Finding(Reason(code), "the laboratory") for code in self.faults
            ),
        )

    def _edited(self, seen: Observation, placer: Placer) -> Iterator[Observation]:
        if any(_is_meant(seen.query, text, placer) for text in self.unasked):
            return
        for text, trouble in self.troubles.items():
            if _is_meant(seen.query, text, placer):
                seen = replace(seen, received=None, trouble=Trouble(trouble))
        if any(_is_planned(seen.query, token, placer) for token in self.udp):
            seen = replace(seen, transport="udp")
        yield seen

    def _views(
        self, seen: Iterable[Observation], placer: Placer
    ) -> Iterator[Observation]:
        for token, other in self.views.items():
            (address,) = addresses(token, placer)
            for observation in seen:
                if _is_planned(observation.query, other, placer):
                    query = replace(observation.query, server=address)
                    yield replace(observation, query=query, vantage=SECOND)

    def _anchors(self, case: Case) -> Iterator[Anchor]:
        for anchor in case.anchors if self.anchors != "none" else ():
            if self.anchors == "other":
                ds = replace(anchor.ds, digest=bytes(len(anchor.ds.digest)))
                yield replace(anchor, ds=ds)
                continue
            starts = {"early": case.now + DAY, "dated": case.now - DAY}
            ends = {"over": case.now - DAY, "dated": case.now + DAY}
            yield replace(
                anchor,
                valid_from=starts.get(self.anchors),
                valid_until=ends.get(self.anchors),
            )


def addresses(token: str, placer: Placer) -> tuple[str, ...]:
    """Return the addresses of the nameserver that a token stands for."""
    return placer.network.hosts[placer.host(token).canonicalize()]


def _is_planned(query: Query, token: str, placer: Placer) -> bool:
    """Say whether the child's server was asked this about the child itself."""
    planned = query.zone == placer.apex and query.carrier is Carrier.TCP
    return planned and query.server in addresses(token, placer)


def _is_meant(query: Query, text: str, placer: Placer) -> bool:
    """Say whether a question is one that `text` describes."""
    match text.split():
        case [token]:
            return _is_planned(query, token, placer)
        case ["signal", token, rdtype]:
            name = signaling_name(placer.apex, placer.host(token).canonicalize())
            return query.name == name and query.rdtype == RdataType[rdtype]
        case [name, rdtype] if name.endswith("."):
            asked = canonical(name_of(name)), RdataType[rdtype]
            return (query.name, query.rdtype) == asked
        case [token, rdtype]:
            planned = _is_planned(query, token, placer)
            return planned and query.rdtype == RdataType[rdtype]
        case _:
            return False
