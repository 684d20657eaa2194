"""Iterative look-ups from the root, minimised, with every packet kept.

The validator says what it lacks, question by question; this module finds the
servers of a zone and asks them. It decides nothing: a server that fails or is
blamed for a bad proof is followed by the next one (P-7.90, P-7.92), and all
that was seen becomes evidence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from bootstrap.core.dns.hints import Hints
from bootstrap.core.dns.messages import Malformed, read
from bootstrap.core.dns.names import SIGNAL, Name, tail
from bootstrap.core.dns.records import RdataType
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.dnssec.budget import Budget
from bootstrap.core.dnssec.chain import Absence, Needs, Proof, Question, validate
from bootstrap.core.dnssec.security import Security
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.observations import Observation, Trouble
from bootstrap.core.evaluation.proofs import MEMO, MEMORY
from bootstrap.core.evaluation.queries import Carrier, Lookup, Query

from .cache import Answers, Entry, View
from .errands import Errand, Path
from .pacing import Allowance
from .referrals import ADDRESSES, addresses_of, is_useful, referral
from .runner import Transport
from .zones import Zones, ZoneServers, own_servers

MAX_DEPTH: Final = 4
"""Look-ups of nameserver addresses inside of such look-ups (S-11)."""
MAX_CUTS: Final = 16
"""Referrals on the way to one zone (S-11)."""
NEW_NAMES: Final = 5
"""Nameserver names of one zone that are looked up (S-25)."""
TRIES: Final = 8
"""Packets spent on one question, over all servers of its zone."""
DOUBTED: Final = 3
"""Servers of one look-up whose answers may lead to no proof (P-7.92)."""
SECOND_OPINIONS: Final = 12
"""Questions of one look-up that are put to another server for that reason.

