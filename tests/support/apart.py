"""A second zone beside the small registry, and people who belong to it alone."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import Group, User

from bootstrap.models import (
    Alarm,
    Domain,
    DomainState,
    Proposal,
    RulesChange,
    ScanAttempt,
    Zone,
    ZoneRole,
)

from . import rows


@dataclass
class Elsewhere:
    """A zone of its own, with one of each thing that belongs to a zone."""

    zone: Zone
    domain: Domain
    scan: ScanAttempt
    proposal: Proposal
    alarm: Alarm
    rules: RulesChange


def elsewhere() -> Elsewhere:
    """Return the second zone; its child is stuck for a cause of the first zone's."""
    zone = rows.a_zone("elsewhere")
    domain = rows.a_domain(zone, "home.elsewhere", state=DomainState.BLOCKED)
    scan = rows.a_scan(domain)
    rows.a_scan(domain)
    return Elsewhere(
        zone,
        domain,
        scan,
        rows.a_proposal(domain, scan),
        rows.an_alarm(domain, "SIG_BOGUS", domain.name),
        rows.a_change_of_rules(zone),
    )


def a_limited_person(zone: Zone, *roles: str, name: str = "") -> User:
    """Return an account of staff that holds these roles in one zone alone."""
    user = User.objects.create_user(
        name or f"{roles[0]} of {zone.name}", password="correct horse", is_staff=True
    )
    for role in roles:
        row = Group.objects.get(name=role)
        ZoneRole.objects.create(user=user, role=row, zone=zone, since=rows.NOW)
    return user
