"""The queue: filtered by its address, saved under names, decided many at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from bootstrap import clock
from bootstrap.models import Decision, Proposal, Zone
from bootstrap.services import batches, savedviews
from portal import idn
from portal.access import (
    DECIDE,
    actor_of,
    fresh_second_factor,
    holds_somewhere,
    may,
    staff_only,
    within,
    zones_of,
)

from . import layouts, presenters
from .forms import BatchForm, QueueFilter, ViewForm
from .paging import FAR, page_of

AGES: Final[Mapping[str, timedelta]] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}
NS_KEY: Final = re.compile(r"[0-9a-f]{64}")
"""What names a nameserver set; no operator of breakers is written so."""
SOON: Final = timedelta(hours=12)
"""What expires within it is "expiring today"."""
LATELY: Final = timedelta(days=30)
"""How far back one's own decisions are listed."""


@require_safe
@staff_only
def queue(request: HttpRequest) -> HttpResponse:
    """List what only a person can move, oldest first; htmx asks what is new."""
    zones = within(request, Zone.objects.all(), "pk")
    views = _views(request, zones)
    wanted, now = _wanted(request.GET, views), clock.now()
    form = QueueFilter(wanted, zones=zones)
    rows = narrowed(standing(request, form, now), form, now)
    if "since" in request.GET:
        return render(request, "dashboard/_news.html", _news(request, rows))
    layout = layouts.of("queue", request, wanted)
    rows = rows.order_by(*layout.order).select_related("domain__zone", "scan")
    found = page_of(rows, request, layout.size)
    shown = {"form": form, "page": found, "views": views, "now": now, "layout": layout}
    shown["mine"] = _mine(form)
    shown["may_decide"] = not shown["mine"] and holds_somewhere(request.user, DECIDE)
    shown["limit"] = batches.MOST
    dress(found.rows)
    return render(request, "dashboard/queue.html", shown)


def asked(request: HttpRequest) -> QueueFilter:
    """Return the filters of the address, with those of the saved view that it names."""
    zones = within(request, Zone.objects.all(), "pk")
    return QueueFilter(_wanted(request.GET, _views(request, zones)), zones=zones)


def standing(
    request: HttpRequest, form: QueueFilter, now: datetime
) -> QuerySet[Proposal]:
    """Return the rows before any filter: what waits, or what this person decided."""
    if not _mine(form):
        return within(request, Proposal.objects.awaiting_staff())
    said = Decision.objects.filter(
        at__gte=now - LATELY, actor_kind="staff", actor=request.user.get_username()
    )
    return within(request, Proposal.objects.filter(pk__in=said.values("proposal")))


def _mine(form: QueueFilter) -> bool:
    return form.is_valid() and form.cleaned_data["decided"] == "me"


def _views(request: HttpRequest, zones: QuerySet[Zone]) -> list[savedviews.View]:
    """Return the views that name no zone beyond those that this person sees."""
    views = list(savedviews.known_to(request.user.get_username()))
    if zones_of(request) is None:
        return views
    seen = {"", *zones.values_list("name", flat=True)}
    return [view for view in views if view.params.get("zone", "") in seen]


def dress(rows: Iterable[Any]) -> None:
    """Give each row what its line shows: the difference of DS, the checks."""
    for row in rows:
        row.diff = presenters.ds_diff(row.old_ds, row.new_ds)
        row.marks = presenters.tally(row.scan.checks)


def _wanted(asked: QueryDict, views: Iterable[savedviews.View]) -> Mapping[str, Any]:
    """Return the filters: those of a view named by its slug, and what is typed."""
    named = next((v for v in views if v.slug == asked.get("view")), None)
    typed = {key: value for key, value in asked.items() if value}
    return {**named.params, **typed} if named else asked


def narrowed(
    rows: QuerySet[Proposal], form: QueueFilter, now: datetime
) -> QuerySet[Proposal]:
    """Return what the filters leave, oldest first; nonsense leaves nothing."""
    if not form.is_valid():
        return rows.none()
    wanted = form.cleaned_data
    columns = {
        "domain__name__contains": idn.ascii_form(wanted["q"].strip().rstrip(".")),
        "domain__zone": wanted["zone"],
        "state": wanted["state"],
        "path": wanted["path"],
        "domain__registrar__icontains": wanted["registrar"].strip(),
        "reason__startswith": wanted["reason"].strip(),
    }
    rows = rows.filter(**{column: value for column, value in columns.items() if value})
    if operator := wanted["operator"].strip().lower():
        by = "domain__ns_key" if NS_KEY.fullmatch(operator) else "operator"
        rows = rows.filter(**{by: operator})
    return _aged(rows, wanted["age"], now).order_by("created_at", "pk")


