"""A parent in memory that holds what a proposal of the builders expects."""

from __future__ import annotations

from datetime import datetime, timedelta

from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import Ds
from bootstrap.models import AuditEntry, Domain, Proposal
from bootstrap.registry.memory import MemoryRegistry

from .builders import NAMESERVERS, NOW, a_domain, a_proposal, a_zone

CHILD = parse_name("child.test")


class Killed(BaseException):
    """The process ends here: nobody catches it."""


class Clock:
    """Stands still unless it is told to move."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, **interval: float) -> None:
        self.at += timedelta(**interval)


def a_parent(*ds: str) -> MemoryRegistry:
    parent = MemoryRegistry(parse_name("test"))
    hosts = [parse_name(host) for host in NAMESERVERS]
    parent.delegate(CHILD, *hosts, ds=tuple(map(Ds.from_text, ds)))
    return parent


def held(parent: MemoryRegistry) -> list[str]:
    return [ds.to_text() for ds in parent.ds[CHILD]]


def an_approved(domain: Domain | None = None, **changes: object) -> Proposal:
    domain = domain or a_domain(a_zone(ds_ttl_initial=600))
    return a_proposal(domain, **{"state": "approved", "approved_at": NOW, **changes})


def told(domain: Domain) -> list[str]:
    """Return the story of a child as the trail tells it."""
    entries = AuditEntry.objects.filter(stream=domain.stream).order_by("number")
    return list(entries.values_list("type", flat=True))
