"""Where a name stands, for anybody: the same words as the public page (S-108)."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from ninja import Router

from bootstrap import clock
from bootstrap.core.dns.names import InvalidName, parse_name, unrooted
from bootstrap.models import Domain
from portal.status import presenters

from .bearers import measure

router = Router()


@router.get("/status/{path:name}", auth=None, response=dict[str, Any])
def status(request: HttpRequest, name: str) -> dict[str, Any]:
    """Tell where a name stands; unknown names and names of others say the same."""
    measure(request)
    try:
        wanted = unrooted(parse_name(name))
    except InvalidName:
        raise Http404 from None
    rows = Domain.objects.delegated().select_related("zone")
    row = rows.filter(name=wanted).first()
    if row is None:
        raise Http404
    return presenters.as_json(presenters.told(row, now=clock.now()))
