"""One cause behind many domains: what an operator mends once and for all of them."""

from __future__ import annotations

import uuid
from typing import Self

from django.db import models


class OperatorFindingQuerySet(models.QuerySet["OperatorFinding"]):
    """Questions about findings."""

    def open(self) -> Self:
        """Return those whose cause has not ended."""
        return self.filter(closed_at=None)

    def closed(self) -> Self:
        """Return those that are mended, the latest first."""
        return self.exclude(closed_at=None).order_by("-closed_at")


class OperatorFinding(models.Model):
    """The same reason at the same nameservers, for two domains or more.

    Who belongs to it is asked of the domains themselves; `members` is how many
    they were when last counted, `most` how many at the worst. It closes itself
    when fewer than two are left.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reason = models.CharField(max_length=40)
    ns_key = models.CharField(max_length=64)
    nameservers = models.JSONField(default=list)
    members = models.PositiveIntegerField(default=0)
    most = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField()
    counted_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = OperatorFindingQuerySet.as_manager()

    class Meta:
        ordering = ("-members", "opened_at", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("ns_key", "reason"),
                condition=models.Q(closed_at=None),
                name="operator_one_open_per_cause",
            ),
        )
        indexes = (
            # list of open findings, the largest first
            models.Index(
                fields=("-members", "opened_at"),
                condition=models.Q(closed_at=None),
                name="operator_open",
            ),
            # one operator's story
            models.Index(fields=("ns_key", "-opened_at"), name="operator_story"),
        )

    def __str__(self) -> str:
        return f"{self.reason} {self.ns_key[:8]}"
