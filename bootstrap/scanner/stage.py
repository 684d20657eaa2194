"""Stage one over the network: two questions to every address, many children at once.

Children of one set of nameservers share its addresses, which are looked up and
validated once, and its connections. What this brings is judged by
`core.evaluation.glance`, which can only say "nothing", or not say anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bootstrap.core.dns.names import Name
from bootstrap.core.evaluation.answers import REQUEST_TYPES
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.glance import Denial, Glance, Routine, conclude
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.proofs import proving
from bootstrap.core.evaluation.queries import Lookup
from bootstrap.core.evaluation.servers import delegated, families

from . import wire
from .pacing import Allowance
from .resolver import Resolver
from .transport import SocketTransport

ADDRESS_SETS: Final = 4_096
"""Sets of nameservers whose addresses are remembered; a full memory starts again."""


class StageOne:
    """Looks at children that may have nothing to say; lives as long as a scanner."""

    def __init__(self, resolver: Resolver, sockets: SocketTransport) -> None:
        self._resolver = resolver
        self._sockets = sockets
        self._known: dict[
            tuple[tuple[Name, ...], AcceptancePolicy], tuple[str, ...]
        ] = {}

    async def look(
        self, routines: Sequence[Routine], allowance: Allowance
    ) -> list[Glance | None]:
        """Return what is kept of each, in order; None where there is a doubt.

        All of them have the same nameservers and the same policy.

        Raises:
            NoTrustAnchor: there is none in force to start from; our own fault.
        """
        addresses = await self._addresses(routines[0].case, allowance)
        if not addresses:
            return [None] * len(routines)
        questions = [
            wire.question(routine.case.delegation.child, rdtype)
            for routine in routines
            for rdtype in REQUEST_TYPES
        ]
        found = await asyncio.gather(
            *(self._sockets.survey(address, questions) for address in addresses)
        )
        width = len(REQUEST_TYPES)
        looks: list[Glance | None] = []
        for place, routine in enumerate(routines):
            denials = [
                Denial(address, rdtype, packet)
                for address, packets in zip(addresses, found, strict=True)
                for rdtype, packet in zip(
                    REQUEST_TYPES,
                    packets[place * width : (place + 1) * width],
                    strict=True,
                )
                if packet is not None
            ]
            looks.append(conclude(routine, addresses, denials))
        return looks

    async def _addresses(self, case: Case, allowance: Allowance) -> tuple[str, ...]:
        """Return every address of the nameservers; none where anything is odd.

        They are as good as those of an evaluation: validated, or of an insecure
        zone, and nothing speaks against one of the hosts (P-2.3).
        """
        key = (case.delegation.nameservers, case.policy)
        if key not in self._known:
            if len(self._known) >= ADDRESS_SETS:
                self._known.clear()
            self._known[key] = await self._looked_up(case, allowance)
        return self._known[key]

    async def _looked_up(self, case: Case, allowance: Allowance) -> tuple[str, ...]:
        errand = self._resolver.errand(allowance)
        wanted = (
            Lookup(host, rdtype)
            for host in case.delegation.nameservers
            for rdtype in families(case.policy)
        )
        await asyncio.gather(*(self._resolver.lookup(one, errand) for one in wanted))
        seen = replace(case, observations=errand.observations, now=errand.now)
        reach = delegated(seen, proving(seen))
        if reach.findings or reach.pending:
            return ()
        return reach.addresses
