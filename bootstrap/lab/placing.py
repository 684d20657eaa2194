"""Turns recipes into zones, signals and behaviours on a network."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import dns.name
from dns.rdatatype import RdataType

from bootstrap.core.dns.names import (
    MAX_WIRE,
    Name,
    UnusableSignalingName,
    in_domain,
    signaling_domain,
    signaling_name,
    wire_length,
)
from bootstrap.core.dns.records import DIGESTS, Ds

from . import rdatas
from .crafted import Crafted
from .defects import Defect, Denial, Signing
from .denial import Denier
from .keys import Role, ZoneKey
from .network import Network, name_of
from .recipes import MISNAMED
from .signaling import misnamed, publish, signaling_zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dns.rdata import Rdata

    from .recipes import Recipe, SignalRecipe, ZoneRecipe
    from .worlds import Child
    from .zones import Zone

SIGNALING_TYPES: Final = (RdataType.CDS, RdataType.CDNSKEY)
LITERAL: Final = "="
APEX: Final = "@"
IN_DOMAIN: Final = "in"
TWINS: Final = "twins"
WRONG_DIGEST: Final = "!"


class Placer:
    """Places one child; can take it away and place it again, differently."""

    def __init__(self, network: Network, child: Child) -> None:
        self.network = network
        self.child = child
        self.apex = name_of(child.name).canonicalize()
        self._private = child.own_hosts or child.recipe.needs_own_hosts

    @property
    def recipe(self) -> Recipe:
        """What is to be served."""
        return self.child.recipe

    def place(self) -> None:
        """Serve the child, publish its signals, and delegate it."""
        for token in self.recipe.host_cuts:
            self.network.cut(self.host(token).canonicalize())
        for token in self._tokens():
            host, count = self.host(token).canonicalize(), self._count(token)
            self.network.host(host, count, ipv6=token in self.recipe.ipv6)
        for token, address in self.recipe.fixed.items():
            self.network.name_address(self.host(token).canonicalize(), address)
        for token, target in self.recipe.aliases.items():
            self.network.alias(self.host(token).canonicalize(), name_of(target))
        for token, defect in self.recipe.host_defects.items():
            self.network.spoil(self.host(token).canonicalize(), defect)
        self._serve()
        self.delegate()
        for token in self.recipe.nameservers:
            self.signal(token)

    def delegate(self) -> None:
        """Put the delegation as the recipe has it into the parent zone."""
        if self.recipe.published:
            hosts = [self.host(token) for token in self.recipe.nameservers]
            self.network.delegate(self.apex, hosts, self.ds())
        if self.recipe.wildcard_ds:
            wildcard = Name((b"*", *self.apex.labels[1:]))
            self.network.put_ds(wildcard, self.ds())

    def ds(self) -> list[Ds]:
        """Return the DS RRset that the recipe wants at the parent."""
        return self.records(self.recipe.ds)

    def records(self, specs: Iterable[str]) -> list[Ds]:
        """Return the DS records that "label:digest type" or "raw:hex" spell."""
        keys = self._known_keys()
        return [Ds.from_wire(_cds(spec, keys, self.apex)) for spec in specs]

    @property
    def parent(self) -> Name:
        """The zone that delegates the child."""
        above = self.network.enclosing(self.apex.parent())
        if above is None:
            raise LookupError(f"no zone above {self.apex}")
        return above.zone.apex

    def remove(self) -> None:
        """Take the child from all servers and signaling zones, not the parent."""
        for server in self.network.servers.values():
            if server.contents.pop(self.apex, None):
                server.forget()
            server.behaviours.pop(self.apex, None)
        for token in self.recipe.nameservers:
            self.withdraw(token)

    def host(self, token: str) -> Name:
        """Return the nameserver that a token stands for, in the case that it has."""
        token = token.partition("/")[0]
        if token.startswith(LITERAL):
            return name_of(token.removeprefix(LITERAL))
        if token == APEX:
            return self.apex
        if token.startswith(IN_DOMAIN):
            return Name((b"ns" + token[2:].encode(), *self.apex.labels))
        operator = name_of(self.child.operators[ord(token[0].lower()) - ord("a")])
        label = f"ns{token[1:]}".encode()
        own = (self._slug,) if self._private else ()
        host = Name((label, *own, *operator.labels))
        return _shouted(host) if token[0].isupper() else host

    @property
    def _slug(self) -> bytes:
        return (self.child.situation or self.child.name).split(".")[0].lower().encode()

    def _tokens(self) -> list[str]:
        every = (*self.recipe.nameservers, *self.recipe.zone.nameservers)
        return [t for t in dict.fromkeys(every) if not t.startswith(LITERAL)]

    def _count(self, token: str) -> int:
        return self.recipe.addresses.get(token, 1)

    def _serve(self) -> None:
        made: dict[ZoneRecipe, Denier] = {}
        for token in self._tokens():
            for number, address in enumerate(self._addresses(token), 1):
                at = self.recipe.at
                zone_recipe = (
                    at.get(f"{token}/{number}") or at.get(token) or self.recipe.zone
                )
                if zone_recipe not in made:
                    made[zone_recipe] = Denier(partial(self._zone, zone_recipe))
                self.network.serve(self.apex, made[zone_recipe], [address])
                self._behave(f"{token}/{number}", token, address)

    def _addresses(self, token: str) -> tuple[str, ...]:
        return self.network.hosts[self.host(token).canonicalize()]

    def _behave(self, exact: str, token: str, address: str) -> None:
        behaviours = self.recipe.behaviours
        behaviour = behaviours.get(exact) or behaviours.get(token)
        if behaviour:
            self.network.servers[address].behaviours[self.apex] = behaviour
            self.network.servers[address].forget()

    def _zone(self, recipe: ZoneRecipe) -> Zone:
        keys = self._keys(recipe)
        tokens = recipe.nameservers or self.recipe.nameservers
        hosts = [self.host(token) for token in tokens]
        zone = self.network.zone(self.apex, hosts, keys, _signing(recipe, self.apex))
        known = self._known_keys() | {key.label: key for key in keys}
        zone.put(self.apex, RdataType.CDS, _all_cds(recipe.cds, known, self.apex))
        zone.put(self.apex, RdataType.CDNSKEY, _all_cdnskey(recipe.cdnskey, known))
        zone.put_text(self.apex, RdataType.A, "192.0.2.1")
        zone.put_text(self.apex, RdataType.AAAA, "2001:db8::1")
        for label in (b"www", *([b"*"] if recipe.wildcard else ())):
            if wire_length(self.apex) + len(label) < MAX_WIRE:
                below = Name((label, *self.apex.labels))
                zone.put_text(below, RdataType.A, "192.0.2.1")
        for host in hosts:
            if in_domain(self.apex, host) and host in self.network.hosts:
                self.network.publish_address(zone, host)
        if recipe.mail:
            zone.put_text(self.apex, RdataType.MX, f"10 {self.apex}")
        if recipe.address:
            zone.put_text(self.apex, RdataType.A, recipe.address)
        return zone

    def _known_keys(self) -> dict[str, ZoneKey]:
        recipes = (self.recipe.zone, *self.recipe.at.values())
        return {key.label: key for r in recipes for key in self._keys(r)}

    def _keys(self, recipe: ZoneRecipe) -> tuple[ZoneKey, ...]:
        return tuple(key for spec in recipe.keys for key in self._made(spec))

    def _made(self, spec: str) -> Iterator[ZoneKey]:
        label, role, algorithm = spec.split(":")
        prefix = self.child.key_label or str(self.apex)
        if role == TWINS:
            ring = self.network.keyring
            first, second = ring.twins(f"{prefix}/{label}", int(algorithm), Role.CSK)
            yield replace(first, label=label)
            yield replace(second, label=f"{label}b")
        else:
            yield self.network.keyring.key(
                f"{prefix}/{label}", int(algorithm), Role(role)
            )

    # -- signals ------------------------------------------------------------

    def owes_signal(self, token: str) -> bool:
        """Say whether a nameserver is out of domain and a signal can be named."""
        host = self.host(token).canonicalize()
        if in_domain(self.apex, host) or token.startswith(LITERAL):
            return False
        try:
            signaling_name(self.apex, host)
        except UnusableSignalingName:
            return False
        return True

    def signal(self, token: str) -> None:
        """Publish what the recipe wants at one nameserver's signaling name."""
        recipe = self.recipe.signal(token)
        if not self.owes_signal(token):
            return
        host = self.host(token).canonicalize()
        owner = signaling_name(self.apex, host)
        denier = self._signaling_zone(host, recipe, owner)
        if denier is None:
            return
        zone = denier.zone
        plain = zone.signing
        zone.signing = _with_defects(plain, recipe.defects, owner)
        if recipe.denials:
            crafted = _crafted(recipe.denials, owner, zone.apex)
            zone.signing = replace(zone.signing, crafted=crafted)
        cds, cdnskey = self._contents(recipe)
        if recipe.form in MISNAMED:
            owner = misnamed(recipe.form, self.apex, host)
        publish(self.network, zone, (owner, host), recipe, cds=cds, cdnskey=cdnskey)
        if recipe.first:
            signing = _with_defects(plain, recipe.first, owner)
            self.network.other_copy(zone, signing)
        self.network.changed(zone.apex)

    def withdraw(self, token: str) -> None:
        """Take the signal of one nameserver away."""
        if not self.owes_signal(token):
            return
        owner = signaling_name(self.apex, self.host(token).canonicalize())
        denier = self.network.zones.pop(owner, None) or self.network.enclosing(owner)
        above = self.network.enclosing(owner)
        if denier is None or above is None:
            return
        zone = above.zone
        for rdtype in list(zone.nodes.get(owner, ())):
            zone.put(owner, rdtype, [])
        kept = tuple(d for d in zone.signing.defects if d.owner != owner)
        zone.signing = _replaced(zone.signing, kept)
        self.network.touch(zone)

    def _contents(self, recipe: SignalRecipe) -> tuple[list[Rdata], list[Rdata]]:
        known, base = self._known_keys(), self.recipe.zone
        cds = base.cds if recipe.cds is None else recipe.cds
        cdnskey = base.cdnskey if recipe.cdnskey is None else recipe.cdnskey
        return _all_cds(cds, known, self.apex), _all_cdnskey(cdnskey, known)

    def _signaling_zone(
        self, host: Name, recipe: SignalRecipe, owner: Name
    ) -> Denier | None:
        """Return the zone that holds the signal, made if it is the child's own."""
        domain = signaling_domain(host)
        if (
            recipe.place != "host"
            and self._private
            and domain not in self.network.zones
        ):
            signaling_zone(self.network, domain, recipe)
        if recipe.place == "deep":
            deeper = Name((*self.apex.labels[-2:-1], *domain.labels))
            signaling_zone(self.network, deeper, recipe)
        return self.network.enclosing(owner)


