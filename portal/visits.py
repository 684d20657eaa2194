"""Where a person is signed in: noted as it is used, listed, ended (S-103).

The rows are the library's; a session that has ended, by whatever way, has none.
Ending one deletes what the cookie names, so that the next request is nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest

from bootstrap import clock
from bootstrap.services import sessions
from portal.access import actor_of

MOST: Final = 100
"""Sessions that a page shows: the newest."""
BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
"""The first that fits: most browsers name their rivals too."""
SYSTEMS: Final = (
    (r"Android", "Android"),
    (r"iPhone|iPad", "iOS"),
    (r"Windows", "Windows"),
    (r"Macintosh|Mac OS", "macOS"),
    (r"CrOS", "ChromeOS"),
    (r"Linux", "Linux"),
)


def device(user_agent: str) -> str:
    """Return what a browser says it is, in two words; empty when that is nothing."""
    browser = next((word for mark, word in BROWSERS if mark in user_agent), "")
    systems = (word for mark, word in SYSTEMS if re.search(mark, user_agent))
    return ", ".join(part for part in (browser, next(systems, "")) if part)


def note(request: HttpRequest) -> None:
    """Write down that this session is being used, from where and by what."""
    seen = {
        "last_seen_at": clock.now(),
        "ip": get_adapter(request).get_client_ip(request),
        "user_agent": request.headers.get("User-Agent", "")[:200],
    }
    key = request.session.session_key
    mine = UserSession.objects.filter(session_key=key, user_id=request.user.pk)
    if key and not mine.update(**seen):
        UserSession.objects.create_from_request(request)


def forget(request: HttpRequest) -> None:
    """Take the row of a session away that is about to end by itself."""
    UserSession.objects.filter(session_key=request.session.session_key).delete()


def of(person: User) -> list[UserSession]:
    """Return a person's sessions that are alive, the last used first."""
    rows = UserSession.objects.filter(user=person).order_by("-last_seen_at", "-pk")
    return [row for row in rows[:MOST] if not row.purge()]


@transaction.atomic
def end(
    person: User, rows: Iterable[UserSession], *, request: HttpRequest, why: str
) -> int:
    """End sessions of one person, and record who did it; return how many."""
    count = 0
    for row in rows:
        count += row.exists()
        row.end()
    if count:
        actor, now = actor_of(request, "accounts"), clock.now()
        sessions.ended(person.get_username(), count, why, actor=actor, now=now)
    return count


def others(person: User, request: HttpRequest) -> list[UserSession]:
    """Return the sessions of a person but for the one of this request."""
    key = request.session.session_key
    return list(UserSession.objects.filter(user=person).exclude(session_key=key))


def on_new_password(request: HttpRequest, user: User, **_: object) -> None:
    """End every other session of an account whose password has just changed."""
    end(user, others(user, request), request=request, why="password")
