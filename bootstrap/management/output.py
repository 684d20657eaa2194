"""How commands find what they are told to act on, and print what they know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError

from bootstrap.core.dns.names import InvalidName, parse_name, unrooted
from bootstrap.models import Domain, Proposal, Zone

SHORTEST_ID = 4


def as_json(value: Mapping[str, Any]) -> str:
    """Return one line of JSON."""
    return json.dumps(value, ensure_ascii=False)


def one_line(told: Mapping[str, Any], *, as_json_line: bool) -> str:
    """Return one row of a list, for programs or for people."""
    if as_json_line:
        return as_json(told)
    return "  ".join(f"{name}={value}" for name, value in told.items())


def canonical_name(text: str) -> str:
    """Return a name as rows hold it; raise CommandError if it is none."""
    try:
        return unrooted(parse_name(text))
    except InvalidName as exc:
        raise CommandError(str(exc)) from exc


def zone_named(text: str) -> Zone:
    """Return the zone; raise CommandError if we do not act for it."""
    name = canonical_name(text)
    zone = Zone.objects.filter(name=name).first()
    if zone is None:
        raise CommandError(f"{name} is no zone of ours; see `manage.py zone list`")
    return zone


def domain_named(text: str) -> Domain:
    """Return the domain; raise CommandError if it is not known."""
    name = canonical_name(text)
    domain = Domain.objects.select_related("zone").filter(name=name).first()
    if domain is None:
        raise CommandError(f"{name} is not known; was its parent zone imported?")
    return domain


def proposal_with(text: str) -> Proposal:
    """Return the proposal of this id, or of the only id that begins so."""
    wanted = text.strip().lower().replace("-", "")
    if len(wanted) < SHORTEST_ID or not set(wanted) <= set("0123456789abcdef"):
        raise CommandError(f"{text!r} is no id of a proposal")
    low, high = wanted.ljust(32, "0"), wanted.ljust(32, "f")
    found = Proposal.objects.with_domain().filter(pk__gte=low, pk__lte=high)[:2]
    if not found:
        raise CommandError(f"there is no proposal {text}")
    if len(found) > 1:
        raise CommandError(f"several proposals begin with {text}")
    return found[0]