One server that lags behind spoils all that was asked of it at once: keys, proofs of
each label, and the answer. Each of them needs another opinion.
"""
UNPROTECTED: Final = ADDRESSES | {RdataType.NS}
"""Types whose answers may be unsigned: they travel over TCP only (S-6)."""
AGAIN: Final = frozenset({Trouble.TIMEOUT, Trouble.JUNK, Trouble.TCP_CLOSED})
"""Troubles after which the same server may be asked once more."""

UNPROVEN: Final = frozenset({Security.BOGUS, Security.INDETERMINATE})


class Resolver:
    """Look-ups of one run, with a cache of its own (S-22).

    `clock` gives the time of validation where there is no case, `time` the
    seconds by which memory fades. Hundreds of look-ups may run at once; those
    that need the same answer share it.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        hints: Hints,
        anchors: tuple[Anchor, ...],
        clock: Callable[[], datetime],
        time: Callable[[], float],
    ) -> None:
        self._transport = transport
        self._anchors = anchors
        self._clock = clock
        self._time = time
        self._answers = Answers(time)
        self._flying: dict[Question, asyncio.Future[Entry | None]] = {}
        self._zones = Zones(hints, time)

    def errand(
        self, allowance: Allowance | None = None, case: Case | None = None
    ) -> Errand:
        """Return an errand for one evaluation.

        A case brings its own time and anchors, so that its plan and we agree on
        what is proven, and the registry's knowledge of the child.
        """
        if case is None:
            return Errand(self._clock(), self._anchors, allowance)
        own = own_servers(case.delegation)
        return Errand(case.now, case.anchors, allowance, own)

    async def lookup(
        self, lookup: Lookup, errand: Errand | None = None
    ) -> tuple[Observation, ...]:
        """Return all packets of the chain of `lookup`, fetched or remembered.

        The last ones may say why there is no answer; nothing is raised for it.

        Raises:
            NoTrustAnchor: there is none in force to start from.
        """
        errand = errand or self.errand()
        await self._prove(errand, lookup.name, lookup.rdtype, Path())
        return errand.observations

    async def _prove(
        self, errand: Errand, name: Name, rdtype: RdataType, path: Path
    ) -> Proof:
        opinions = 0
        doubted: set[str] = set()
        while True:
            view = self._view(errand)
            found = validate(
                name,
                rdtype,
                seen=view,
                anchors=errand.anchors,
                now=errand.now,
                budget=Budget(),
                memo=MEMO,
                memory=MEMORY,
            )
            self._cite(errand, view)
            if isinstance(found, Needs):
                needed = _with_next(found.questions, name, rdtype)
                await asyncio.gather(*(self._answer(errand, q, path) for q in needed))
                continue
            if found.security not in UNPROVEN:
                return found
            self._distrust(errand, view, found.blame)
            if found.blame is None or opinions >= SECOND_OPINIONS:
                return found
            doubted |= _answering(errand, found.blame)
            if len(doubted) > DOUBTED:
                return found
            opinions += 1
            if not await self._ask_another(errand, found.blame, path):
                return found

    def _view(self, errand: Errand) -> View:
        """Return what `errand` may see; of its own child nothing that is shared."""
        own = errand.own.zone if errand.own is not None else None
        return View(errand.answers, self._answers, private=own)

    def _distrust(self, errand: Errand, view: View, blame: Question | None) -> None:
        """Keep what led to no proof for this evaluation alone (S-26)."""
        bad = {
            question: entry
            for question, entry in view.used.items()
            if blame is None
            or question.zone == blame.zone
            or (question.name == blame.zone and question.rdtype == RdataType.DS)
        }
        self._answers.forget(bad)
        for question, entry in bad.items():
            errand.answers.setdefault(question, entry)

    def _cite(self, errand: Errand, view: View) -> None:
        """Take what a walk looked at into the evidence, delegations first."""
        for question, entry in view.used.items():
            known = self._zones.get(question.zone)
            if known is not None:
                errand.note(known.evidence)
            errand.note(entry.observations)

    # -- one question ----------------------------------------------------------

    async def _answer(self, errand: Errand, question: Question, path: Path) -> Entry:
        """Ask until one server of the zone has answered, or none is left."""
        known = self._view(errand).entry(question)
        if known is not None:
            return errand.add(question, known)
        servers = await self._servers(errand, question.zone, path)
        asked: set[str] = set()
        entry = await self._shared(errand, question, servers, asked)
        for host in tuple(servers.needed)[:NEW_NAMES]:
            if entry.responses or errand.is_spent:
                break
            fresh = await self._addresses(errand, host, path)
            servers.extend(fresh)
            if fresh:
                more = await self._shared(errand, question, servers, asked)
                entry = entry.joined(more)
        if not entry.observations:
            trouble = Trouble.LIMIT if errand.is_spent else Trouble.UNREACHABLE
            entry = Entry((self._nobody(question, trouble),))
        if servers is not errand.own:
            self._answers.put(question, entry)
        return errand.add(question, entry)

    async def _shared(
        self, errand: Errand, question: Question, servers: ZoneServers, asked: set[str]
    ) -> Entry:
        """Ask the known addresses, or wait for somebody who asks the same."""
        known = self._view(errand).entry(question)
        if known is not None:
            return known  # somebody was quicker while we looked for servers
        if servers is errand.own or not servers.addresses:
            return await self._ask(errand, question, servers, asked)
        while (flying := self._flying.get(question)) is not None:
            shared = await asyncio.shield(flying)
            if shared is not None:
                asked |= {o.query.server for o in shared.observations}
                return shared
        landing = asyncio.get_running_loop().create_future()
        self._flying[question] = landing
        entry: Entry | None = None
        try:
            entry = await self._ask(errand, question, servers, asked)
            return entry
        finally:
            del self._flying[question]
            limited = entry is not None and any(
                o.trouble is Trouble.LIMIT for o in entry.observations
            )
            landing.set_result(None if limited else entry)

    async def _ask(
        self, errand: Errand, question: Question, servers: ZoneServers, asked: set[str]
    ) -> Entry:
        """Ask one server after the other; those that stay silent once more."""
        entry = Entry(())
        waiting = [a for a in self._in_order(servers) if a not in asked]
        for _ in range(TRIES):
            if not waiting:
                break
            address = waiting.pop(0)
            asked.add(address)
            seen = await self._put(errand, question, address)
            entry = entry.joined(seen)
            if seen.responses or seen.observations[0].trouble is Trouble.LIMIT:
                break
            servers.demote(address)
            if _is_worth_repeating(entry, address):
                waiting.append(address)
        return entry

    async def _put(self, errand: Errand, question: Question, address: str) -> Entry:
        """Put the question to one server."""
        unsafe = question.rdtype in UNPROTECTED
        carrier = Carrier.TCP if unsafe else Carrier.ANY
        query = Query(address, *question, carrier)
        seen = await self._transport.ask(query, allowance=errand.allowance, attempts=1)
        if seen.received is None:
            return Entry((seen,))
        try:
            response = read(seen.received, question.name, question.rdtype)
        except Malformed:
            return Entry((seen,))
        if not is_useful(response, question.zone):
            return Entry((seen,))
        told = referral(response, question.zone)
        if told is not None:
            self._zones.learn(told, seen)
        return Entry((seen,), (response,))

    async def _ask_another(self, errand: Errand, blame: Question, path: Path) -> bool:
        """Ask one more server about the question that failed; False without one."""
        known = errand.answers.get(blame)
        if known is None or errand.is_spent:
            return False
        for observation in known.observations:
            if observation.query.server:
                self._demote(errand, blame.zone, observation.query.server)
        servers = await self._servers(errand, blame.zone, path)
        asked = {o.query.server for o in known.observations}
        entry = await self._ask(errand, blame, servers, asked)
        for host in tuple(servers.needed)[:NEW_NAMES]:
            if entry.responses or errand.is_spent:
                break
            servers.extend(await self._addresses(errand, host, path))
            entry = entry.joined(await self._ask(errand, blame, servers, asked))
        if entry.observations:
            errand.add(blame, entry)
        return bool(entry.responses)

    def _demote(self, errand: Errand, zone: Name, address: str) -> None:
        own = errand.own is not None and errand.own.zone == zone
        servers = errand.own if own else self._zones.get(zone)
        if servers is not None:
            servers.demote(address)

    def _in_order(self, servers: ZoneServers) -> list[str]:
        """Return the addresses, those last that are known to be dead."""
        return sorted(servers.addresses, key=self._transport.shuns)

    def _nobody(self, question: Question, trouble: Trouble) -> Observation:
        """Return the record of a question that nobody could be asked."""
        query = Query("", *question)
        return Observation(query, self._clock(), b"", None, trouble, attempts=0)

    # -- who serves a zone -----------------------------------------------------

    async def _servers(self, errand: Errand, zone: Name, path: Path) -> ZoneServers:
        """Return who serves `zone`; nobody when it cannot be found out."""
        if errand.own is not None and errand.own.zone == zone:
            return errand.own
        known = self._zones.get(zone)
        if known is None and zone not in path.names and len(path.names) < MAX_CUTS:
            known = await self._find(errand, zone, path.into(zone))
        if known is None:
            return ZoneServers(zone)
        errand.note(known.evidence)
        return known

    async def _find(self, errand: Errand, zone: Name, path: Path) -> ZoneServers | None:
        """Walk down from the closest known zone, one label at a time (RFC 9156)."""
        here = self._zones.above(zone)
        for count in range(len(here.labels) + 1, len(zone.labels) + 1):
            name = tail(zone, count)
            if self._zones.get(name) is None and not errand.is_spent:
                question = Question(here, name, RdataType.NS)
                view = self._view(errand)
                if question not in view:
                    await self._answer(errand, question, path)
                self._recall(view, question)
            if self._zones.get(name) is not None:
                here = name
        return self._zones.get(zone)

    def _recall(self, view: View, question: Question) -> None:
        """Learn again from a remembered referral whose delegation was dropped."""
        entry = view.used.get(question)
        if entry is not None and entry.responses:
            told = referral(entry.responses[0], question.zone)
            if told is not None:
                self._zones.learn(told, entry.observations[-1])

    async def _addresses(
        self, errand: Errand, host: Name, path: Path
    ) -> tuple[str, ...]:
        """Look up a nameserver; a host is looked up once an evaluation."""
        if host in errand.hosts:
            return errand.hosts[host]
        if host in path.names or path.depth >= MAX_DEPTH:
            return ()  # A needs B, and B needs A (P-1.73)
        below = path.into(host, deeper=True)
        found: tuple[str, ...] = ()
        for rdtype in (RdataType.A, RdataType.AAAA):
            proof = await self._prove(errand, host, rdtype, below)
            if proof.security in UNPROVEN or proof.absence is Absence.NXDOMAIN:
                break
            if proof.answer is not None:
                found = (*found, *addresses_of(proof.answer.rrset))
        errand.hosts[host] = found
        return found


