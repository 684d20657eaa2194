"""A whole evaluation without a socket: the laboratory's servers, asked in memory.

Plan, observe and judge meet as in a scan; only the network is left out.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import dns.flags
import dns.message

from bootstrap.core.dns.names import ROOT, canonical
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.dnssec.budget import Budget
from bootstrap.core.dnssec.chain import Needs, validate
from bootstrap.core.evaluation.case import Case
from bootstrap.core.evaluation.delegation import Delegation, History
from bootstrap.core.evaluation.observations import Observation, Trouble, seen
from bootstrap.core.evaluation.plan import plan
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.proofs import MEMO
from bootstrap.core.evaluation.queries import Carrier, Query
from bootstrap.lab.assembly import Assembled, assemble
from bootstrap.lab.keys import Keyring
from bootstrap.lab.network import Network
from bootstrap.lab.placing import Placer
from bootstrap.lab.situations import world_for

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
IPV4_ONLY = AcceptancePolicy(skip_families=(6,))
ROUNDS = 12
STEPS = 60
TRUNCATED = 0x02


class Rehearsal:
    """A laboratory network, asked by function call."""

    def __init__(self, built: Assembled, now: datetime = NOW) -> None:
        self.built = built
        self.servers = built.network.servers
        self.now = now
        self.anchors = tuple(Anchor(key.ds(ROOT)) for key in built.root.zone.keys)

    def serving(self, zone) -> list[str]:
        """Return the addresses that hold `zone`, sorted."""
        return sorted(a for a, s in self.servers.items() if zone in s.contents)

    def ask(self, query: Query) -> Observation:
        """Put one query to one server."""
        if query.server not in self.servers:
            mine = query.server.startswith(f"{self.built.network.prefix}.")
            return self._trouble(
                query, Trouble.UNREACHABLE if mine else Trouble.FORBIDDEN
            )
        tcp = query.carrier is Carrier.TCP
        first = self._exchange(query, tcp=tcp)
        if tcp or first.received is None:
            return first
        if first.received[2] & TRUNCATED:
            return self._exchange(query, tcp=True)
        return first

    def _trouble(self, query: Query, trouble: Trouble) -> Observation:
        return Observation(query, at=self.now, sent=b"", trouble=trouble)

    def _exchange(self, query: Query, *, tcp: bool) -> Observation:
        message = dns.message.make_query(
            query.name, query.rdtype, use_edns=0, want_dnssec=True, id=4711
        )
        message.flags &= ~dns.flags.RD
        server = self.servers[query.server]
        if tcp and not server.has_tcp:
            return self._trouble(query, Trouble.UNREACHABLE)
        reaction = server.respond(message.to_wire(), tcp=tcp)
        made = Observation(
            query,
            at=self.now,
            sent=message.to_wire(),
            transport="tcp" if tcp else "udp",
        )
        if reaction.dribble:
            return replace(made, trouble=Trouble.TIMEOUT)
        messages = reaction.messages or unframed(reaction.raw)
        mine = [wire for wire in messages if wire[:2] == made.sent[:2]]
        if mine:
            return replace(made, received=mine[0])
        if messages:
            return replace(made, trouble=Trouble.JUNK)
        closed = Trouble.TCP_CLOSED if reaction.raw or reaction.close else None
        return replace(made, trouble=closed or Trouble.TIMEOUT)

    def lookup(self, lookup, observations: tuple[Observation, ...]):
        """Yield the observations of one chain, as the validator asks for them."""
        found = list(observations)
        answers = seen(found)
        for _ in range(STEPS):
            proof = validate(
                lookup.name,
                lookup.rdtype,
                seen=answers,
                anchors=self.anchors,
                now=self.now,
                budget=Budget(),
                memo=MEMO,
            )
            if not isinstance(proof, Needs):
                return found
            for question in proof.questions:
                asked = self._question(question)
                answers.update(seen(asked))
                found += asked
        return found

    def _question(self, question) -> list[Observation]:
        zone, name, rdtype = question
        addresses = self.serving(zone)
        if not addresses:
            return [self._trouble(Query("", zone, name, rdtype), Trouble.TIMEOUT)]
        return [self.ask(Query(a, zone, name, rdtype)) for a in addresses]

    def evaluate(self, delegation: Delegation, **rest) -> Case:
        """Return a complete case about `delegation`."""
        case = Case(
            delegation,
            (),
            self.anchors,
            rest.pop("policy", IPV4_ONLY),
            self.now,
            history=rest.pop("history", History()),
        )
        for _ in range(ROUNDS):
            step = plan(case)
            if not step:
                break
            case = self._follow(case, step)
        return case

    def _follow(self, case: Case, step) -> Case:
        observations = case.observations
        for lookup in step.lookups:
            observations = tuple(self.lookup(lookup, observations))
        asked = tuple(self.ask(query) for query in step.queries)
        return replace(case, observations=observations + asked)


def unframed(raw: bytes) -> tuple[bytes, ...]:
    """Return the first whole message of a TCP stream, if there is one."""
    size = int.from_bytes(raw[:2])
    whole = len(raw) >= 2 + size > 2
    return (raw[2 : 2 + size],) if whole else ()


def rehearse(situations, now: datetime = NOW) -> Rehearsal:
    """Return the world of some situations, ready to be asked."""
    network = Network(Keyring(b"rehearsal"), now, ipv6=True)
    world = world_for(situations, ipv6=True)
    built = assemble(world, network, clock=lambda: now)
    return Rehearsal(built, now)


def delegation_of(rehearsal: Rehearsal, placer: Placer) -> Delegation:
    """Return what the registry holds of a child: NS, glue and DS of its parent."""
    hosts = [canonical(placer.host(token)) for token in placer.recipe.nameservers]
    known = rehearsal.built.network.hosts
    return Delegation(
        placer.apex,
        next(p for p in rehearsal.built.parents if placer.apex.is_subdomain(p)),
        tuple(dict.fromkeys(hosts)),
        glue=tuple(
            (host, address)
            for host in hosts
            if host.is_subdomain(placer.apex)
            for address in known.get(host, ())
        ),
        ds=tuple(placer.ds()),
    )
