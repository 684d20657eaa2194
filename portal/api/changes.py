"""Changes of DS sets: proposed, decided by people elsewhere, sent, seen."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router

from bootstrap.core.evaluation.paths import Path
from bootstrap.core.workflow.lifecycle import State
from bootstrap.models import Proposal, Publication, Sighting

from .bearers import Token, within
from .paging import Page, Text, Where, page
from .registry import canonical
from .schemas import ProposalDetail, ProposalOut, PublicationOut, SightingOut

router = Router()
PROPOSALS = Token("proposals:read")
PUBLICATIONS = Token("publications:read")


class ProposalWhere(Where):
    """The filters of the list of changes."""

    domain: Text = ""
    zone: Text = ""
    state: State | None = None
    path: Path | None = None


class OfProposal(Where):
    """Of one change alone, or of all."""

    proposal: UUID | None = None


@router.get("/proposals", auth=PROPOSALS, response=Page[ProposalOut])
def proposals(request: HttpRequest, where: Query[ProposalWhere]) -> dict[str, Any]:
    """List changes, oldest first."""
    columns = {
        "domain__name": where.domain and canonical(where.domain),
        "domain__zone__name": where.zone and canonical(where.zone),
        "state": where.state and where.state.value,
        "path": where.path and where.path.value,
    }
    rows = within(request, Proposal.objects.with_domain())
    narrowed = rows.filter(**{name: value for name, value in columns.items() if value})
    return page(narrowed, where, ["created_at", "pk"])


@router.get("/proposals/{proposal_id}", auth=PROPOSALS, response=ProposalDetail)
def proposal(request: HttpRequest, proposal_id: UUID) -> Proposal:
    """Show one change with what was said, sent and seen."""
    rows = within(request, Proposal.objects.with_domain())
    told = rows.prefetch_related("decisions", "publications", "sightings")
    return get_object_or_404(told, pk=proposal_id)


@router.get("/publications", auth=PUBLICATIONS, response=Page[PublicationOut])
def publications(request: HttpRequest, where: Query[OfProposal]) -> dict[str, Any]:
    """List attempts to change parents, newest first."""
    rows = within(request, Publication.objects.all(), "proposal__domain__zone")
    chosen = rows.filter(proposal=where.proposal) if where.proposal else rows
    return page(chosen, where, ["-pk"])


@router.get("/sightings", auth=PUBLICATIONS, response=Page[SightingOut])
def sightings(request: HttpRequest, where: Query[OfProposal]) -> dict[str, Any]:
    """List what parents' servers showed, newest first."""
    rows = within(request, Sighting.objects.all(), "proposal__domain__zone")
    chosen = rows.filter(proposal=where.proposal) if where.proposal else rows
    return page(chosen, where, ["-pk"])
