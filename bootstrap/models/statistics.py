"""Figures of each day, so that no page counts a million delegations."""

from __future__ import annotations

from django.db import models

from .zone import Zone


class DailyFigures(models.Model):
    """One zone at the end of a day, or at `counted_at` while the day lasts.

    `states` and `reasons` count delegations by state, and stuck ones by reason.
    `bootstraps`, `updates` and `removals` count what was sent on that day.
    """

    zone = models.ForeignKey(Zone, on_delete=models.CASCADE, related_name="figures")
    day = models.DateField()
    counted_at = models.DateTimeField()
    states = models.JSONField(default=dict)
    reasons = models.JSONField(default=dict)
    total = models.PositiveIntegerField(default=0)
    secured = models.PositiveIntegerField(default=0)
    bootstraps = models.PositiveIntegerField(default=0)
    updates = models.PositiveIntegerField(default=0)
    removals = models.PositiveIntegerField(default=0)
    stalest = models.DateTimeField(null=True, blank=True)
    """The oldest last look among the zone's delegations."""
    unseen = models.PositiveIntegerField(default=0)
    """Delegations that nobody has looked at yet."""

    class Meta:
        ordering = ("day", "zone")
        constraints = (
            models.UniqueConstraint(
                fields=("day", "zone"), name="figures_once_a_day_and_zone"
            ),
        )

    def __str__(self) -> str:
        return f"{self.zone_id} on {self.day}"
