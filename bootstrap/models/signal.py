"""Where signals may be listed, and what the lists said last: hints (P-1.41)."""

from __future__ import annotations

from django.db import models

from .domain import Domain
from .fields import NameField


class SignalSource(models.Model):
    """A nameserver of our delegations, whose signaling domain may be listed.

    `way` and `ending` tell how the last list came about and where it ended,
    `queries` what it cost. `listed` counts the children of our zones in it,
    `matched` those of them that name this host in their delegation.
    """

    host = NameField(unique=True)
    due_at = models.DateTimeField(db_index=True)
    looked_at = models.DateTimeField(null=True, blank=True)
    way = models.CharField(max_length=10, blank=True)
    ending = models.CharField(max_length=10, blank=True)
    queries = models.PositiveIntegerField(default=0)
    listed = models.PositiveIntegerField(default=0)
    matched = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.host}: {self.ending or 'not looked at yet'}"


class SignalHint(models.Model):
    """One child that a source lists: remembered, so that news can be told from it."""

    source = models.ForeignKey(
        SignalSource, on_delete=models.CASCADE, related_name="hints"
    )
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="hints")
    seen_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("source", "domain"), name="hint_once"),
        )

    def __str__(self) -> str:
        return f"{self.domain_id} at {self.source_id}"
