"""Where the pages of a large registry are: first pages, last ones, filters, rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.urls import reverse

from bootstrap.models import (
    Alarm,
    AuditEntry,
    Domain,
    OperatorFinding,
    Proposal,
    ScanAttempt,
    Zone,
)
from bootstrap.services import batches

from .history import READER
from .visits import DETAIL, LIST

SOME = 20
"""Rows of each kind whose pages are opened in turn."""


@dataclass(frozen=True, slots=True)
class Page:
    """Addresses that count as one page; `posted` is what a form sends there."""

    urls: Sequence[str]
    most: int
    posted: dict[str, Any] = field(default_factory=dict)


def reader() -> User:
    """Return the account that may open every page."""
    return User.objects.get(username=READER)


def pages() -> dict[str, Page]:
    """Return every page of staff by its name; none that a small registry lacks."""
    found = {**_lists(), **_details(), **_admin(), "batch preview": _batch()}
    return {name: page for name, page in found.items() if page.urls}


def _lists() -> dict[str, Page]:
    operator = Domain.objects.filter(state="waiting")[:1].get().ns_key
    urls = {
        "overview": "/",
        "queue": "/queue/",
        "queue, last page": "/queue/?page=99999",
        "queue, filtered": "/queue/?zone=example&state=candidate&path=bootstrap",
        "queue, operator": "/queue/?operator=operator-77.net",
        "queue, registrar": "/queue/?registrar=registrar+7",
        "queue, name": "/queue/?q=candle",
        "queue, age": "/queue/?age=hour",
        "domains": "/domains/",
        "domains, last page": "/domains/?page=99999",
        "domains, state": "/domains/?state=blocked",
        "domains, zone and state": "/domains/?zone=test&state=waiting",
        "domains, reason": "/domains/?reason=SIG_NONE",
        "domains, operator": f"/domains/?operator={operator}&reason=SIG_NONE",
        "domains, name, common": "/domains/?q=candle",
        "domains, name, rare": "/domains/?q=-f423f.",
        "domains, name, none": "/domains/?q=nobody-has-this",
        "scans": "/scans/",
        "scans, last page": "/scans/?page=99999",
        "scans, outcome": "/scans/?outcome=reject",
        "zones": "/zones/",
        "alarms": "/alarms/",
        "alarms, all": "/alarms/?show=all",
        "operators": "/operators/",
        "operators, closed": "/operators/?closed",
        "trail": "/audit/",
        "trail, last page": "/audit/?page=99999",
        "trail, stream": "/audit/?q=candle-ember",
        "trail, nothing": "/audit/?q=nobody-has-this",
        "trail, domain": f"/audit/?domain={Domain.objects.get(pk=7).name}",
        "trail, person": "/audit/?actor=approver-3",
        "trail, kind": "/audit/?type=scan",
    }
    return {name: Page([url], LIST) for name, url in urls.items()}


def _details() -> dict[str, Page]:
    waiting = _some(Proposal.objects.filter(state="candidate"))
    told = [row.scan for row in waiting]
    kinds = ("pending", "secured", "blocked", "waiting", "alarm")
    children = [
        row for kind in kinds for row in _some(Domain.objects.filter(state=kind))
    ]
    return {
        "change": _each("proposal", "proposal_id", waiting),
        "change, settled": _each(
            "proposal", "proposal_id", _some(Proposal.objects.filter(state="settled"))
        ),
        "domain": _each("domain", "domain_id", children),
        "scan": _each("scan", "scan_id", told),
        "scan, routine": _each("scan", "scan_id", _some(ScanAttempt.objects.all())),
        "compare": Page([_compare(row) for row in told], DETAIL),
        "zone": _each("zone", "zone_id", Zone.objects.all()),
        "readiness": _each("readiness", "zone_id", Zone.objects.all()),
        "rules": _each("rules-edit", "zone_id", Zone.objects.all()),
        "operator": Page(
            [
                reverse("dashboard:operator", args=[found.ns_key])
                for found in OperatorFinding.objects.all()[:SOME]
            ],
            DETAIL,
        ),
        "entry": Page(
            [
                reverse("dashboard:entry", args=[row.uid])
                for row in AuditEntry.objects.order_by("-pk")[:SOME]
            ],
            DETAIL,
        ),
        "system": Page(["/system/"], DETAIL),
        "running scans": Page(["/scans/running/"], DETAIL),
        "report": Page(["/audit/report/"], DETAIL),
        "report of a year": Page(["/audit/report/?since=2025-12-01"], DETAIL),
    }


def _some(rows: QuerySet[Any]) -> list[Any]:
    return list(rows[:SOME])


def _each(name: str, key: str, rows: Iterable[Model]) -> Page:
    urls = [reverse(f"dashboard:{name}", kwargs={key: row.pk}) for row in rows]
    return Page(urls, DETAIL)


def _compare(row: ScanAttempt) -> str:
    before = row.domain.scans.order_by("started_at")[0]
    return reverse("dashboard:compare", args=[row.pk, before.pk])


def _admin() -> dict[str, Page]:
    tables = (Domain, ScanAttempt, Proposal, Alarm, AuditEntry)
    names = [table.__name__.lower() for table in tables]
    lists = {
        f"admin, {name}": Page(
            [reverse(f"admin:bootstrap_{name}_changelist")],
            DETAIL,
        )
        for name in names
    }
    change = _some(Proposal.objects.filter(state="candidate"))
    opened = [reverse("admin:bootstrap_proposal_change", args=[p.pk]) for p in change]
    search = reverse("admin:bootstrap_domain_changelist") + "?q=candle-ember"
    return {
        **lists,
        "admin, change": Page(opened, DETAIL),
        "admin, search": Page([search], DETAIL),
    }


def _batch() -> Page:
    rows = Proposal.objects.filter(state="candidate").order_by("created_at")
    ids = [str(row.pk) for row in rows[: batches.MOST]]
    url = reverse("dashboard:batch")
    return Page([url], DETAIL, {"verb": "approve", "chosen": ids})
