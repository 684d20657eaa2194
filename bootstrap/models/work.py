"""What is to be done, by whom until when: leases and fencing (S-74)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from .domain import Domain

if TYPE_CHECKING:
    from datetime import datetime


class WorkQuerySet(models.QuerySet["WorkItem"]):
    """Questions about work."""

    def claimable(self, now: datetime) -> Self:
        """Return items that are due, wanted and in nobody's hands."""
        free = models.Q(lease_until=None) | models.Q(lease_until__lt=now)
        return self.filter(free, due_at__lte=now, parked_at=None)


class WorkItem(models.Model):
    """One child's place in the scan schedule.

    The row is the truth; the queue only rings the bell. `fence` grows with each
    claim, and a late writer that holds an older number is refused. `attempts`
    counts claims since the last finished evaluation, so that an item whose
    worker dies three times is parked. `again` asks for another evaluation after
    the one that is running (P-1.46).
    """

    domain = models.OneToOneField(
        Domain, on_delete=models.CASCADE, related_name="work", primary_key=True
    )
    due_at = models.DateTimeField()
    trigger = models.CharField(max_length=20)
    priority = models.SmallIntegerField(default=0)
    again = models.BooleanField(default=False)
    retries = models.PositiveSmallIntegerField(default=0)
    """Steps of the retry schedule of class R already taken."""
    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveBigIntegerField(default=0)
    holder = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    parked_at = models.DateTimeField(null=True, blank=True)

    objects = WorkQuerySet.as_manager()

    class Meta:
        indexes = (
            # claiming: what is due, most urgent first
            models.Index(
                fields=("-priority", "due_at"),
                condition=models.Q(parked_at=None),
                name="work_due",
            ),
            # what dead workers have left; few have a lease at any time
            models.Index(
                fields=("lease_until",),
                condition=models.Q(lease_until__isnull=False),
                name="work_leased",
            ),
            # what the running page counts as parked
            models.Index(
                fields=("parked_at",),
                condition=models.Q(parked_at__isnull=False),
                name="work_parked",
            ),
        )

    def __str__(self) -> str:
        return f"{self.domain_id} due {self.due_at:%Y-%m-%d %H:%M}Z"
