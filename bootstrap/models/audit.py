"""The trail: append-only entries, and those that wait for the sealer."""

from __future__ import annotations

from django.db import models

from .fields import DigestField


class AuditEntry(models.Model):
    """One thing that happened, as the canonical bytes that are hashed (S-89).

    `body` is the entry; the other columns repeat parts of it for look-ups.
    `number` counts up by one within `stream`, `previous` is the SHA-256 of the
    stream's entry before this one (S-88). Triggers refuse update and delete.
    """

    uid = models.UUIDField(unique=True)
    stream = models.CharField(max_length=1100)
    number = models.PositiveBigIntegerField()
    previous = DigestField(blank=True)
    type = models.CharField(max_length=60)
    at = models.DateTimeField()
    body = models.BinaryField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("stream", "number"), name="audit_number_once_per_stream"
            ),
        )
        indexes = (models.Index(fields=("type", "-at"), name="audit_by_type"),)

    def __str__(self) -> str:
        return f"{self.stream} {self.number} {self.type}"


class AuditPending(models.Model):
    """An entry that the sealer has not yet given a place in the tree."""

    entry = models.OneToOneField(
        AuditEntry, on_delete=models.PROTECT, primary_key=True, related_name="pending"
    )

    def __str__(self) -> str:
        return str(self.entry_id)
