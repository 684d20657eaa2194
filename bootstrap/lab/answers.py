"""What an honest authoritative server answers: a pure function of its zones.

RFC 1034, section 4.3.2; RFC 4035, section 3.1; RFC 5155, section 7.2; RFC 4592.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import dns.name
import dns.rrset
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from . import crafted, rdatas
from .defects import Denial, Flawed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dns.rrset import RRset

    from bootstrap.core.dns.names import Name

    from .denial import Denier

    _Prover = Callable[[Name], list[RRset]]

MAX_ALIASES: Final = 8
WILDCARD: Final = dns.name.from_text("*", origin=None)
ADDRESSES: Final = (RdataType.A, RdataType.AAAA)


@dataclass
class Reply:
    """Rcode, AA and three sections, before anything is put on the wire."""

    rcode: Rcode = Rcode.NOERROR
    aa: bool = True
    answer: list[RRset] = field(default_factory=list)
    authority: list[RRset] = field(default_factory=list)
    additional: list[RRset] = field(default_factory=list)


def answer(
    contents: Mapping[Name, Denier], name: Name, rdtype: RdataType, *, do: bool
) -> Reply:
    """Return the reply of a server that holds `contents` (zones by apex)."""
    found = _responsible(contents, name, rdtype)
    if found is None:
        return Reply(Rcode.REFUSED, aa=False)
    lookup = _Lookup(found, do=do)
    following: Name | None = name
    for _ in range(MAX_ALIASES):
        if following is None or not following.is_subdomain(found.zone.apex):
            break
        following = lookup.step(following, rdtype)
    return lookup.reply


def _responsible(
    contents: Mapping[Name, Denier], name: Name, rdtype: RdataType
) -> Denier | None:
    """Return the deepest zone; for DS at its apex the parent, if it is here too."""
    deepest = _deepest(contents, name)
    if (
        deepest
        and rdtype == RdataType.DS
        and deepest.zone.apex == name != dns.name.root
    ):
        return _deepest(contents, name.parent()) or deepest
    return deepest


def _deepest(contents: Mapping[Name, Denier], name: Name) -> Denier | None:
    while name not in contents:
        if name == dns.name.root:
            return None
        name = name.parent()
    return contents[name]


class _Lookup:
    """One answer in the making."""

    def __init__(self, denier: Denier, *, do: bool) -> None:
        self.denier = denier
        self.zone = denier.zone
        self.proves = do and self.zone.is_signed
        self.reply = Reply()
        self.rdtype = RdataType.TYPE0

    def step(self, name: Name, rdtype: RdataType) -> Name | None:
        """Answer for one name of an alias chain; return the next name, if any."""
        self.rdtype = rdtype
        cut = self.zone.cut_at_or_above(name)
        if cut is not None and not (cut == name and rdtype == RdataType.DS):
            self._refer(cut)
            return None
        if dname := self._dname_above(name):
            return self._redirect(dname, name)
        if self._is_gone(name, rdtype):
            return None
        return self._from_node(name, rdtype)

    def _is_gone(self, name: Name, rdtype: RdataType) -> bool:
        """Answer NXDOMAIN where that is due, or where a defect wants it."""
        flawed = self.zone.signing.flawed
        if flawed(Flawed.CONTRADICTED, name, rdtype):
            proof = self._proof(self.denier.contradicted, name)
            self._deny(Rcode.NXDOMAIN, proof)
            return True
        empty = self.zone.is_empty_non_terminal(name)
        lying = empty and flawed(Flawed.ENT_NXDOMAIN, name, rdtype)
        if lying or not (self.zone.exists(name) or self._has_wildcard(name)):
            compact = self.zone.signing.denial is Denial.COMPACT and self.proves
            rcode = Rcode.NOERROR if compact and not lying else Rcode.NXDOMAIN
            self._deny(rcode, self._proof(self.denier.absent_name, name))
            return True
        return False

    def _has_wildcard(self, name: Name) -> bool:
        """Say whether a wildcard stands in for `name`, which does not exist."""
        wildcard = WILDCARD.derelativize(self.denier.encloser(name))
        return self.zone.exists(wildcard)

    def _from_node(self, name: Name, rdtype: RdataType) -> Name | None:
        expanded = not self.zone.exists(name)
        source = WILDCARD.derelativize(self.denier.encloser(name)) if expanded else name
        types = self.zone.types_at(source)
        if rdtype in types:
            self._give(source, rdtype, name)
        elif RdataType.CNAME in types:
            self._give(source, RdataType.CNAME, name)
        else:
            prove = self.denier.absent_name if expanded else self.denier.absent_type
            self._deny(Rcode.NOERROR, self._proof(prove, name))
            return None
        if expanded and not self.zone.signing.flawed(Flawed.BARE, name, rdtype):
            self._prove(self._proof(self.denier.expanded, name))
        return self._next(name, rdtype)

    def _next(self, name: Name, rdtype: RdataType) -> Name | None:
        alias = next((r for r in self.reply.answer if _is_alias(r, name)), None)
        if alias is None or rdtype == RdataType.CNAME:
            return None
        target: Name = alias[0].target
        return target.canonicalize()

    def _refer(self, cut: Name) -> None:
        if self.reply.answer:
            return  # an alias led out of our authority: the resolver goes on
        self.reply.aa = False
        nameservers = self.zone.rrset(cut, RdataType.NS)
        if nameservers is None:
            return
        self.reply.authority.append(nameservers)
        if self.zone.rrset(cut, RdataType.DS):
            self._add(self.reply.authority, cut, RdataType.DS)
        else:
            self._prove(self._proof(self.denier.absent_type, cut))
        for target in sorted(rdata.target.canonicalize() for rdata in nameservers):
            glue = (self.zone.rrset(target, rdtype) for rdtype in ADDRESSES)
            self.reply.additional += [rrset for rrset in glue if rrset]

    def _dname_above(self, name: Name) -> Name | None:
        while name != self.zone.apex:
            name = name.parent()
            if self.zone.rrset(name, RdataType.DNAME):
                return name
        return None

    def _redirect(self, owner: Name, name: Name) -> Name | None:
        self._give(owner, RdataType.DNAME, owner)
        dname = self.zone.rrset(owner, RdataType.DNAME)
        if dname is None:
            return None
        try:
            target = name.relativize(owner).derelativize(dname[0].target)
        except dns.name.NameTooLong:
            self.reply.rcode = Rcode.YXDOMAIN
            return None
        cname = rdatas.from_wire(RdataType.CNAME, target.to_wire() or b"")
        self.reply.answer.append(dns.rrset.from_rdata_list(name, dname.ttl, [cname]))
        return target.canonicalize()

    def _give(self, source: Name, rdtype: RdataType, owner: Name) -> None:
        self._add(self.reply.answer, source, rdtype, owner)

    def _add(
        self,
        section: list[RRset],
        source: Name,
        rdtype: RdataType,
        owner: Name | None = None,
    ) -> None:
        rrset, name = self.zone.rrset(source, rdtype), owner or source
        rrsigs = self.zone.rrsigs(source, rdtype) if self.proves else None
        if rrset and rrsigs and self.zone.signing.flawed(Flawed.ONLINE, source, rdtype):
            rrsigs = self.zone.signed(_renamed(rrset, name))
        found = (rrset, rrsigs)
        section.extend(_renamed(rrset, name) for rrset in found if rrset)

    def _deny(self, rcode: Rcode, proof: Iterable[RRset]) -> None:
        self.reply.rcode = rcode
        soa = self.zone.rrset(self.zone.apex, RdataType.SOA)
        if soa:
            self._add(self.reply.authority, self.zone.apex, RdataType.SOA)
        self._prove(proof)

    def _proof(self, prove: _Prover, name: Name) -> list[RRset]:
        if not self.proves:
            return []
        written = crafted.proof(self.zone.signing.crafted, name, self.rdtype)
        return prove(name) if written is None else written

    def _prove(self, proof: Iterable[RRset]) -> None:
        for rrset in proof:
            self.reply.authority.append(rrset)
            if rrsigs := self.zone.signed(rrset):
                self.reply.authority.append(rrsigs)


def _is_alias(rrset: RRset, name: Name) -> bool:
    return bool(rrset.rdtype == RdataType.CNAME and rrset.name == name)


def _renamed(rrset: RRset, owner: Name) -> RRset:
    if rrset.name == owner:
        return rrset
    return dns.rrset.from_rdata_list(owner, rrset.ttl, list(rrset))
