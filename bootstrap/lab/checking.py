"""Looks into the words of a recipe before anything is built from it."""

from __future__ import annotations

from collections.abc import Iterable

import dns.exception
import dns.name

from .crafted import Crafted
from .defects import Defect, Denial
from .keys import Role
from .recipes import InvalidRecipe, Recipe, SignalRecipe, ZoneRecipe

TWINS = "twins"


def check(recipe: Recipe, where: str) -> None:
    """Refuse keys, records, denials and defects that nothing could be made of.

    Raises:
        InvalidRecipe: with the place and the word.
    """
    zones = {"zone": recipe.zone, **{f"at.{t}": z for t, z in recipe.at.items()}}
    if recipe.after_ds:
        zones["after_ds"] = recipe.after_ds
    labels = {label for zone in zones.values() for label in _labels(zone, where)}
    for part, zone in zones.items():
        _check_part(zone, labels, f"{where}.{part}")
    for token, signal in recipe.signals.items():
        _check_part(signal, labels, f"{where}.signals.{token}")
    _check_records(recipe.ds, labels, f"{where}.ds")


def _labels(zone: ZoneRecipe, where: str) -> Iterable[str]:
    for spec in zone.keys:
        label, _, rest = spec.partition(":")
        role, _, algorithm = rest.partition(":")
        if role not in {*Role, TWINS} or not algorithm.isdecimal():
            raise InvalidRecipe(f"{where}: {spec!r} is no key")
        yield from (label, f"{label}b") if role == TWINS else (label,)


def _check_part(part: ZoneRecipe | SignalRecipe, labels: set[str], where: str) -> None:
    if part.denial not in set(Denial):
        raise InvalidRecipe(f"{where}.denial: no {part.denial!r}")
    _check_records(part.cds or (), labels, f"{where}.cds")
    _check_records(part.cdnskey or (), labels, f"{where}.cdnskey")
    for text in part.defects:
        try:
            Defect.parse(text, dns.name.root)
        except (ValueError, dns.exception.DNSException) as exc:
            raise InvalidRecipe(f"{where}.defects: {text!r}: {exc}") from exc
    for text in part.denials:
        try:
            Crafted.parse(text, dns.name.root, dns.name.root)
        except (ValueError, dns.exception.DNSException) as exc:
            raise InvalidRecipe(f"{where}.denials: {text!r}: {exc}") from exc


def _check_records(specs: Iterable[str], labels: set[str], where: str) -> None:
    for spec in specs:
        label, _, rest = spec.partition(":")
        try:
            known = bytes.fromhex(rest) if label == "raw" else label in labels
        except ValueError:
            known = False
        if not known:
            raise InvalidRecipe(f"{where}: {spec!r} is no record of a known key")