def _with_next(
    questions: tuple[Question, ...], name: Name, rdtype: RdataType
) -> tuple[Question, ...]:
    """Return `questions` and what comes next if there is no cut on the way.

    At the last label the zone asked about a cut is nearly always the one that
    has the answer; and so at every label below `_signal`, which spell the child's
    name. Asking all at once saves rounds and tells the zone nothing new.
    """
    ahead = (
        Question(question.zone, following, RdataType.DS)
        for question in questions
        if question.rdtype == RdataType.DS and SIGNAL in question.name.labels[1:]
        for following in _below(question.name, name)
    )
    last = (
        Question(question.zone, name, rdtype)
        for question in questions
        if question.rdtype == RdataType.DS
        and (question.name == name or SIGNAL in question.name.labels[1:])
    )
    return tuple(dict.fromkeys((*questions, *ahead, *last)))


def _below(above: Name, name: Name) -> Iterator[Name]:
    """Yield the names below `above` on the way to `name`, itself included."""
    for count in range(len(above.labels) + 1, len(name.labels) + 1):
        yield tail(name, count)


def _answering(errand: Errand, question: Question) -> set[str]:
    """Return the servers whose answers to `question` the errand has."""
    known = errand.answers.get(question)
    observations = () if known is None else known.observations
    return {o.query.server for o in observations if o.received is not None}


def _is_worth_repeating(entry: Entry, address: str) -> bool:
    mine = [o for o in entry.observations if o.query.server == address]
    tried = len(mine) > 1 or not mine[-1].attempts
    return not tried and mine[-1].trouble in AGAIN
