"""A change of a zone's rules that one person asks for and another confirms (S-64)."""

from __future__ import annotations

from django.db import models

from .zone import Zone


class RulesChange(models.Model):
    """Settings or policy of a zone as they would be; the row is what is confirmed.

    `settings` holds the columns that change, `policy` the whole text of the next
    version or null. `before` is both as they were when it was written: confirmed
    only while they still are so. `effect` is what the policy would have changed
    in last week's evaluations; none is confirmed without (S-72).
    """

    class Stand(models.TextChoices):
        """Where it stands."""

        OPEN = "open"
        CONFIRMED = "confirmed"
        REFUSED = "refused"

    zone = models.ForeignKey(Zone, on_delete=models.PROTECT, related_name="changes")
    settings = models.JSONField(default=dict)
    policy = models.JSONField(null=True)
    before = models.JSONField(default=dict)
    effect = models.JSONField(null=True)
    reason = models.TextField()
    author = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    stand = models.CharField(
        max_length=10, choices=Stand.choices, default=Stand.OPEN.value
    )
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    comment = models.TextField(blank=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("zone",),
                condition=models.Q(stand="open"),
                name="rules_one_open_per_zone",
            ),
            models.CheckConstraint(
                condition=~models.Q(stand="confirmed")
                | ~models.Q(decided_by=models.F("author")),
                name="rules_four_eyes",
            ),
            models.CheckConstraint(
                condition=~models.Q(stand="confirmed") | ~models.Q(decided_by=""),
                name="rules_confirmed_by_somebody",
            ),
        )

    def __str__(self) -> str:
        return f"{self.zone_id} {self.stand}"