def _aged(rows: QuerySet[Proposal], age: str, now: datetime) -> QuerySet[Proposal]:
    if age == "expiring":
        return rows.filter(expires_at__lt=now + SOON)
    return rows.filter(created_at__lt=now - AGES[age]) if age else rows


def _news(request: HttpRequest, rows: QuerySet[Proposal]) -> dict[str, Any]:
    """Return how many came since the page was loaded; rows never move by themselves."""
    text = request.GET.get("since", "").replace(" ", "+")
    since = parse_datetime(text) if text else None
    query = request.GET.copy()
    query.pop("since", None)
    fresh = rows.filter(created_at__gt=since) if since else rows.none()
    return {"count": fresh.order_by()[:1000].count(), "query": query.urlencode()}


@require_POST
@may(DECIDE)
def batch(request: HttpRequest) -> HttpResponse:
    """Show what a batch would change and what it would skip; decide nothing."""
    form = BatchForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose changes first, then approve or reject.")
        return redirect("dashboard:queue")
    chosen = form.cleaned_data["chosen"]
    if form.cleaned_data["every"]:
        chosen = _matching(request)
    return preview(request, form.cleaned_data["verb"], chosen)


def _matching(request: HttpRequest) -> list[str]:
    """Return all that the filters in the address leave, oldest first, up to a limit."""
    seen = within(request, Proposal.objects.awaiting_staff())
    rows = narrowed(seen, asked(request), clock.now())
    return [str(pk) for pk in rows.values_list("pk", flat=True)[:FAR]]


def preview(
    request: HttpRequest, verb: str, ids: list[str], via: str = "dashboard"
) -> HttpResponse:
    """Return the page that stands before every batch, of both doors (2.6)."""
    rows = within(request, Proposal.objects.with_domain().order_by("created_at"))
    chosen = list(rows.select_related("scan").filter(pk__in=ids[: batches.MOST]))
    dress(chosen)
    now, actor = clock.now(), actor_of(request)
    found = batches.preview(verb, chosen, actor=actor, now=now)
    left_out = max(0, len(ids) - batches.MOST)
    shown = {"batch": found, "verb": verb, "left_out": left_out, "via": via}
    return render(request, "dashboard/batch.html", shown | {"limit": batches.MOST})


@require_POST
@may(DECIDE)
@fresh_second_factor
def batch_decide(request: HttpRequest) -> HttpResponse:
    """Decide what the preview showed, each under the digest that was on the screen."""
    form = BatchForm(request.POST)
    if not form.is_valid() or not form.cleaned_data["comment"].strip():
        messages.error(request, "Nothing was decided: a batch needs a reason.")
        return redirect("dashboard:queue")
    wanted = form.cleaned_data
    done = _decided(request, wanted["verb"], wanted["seen"], wanted["comment"])
    if done is None:
        return redirect("dashboard:queue")
    shown = {"batch": done, "verb": wanted["verb"]}
    return render(request, "dashboard/batch_done.html", shown)


def _decided(
    request: HttpRequest, verb: str, seen: Mapping[str, str], comment: str
) -> batches.Batch | None:
    all_rows = Proposal.objects.with_domain().filter(pk__in=seen)
    rows = within(request, all_rows.order_by("created_at"))
    chosen = [(row, seen[str(row.pk)]) for row in rows]
    via = "admin" if request.POST.get("via") == "admin" else "dashboard"
    actor = actor_of(request, via)
    try:
        return batches.decide(
            verb, chosen, actor=actor, comment=comment, now=clock.now()
        )
    except batches.BatchRefused as refusal:
        messages.error(request, f"Nothing was decided: {refusal}.")
        return None


@require_POST
@staff_only
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep the filters of the queue under a name."""
    form = ViewForm(request.POST)
    back = reverse("dashboard:queue")
    if not form.is_valid():
        messages.error(request, "Give the view a name of at most 60 letters.")
        return redirect(back)
    try:
        row = savedviews.save(
            form.cleaned_data["name"],
            form.params(),
            shared=form.cleaned_data["shared"],
            actor=actor_of(request),
            now=clock.now(),
        )
    except savedviews.ViewRefused as refusal:
        messages.error(request, f"Not saved: {refusal}.")
        return redirect(back)
    return redirect(f"{back}?view={row.slug}")


@require_POST
@staff_only
def delete_view(request: HttpRequest, slug: str) -> HttpResponse:
    """Remove one's own view."""
    if savedviews.delete(slug, actor=actor_of(request)):
        messages.success(request, "The view is removed.")
    return redirect("dashboard:queue")
