"""Says "there is work": the only module that knows django-q2.

With the ORM broker a ring is a row of the caller's transaction: it rolls back
with it. The tables of work are the truth; a lost ring costs at most one poll.
"""

from __future__ import annotations

from enum import StrEnum, unique

from django_q.tasks import async_task


@unique
class Work(StrEnum):
    """The task that looks at a table of work, by dotted path."""

    SCANS = "bootstrap.tasks.drain_scans"
    PUBLICATIONS = "bootstrap.tasks.drain_publications"
    VERIFICATIONS = "bootstrap.tasks.drain_verifications"


def ring(work: Work) -> None:
    """Wake a worker; arguments are never passed (S-78)."""
    async_task(work.value)