def _signing(recipe: ZoneRecipe, apex: Name) -> Signing:
    return Signing(
        denial=Denial(recipe.denial),
        iterations=recipe.iterations,
        salt=bytes.fromhex(recipe.salt),
        opt_out=recipe.opt_out,
        defects=tuple(Defect.parse(text, apex) for text in recipe.defects),
        crafted=_crafted(recipe.denials, apex, apex),
        cds_signers=recipe.cds_signers,
    )


def _crafted(texts: Iterable[str], here: Name, apex: Name) -> tuple[Crafted, ...]:
    return tuple(Crafted.parse(text, here, apex) for text in texts)


def _with_defects(signing: Signing, texts: Iterable[str], owner: Name) -> Signing:
    added = tuple(Defect.parse(text, owner) for text in texts)
    return _replaced(signing, (*signing.defects, *added)) if added else signing


def _replaced(signing: Signing, defects: tuple[Defect, ...]) -> Signing:
    return replace(signing, defects=defects)


def _all_cds(specs: Iterable[str], keys: dict[str, ZoneKey], apex: Name) -> list[Rdata]:
    return [rdatas.opaque(RdataType.CDS, _cds(spec, keys, apex)) for spec in specs]


def _cds(spec: str, keys: dict[str, ZoneKey], apex: Name) -> bytes:
    """Return DS rdata of "label:digest type" ("!" after it spoils the digest)."""
    label, _, rest = spec.partition(":")
    if label == "raw":
        return bytes.fromhex(rest)
    digest_type = int(rest.rstrip(WRONG_DIGEST))
    if digest_type not in DIGESTS:  # nobody here computes it
        known = keys[label].ds(apex)
        return replace(known, digest_type=digest_type).to_wire()
    wire = keys[label].ds(apex, digest_type).to_wire()
    if rest.endswith(WRONG_DIGEST):
        wire = wire[:-1] + bytes([wire[-1] ^ 1])
    return wire


def _all_cdnskey(specs: Iterable[str], keys: dict[str, ZoneKey]) -> list[Rdata]:
    return [rdatas.opaque(RdataType.CDNSKEY, _cdnskey(spec, keys)) for spec in specs]


def _cdnskey(spec: str, keys: dict[str, ZoneKey]) -> bytes:
    """Return DNSKEY rdata of "label", or of "label:flags:protocol"."""
    label, _, rest = spec.partition(":")
    if label == "raw":
        return bytes.fromhex(rest)
    wire = keys[label].key.to_wire()
    if rest:
        flags, protocol = (int(part) for part in rest.split(":"))
        wire = flags.to_bytes(2, "big") + bytes([protocol]) + wire[3:]
    return wire


def _shouted(host: Name) -> Name:
    return dns.name.from_text(str(host).upper())
