"""One cause behind many domains, as pages and lists show it; links to send away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django.core import signing
from django.http import HttpRequest
from django.urls import reverse

from bootstrap.core.dns.names import (
    UnusableSignalingName,
    out_of_domain,
    parse_name,
    signaling_name,
)
from bootstrap.models import Domain, OperatorFinding
from bootstrap.services import operators, powers

SALT: Final = "operator-finding"
GOOD_FOR: Final = timedelta(days=30)
"""How long a link that was sent to an operator opens."""
SHOWN: Final = 200
"""Members that a page shows; a list has them all."""
COLUMNS: Final = ("domain", "reason", "state", "since", "last_look", "names", "status")


def link_to(
    finding: OperatorFinding, request: HttpRequest, zones: powers.Zones = None
) -> str:
    """Return an address that opens this finding without an account, for a while.

    It shows as much as whoever makes it sees: the members in these zones.
    """
    inside = None if zones is None else sorted(zones)
    token = signing.dumps([str(finding.pk), inside], salt=SALT)
    return request.build_absolute_uri(reverse("shared:finding", args=[token]))


def behind(token: str) -> tuple[OperatorFinding | None, powers.Zones]:
    """Return the finding of such an address, None when it is forged or too old.

    Beside it the zones that the address is good for.
    """
    try:
        told = signing.loads(token, salt=SALT, max_age=GOOD_FOR)
    except signing.BadSignature:
        return None, frozenset()
    pk, inside = told if isinstance(told, list) else (told, None)
    zones = None if inside is None else frozenset(inside)
    return OperatorFinding.objects.filter(pk=pk).first(), zones


def listed(
    finding: OperatorFinding, request: HttpRequest, zones: powers.Zones = None
) -> list[dict[str, Any]]:
    """Return a line for each member: only what anybody could see (S-108)."""
    base = request.build_absolute_uri("/status/")
    fields = ("name", "nameservers", "state", "state_since", "last_scan_at")
    rows = operators.members(finding, zones).only(*fields)
    return [_line(row, finding.reason, base) for row in rows.iterator()]


def _line(row: Domain, reason: str, base: str) -> dict[str, Any]:
    return {
        "domain": row.name,
        "reason": reason,
        "state": row.state,
        "since": _moment(row.state_since),
        "last_look": _moment(row.last_scan_at),
        "names": " ".join(_names(row.name, row.nameservers)),
        "status": f"{base}{row.name}",
    }


def _moment(at: Any) -> str:  # noqa: ANN401 - a moment or nothing
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def _names(child: str, nameservers: Sequence[str]) -> list[str]:
    """Return where the operator vouches for this child (RFC 9615, 3.2)."""
    owner = parse_name(child)
    found = []
    for host in out_of_domain(owner, [parse_name(text) for text in nameservers]):
        try:
            found.append(signaling_name(owner, host).to_text())
        except UnusableSignalingName:
            continue  # told by the reason of the evaluation itself
    return found
