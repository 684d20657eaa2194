"""Zones, delegations, operators: what the registry holds and where children stand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Count
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router

from bootstrap.core.dns.names import InvalidName, parse_name, unrooted
from bootstrap.models import Domain, DomainState, OperatorFinding, Zone
from bootstrap.services import operators

from .bearers import Token, within
from .paging import Page, Text, Where, page
from .problems import Problem
from .schemas import (
    DomainDetail,
    DomainOut,
    OperatorFindingOut,
    ZoneDetail,
    ZoneOut,
)

router = Router()
ZONES = Token("zones:read")
DOMAINS = Token("domains:read")
OPERATORS = Token("domains:read", everywhere=True)


class DomainWhere(Where):
    """The filters of the list of domains, as the page has them."""

    q: Text = ""
    zone: Text = ""
    state: DomainState | None = None
    reason: Text = ""


@router.get("/zones", auth=ZONES, response=Page[ZoneOut])
def zones(request: HttpRequest, where: Query[Where]) -> dict[str, Any]:
    """List the parent zones."""
    return page(within(request, Zone.objects.all(), "pk"), where, ["name"])


@router.get("/zones/{path:name}", auth=ZONES, response=ZoneDetail)
def zone(request: HttpRequest, name: str) -> Any:  # noqa: ANN401 - a row with figures beside
    """Show one parent zone."""
    rows = within(request, Zone.objects.prefetch_related("policies"), "pk")
    row: Any = get_object_or_404(rows, name=canonical(name))
    counted = row.domains.delegated().order_by().values_list("state")
    row.delegations = dict(counted.annotate(count=Count("pk")))
    return row


@router.get("/domains", auth=DOMAINS, response=Page[DomainOut])
def domains(request: HttpRequest, where: Query[DomainWhere]) -> dict[str, Any]:
    """List the delegations by name."""
    columns = {
        "name__contains": where.q.strip().rstrip(".").lower(),
        "zone__name": where.zone and canonical(where.zone),
        "state": where.state,
        "last_reason": where.reason.strip(),
    }
    rows = within(request, Domain.objects.delegated().select_related("zone"), "zone")
    narrowed = rows.filter(**{name: value for name, value in columns.items() if value})
    return page(narrowed, where, ["name"])


@router.get("/domains/{path:name}", auth=DOMAINS, response=DomainDetail)
def domain(request: HttpRequest, name: str) -> Any:  # noqa: ANN401 - a row with figures beside
    """Show one delegation, also one that the registry has no more."""
    row: Any = domain_named(request, name)
    under_way = row.proposals.open().first()
    row.open_proposal = under_way.pk if under_way else None
    row.open_alarms = list(row.alarms.open())
    return row


@router.get("/operators", auth=OPERATORS, response=Page[OperatorFindingOut])
def findings(request: HttpRequest, where: Query[Where]) -> dict[str, Any]:  # noqa: ARG001 - the library's signature
    """List open causes behind many domains, oldest first."""
    return page(OperatorFinding.objects.open(), where, ["opened_at", "pk"])


@router.get("/operators/{finding_id}/domains", auth=OPERATORS, response=Page[DomainOut])
def members(
    request: HttpRequest,  # noqa: ARG001 - the library's signature
    finding_id: UUID,
    where: Query[Where],
) -> dict[str, Any]:
    """List the domains that have this cause now."""
    finding = get_object_or_404(OperatorFinding, pk=finding_id)
    rows = operators.members(finding).select_related("zone")
    return page(rows, where, ["name"])


def domain_named(request: HttpRequest, name: str) -> Domain:
    """Return a domain of the token's zones; 404 for all others alike."""
    rows = within(request, Domain.objects.select_related("zone"), "zone")
    return get_object_or_404(rows, name=canonical(name))


def canonical(text: str) -> str:
    """Return a name as rows hold it.

    Raises:
        Problem: it is no name.
    """
    try:
        return unrooted(parse_name(text))
    except InvalidName as wrong:
        raise Problem(404, "There is no such thing here.") from wrong
