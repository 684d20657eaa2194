"""Signaling zones, and what stands at a signaling name, right or wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dns.rdatatype import RdataType

from bootstrap.core.dns.names import DSBOOT, Name, signaling_domain

from .defects import Denial, Signing
from .keys import Role, namesakes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dns.rdata import Rdata

    from bootstrap.core.dns.records import Ds

    from .denial import Denier
    from .keys import ZoneKey
    from .network import Network
    from .recipes import SignalRecipe
    from .zones import Zone

TOO_LONG: Final = (*[b"x" * 60] * 3, b"y" * 60)
"""Labels that leave no room for a signaling name."""


def misnamed(mistake: str, child: Name, host: Name) -> Name:
    """Return where an operator puts a signal by mistake (protocol.md, 9.2)."""
    domain = signaling_domain(host)
    labels = child.labels[:-1]
    prefix, at = {
        "no-dsboot": (labels, domain),
        "dsauth": ((b"_dsauth", *labels), domain),  # a draft's name
        "stripped": ((DSBOOT, labels[0]), domain),
        "doubled": ((DSBOOT, *labels, labels[-1]), domain),
        "at-host": ((DSBOOT, *labels), Name((b"_signal", *host.labels[1:]))),
        "no-signal": ((DSBOOT, *labels), host),
    }[mistake]
    return Name((*prefix, *at.labels))


def signaling_zone(network: Network, apex: Name, recipe: SignalRecipe) -> Denier:
    """Make a zone for signals, delegated from the operator's and served with it."""
    above = network.enclosing(apex.parent())
    if above is None:
        raise LookupError(f"no zone above {apex}")
    rrset = above.zone.rrset(above.zone.apex, RdataType.NS)
    hosts = [record.target for record in rrset or ()]
    if recipe.lame:
        hosts = [Name((b"nowhere", *above.zone.apex.labels))]
    keys = _signaling_keys(network, apex, recipe) if recipe.signed else ()
    signing = Signing(
        denial=Denial(recipe.denial),
        iterations=recipe.iterations,
        salt=bytes.fromhex(recipe.salt),
        opt_out=recipe.opt_out,
    )
    serving = [] if recipe.lame else hosts
    denier = network.register(network.zone(apex, hosts, keys, signing), serving)
    for host in serving if recipe.behaviour else ():
        for address in network.host(host):
            network.servers[address].behaviours[apex] = recipe.behaviour
    network.delegate(apex, hosts, _vouched(network, apex, recipe, keys[:1]))
    return denier


def _signaling_keys(
    network: Network, apex: Name, recipe: SignalRecipe
) -> tuple[ZoneKey, ...]:
    """Return the key that signs, and those that are only published."""
    (signing,) = network.keys(str(apex), recipe.algorithm)
    extra = (
        network.keyring.key(f"{apex}/{number}", recipe.algorithm, Role.STANDBY)
        for number in range(recipe.extra_keys)
    )
    return (signing, *extra, *namesakes(signing, recipe.namesakes))


def _vouched(
    network: Network, apex: Name, recipe: SignalRecipe, keys: Iterable[ZoneKey]
) -> Iterator[Ds]:
    """Yield the DS RRset above a signaling zone."""
    for key in keys if not recipe.stray_ds else ():
        real = key.ds(apex, recipe.digest)
        yield real
        for number in range(recipe.spoiled):
            digest = bytes([number]) + real.digest[1:]
            yield replace(real, digest=digest)
    for number in range(max(recipe.stray, int(recipe.stray_ds))):
        for key in network.keys(f"{apex}/stray{number}", recipe.algorithm):
            yield key.ds(apex)


Place = tuple["Zone", Name]
"""A zone, and the name in it."""


def publish(
    network: Network,
    zone: Zone,
    at: tuple[Name, Name],
    recipe: SignalRecipe,
    *,
    cds: list[Rdata],
    cdnskey: list[Rdata],
) -> None:
    """Put the contents where the form of the recipe wants them.

    `at` is the signaling name and the nameserver's.
    """
    absent = recipe.form == "absent"
    place = None if absent else _place(network, zone, at, recipe)
    if place is None:
        return
    zone, owner = place
    zone.put(owner, RdataType.CDS, cds)
    zone.put(owner, RdataType.CDNSKEY, cdnskey)
    network.touch(zone)


def _place(
    network: Network, zone: Zone, at: tuple[Name, Name], recipe: SignalRecipe
) -> Place | None:
    """Return where the contents go; None: nowhere."""
    owner, host = at
    match recipe.form:
        case "at-host" | "no-signal":
            return _enclosing(network, owner, zone), owner
        case "wildcard":
            return zone, Name((b"*", *signaling_domain(host).labels))
        case "cut":
            return signaling_zone(network, owner, recipe).zone, owner
        case "dname" | "dname-long":
            return _below_dname(network, zone, at, recipe.form)
        case "cname" | "cnames" | "wildcard-cname" | "loop":
            return _behind_cname(zone, at, recipe.form)
        case _:
            return zone, owner


def _enclosing(network: Network, owner: Name, zone: Zone) -> Zone:
    above = network.enclosing(owner)
    return above.zone if above else zone


def _behind_cname(zone: Zone, at: tuple[Name, Name], form: str) -> Place | None:
    owner, host = at
    target = Name((b"elsewhere", *zone.apex.labels))
    if form == "wildcard-cname":
        owner = Name((b"*", *signaling_domain(host).labels))
    if form == "loop":
        zone.put_text(owner, RdataType.CNAME, str(owner))
        return None
    also = (f"nowhere.{zone.apex}",) if form == "cnames" else ()
    zone.put_text(owner, RdataType.CNAME, str(target), *also)
    return zone, target


def _below_dname(
    network: Network, zone: Zone, at: tuple[Name, Name], form: str
) -> Place | None:
    owner, host = at
    if form == "dname-long":
        target = Name((*TOO_LONG, *zone.apex.labels[-2:]))
        zone.put_text(zone.apex, RdataType.DNAME, str(target))
        return None
    target = Name((b"elsewhere", *host.parent().labels))
    zone.put_text(zone.apex, RdataType.DNAME, str(target))
    owner = owner.relativize(zone.apex).derelativize(target)
    return _enclosing(network, owner, zone), owner
