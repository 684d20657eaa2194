"""What was sent to the parent, and what the parent's servers then showed (P-8.10)."""

from __future__ import annotations

from django.db import models

from .proposal import Proposal


class Publication(models.Model):
    """One attempt to change the parent: said before, told after (S-73)."""

    proposal = models.ForeignKey(
        Proposal, on_delete=models.PROTECT, related_name="publications"
    )
    number = models.PositiveSmallIntegerField()
    fence = models.PositiveBigIntegerField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, blank=True)
    """applied, unchanged, refused, unreachable, read-back, conflict."""
    rcode = models.CharField(max_length=20, blank=True)
    request = models.BinaryField(null=True, blank=True)
    response = models.BinaryField(null=True, blank=True)
    detail = models.TextField(blank=True)

    class Meta:
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(
                fields=("proposal", "number"), name="publication_numbered_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.proposal_id} try {self.number}"


class Sighting(models.Model):
    """What one parent server, or the validator, showed after publication."""

    proposal = models.ForeignKey(
        Proposal, on_delete=models.PROTECT, related_name="sightings"
    )
    at = models.DateTimeField()
    server = models.CharField(max_length=64)
    """An address, or "validator" for the walk from the root."""
    ds = models.JSONField(default=list)
    ttl = models.PositiveIntegerField(null=True, blank=True)
    serial = models.BigIntegerField(null=True, blank=True)
    matches = models.BooleanField()
    detail = models.TextField(blank=True)
    message = models.BinaryField(null=True, blank=True)
    """Its answer, squeezed; of equal ones of a server only the first (P-8.10)."""

    class Meta:
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return f"{self.server} at {self.at:%H:%M:%S}Z"
