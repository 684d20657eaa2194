"""What staff write beside a child or a change: seen by staff alone, never edited."""

from __future__ import annotations

from django.db import models

from .domain import Domain
from .proposal import Proposal


class Note(models.Model):
    """One remark of a person; `proposal` where it is about one change."""

    domain = models.ForeignKey(Domain, on_delete=models.PROTECT, related_name="notes")
    proposal = models.ForeignKey(
        Proposal, on_delete=models.PROTECT, null=True, blank=True, related_name="notes"
    )
    author = models.CharField(max_length=150)
    text = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return f"{self.author} on {self.domain_id}"
