"""What stops publication: breakers that open by themselves, and the switch."""

from __future__ import annotations

from typing import Self

from django.db import models


class BreakerScope(models.TextChoices):
    """Whom a breaker stops."""

    GLOBAL = "global", "all children"
    OPERATOR = "operator", "the children of one DNS operator"


class BreakerQuerySet(models.QuerySet["Breaker"]):
    """Questions about breakers."""

    def open(self) -> Self:
        """Return those that hold automation now."""
        return self.filter(released_at=None)

    def covering(self, operator: str) -> Self:
        """Return those that stop children of this operator, the global one first."""
        of_it = models.Q(scope=BreakerScope.OPERATOR, subject=operator)
        return self.filter(of_it | models.Q(scope=BreakerScope.GLOBAL)).order_by(
            "scope", "pk"
        )


class Breaker(models.Model):
    """Too much changed at once: automation holds until two persons release it.

    `subject` is the operator (`core.workflow.breakers.operator_of`), empty for
    the global one; `reason` the limit that was exceeded (`Trip`), `counters`
    what the hour had brought when it opened.
    """

    scope = models.CharField(max_length=10, choices=BreakerScope.choices)
    subject = models.CharField(max_length=255, blank=True)
    reason = models.CharField(max_length=40)
    counters = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)

    objects = BreakerQuerySet.as_manager()

    class Meta:
        ordering = ("-opened_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("scope", "subject"),
                condition=models.Q(released_at=None),
                name="breaker_one_open_per_subject",
            ),
        )

    def __str__(self) -> str:
        return f"{self.scope} {self.subject} {self.reason}"


class BreakerVoice(models.Model):
    """One person's word for the release of a breaker (S-64)."""

    breaker = models.ForeignKey(
        Breaker, on_delete=models.PROTECT, related_name="voices"
    )
    actor = models.CharField(max_length=150)
    via = models.CharField(max_length=20)
    comment = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("at",)
        constraints = (
            models.UniqueConstraint(
                fields=("breaker", "actor"), name="breaker_one_voice_per_person"
            ),
        )

    def __str__(self) -> str:
        return f"{self.actor} for {self.breaker_id}"


class Switch(models.Model):
    """A stop of all publication (S-71); `name` says which of them.

    The row is what holds now; its story is in the trail.
    """

    name = models.CharField(max_length=20, primary_key=True)
    engaged = models.BooleanField(default=False)
    since = models.DateTimeField()
    by = models.CharField(max_length=150)
    reason = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.name} {'engaged' if self.engaged else 'released'}"
