"""What somebody must look at; acknowledged with a comment, never silently gone."""

from __future__ import annotations

from typing import Self

from django.db import models

from .domain import Domain


class AlarmQuerySet(models.QuerySet["Alarm"]):
    """Questions about alarms."""

    def open(self) -> Self:
        """Return those whose cause has not ended."""
        return self.filter(closed_at=None)


class Alarm(models.Model):
    """A class A or X condition; `subject` is a domain's name or a part of ours."""

    code = models.CharField(max_length=40)
    subject = models.CharField(max_length=1020, blank=True)
    domain = models.ForeignKey(
        Domain, on_delete=models.CASCADE, null=True, blank=True, related_name="alarms"
    )
    detail = models.TextField(blank=True)
    opened_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    times_seen = models.PositiveIntegerField(default=1)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)
    comment = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = AlarmQuerySet.as_manager()

    class Meta:
        ordering = ("-opened_at",)
        indexes = (
            # list of all alarms, and the report of a period
            models.Index(fields=("-opened_at",), name="alarm_newest"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("code", "subject"),
                condition=models.Q(closed_at=None),
                name="alarm_one_open_per_cause",
            ),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.subject}"
