"""The frame of every page: navigation with what waits, and names of steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django import template
from django.forms import BaseForm
from django.http import HttpRequest
from django.template import Context
from django.urls import reverse

from bootstrap.models import Alarm, Proposal
from bootstrap.services import powers
from portal import words
from portal.access import AUDIT, PEOPLE, holds, within

from .dns import duration, shown

register = template.Library()


@dataclass(frozen=True, slots=True)
class Link:
    """One line of the navigation; `count` is what waits there for a person."""

    word: str
    url: str
    icon: str
    here: bool
    count: int = 0
    tone: str = ""
    counted: str = ""
    group: bool = False


MANY: Final = 1000
"""Counting stops here."""

PAGES: Final[tuple[tuple[str, str, str], ...]] = (
    ("Overview", "dashboard:overview", "home"),
    ("Queue", "dashboard:queue", "inbox"),
    ("Domains", "dashboard:domains", "globe"),
    ("Operators", "dashboard:operators", "servers"),
    ("Scans", "dashboard:scans", "scan"),
    ("Zones", "dashboard:zones", "zone"),
    ("Alarms", "dashboard:alarms", "bell"),
    ("System", "dashboard:system", "pulse"),
    ("Audit trail", "dashboard:trail", "book"),
    ("People", "dashboard:people", "person"),
    ("Admin", "admin:index", "gear"),
)

ASKED: Final[Mapping[str, str]] = {
    "Audit trail": AUDIT,
    "People": PEOPLE,
    "System": powers.SEE,
}
"""Which permission, held everywhere, a page asks for; the others are for all staff."""


@register.simple_tag(takes_context=True)
def nav(context: Context) -> tuple[Link, ...]:
    """Return the pages that this person can open."""
    request: HttpRequest = context["request"]
    waiting, alarms = _waiting(context), _unseen(context)
    counts = {
        "Queue": (waiting, "wait", "waiting"),
        "Alarms": (alarms, "bad", "not acknowledged"),
    }
    return tuple(
        _link(request, page, *counts.get(page[0], (0, "", "")))
        for page in PAGES
        if page[0] not in ASKED or holds(request.user, ASKED[page[0]])
    )


def _waiting(context: Context) -> int:
    """Return what the page has counted already, else count."""
    if "waiting_total" in context:
        return int(context["waiting_total"])
    rows = Proposal.objects.awaiting_staff().order_by()
    return within(context["request"], rows)[:MANY].count()


def _unseen(context: Context) -> int:
    if "unseen_total" in context:
        return int(context["unseen_total"])
    rows = Alarm.objects.open().filter(acknowledged_at=None).order_by()
    return within(context["request"], rows)[:MANY].count()


def _link(
    request: HttpRequest,
    page: tuple[str, str, str],
    count: int,
    tone: str,
    counted: str,
) -> Link:
    word, name, icon = page
    url = reverse(name)
    here = request.path == url or (url != "/" and request.path.startswith(url))
    return Link(word, url, icon, here, count, tone, counted, group=word == "Admin")


@register.inclusion_tag("components/reason_line.html")
def reason_line(code: object) -> dict[str, Any]:
    """Show a reason in full: title, code, clause, and the sentence for staff."""
    return {"reason": words.reason(str(code))}


@register.filter
def step(name: object) -> str:
    """Return the name of a step in words; one of another release by its code."""
    code = str(name)
    plain = shown(code).removeprefix("check_").replace("_", " ")
    return words.STEPS.get(code, plain[:1].upper() + plain[1:])


@register.simple_tag
def skipped(checks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the checks that did not apply, or were not reached."""
    return [check for check in checks if check.get("result") == "skipped"]


@register.simple_tag
def filters_set(form: BaseForm) -> int:
    """Return how many filters beside the first, which is always in sight, are set."""
    return sum(bool(field.value()) for field in form.visible_fields()[1:])


@register.filter
def event_words(kind: object) -> str:
    """Return the words of a kind of entry; one of another release by its code."""
    return words.EVENTS.get(str(kind), shown(kind))


@register.filter
def cause_words(cause: object) -> str:
    """Return the words of a cause of suspension."""
    return words.CAUSES.get(str(cause), shown(cause))


@register.filter
def seconds(count: int | None) -> str:
    """Return a number of seconds in words; nothing counted is a dash."""
    if not count:
        return "–" if count is None else "0 seconds"
    return duration(timedelta(seconds=count))
