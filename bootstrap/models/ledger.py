"""The tree over the trail: leaves in their order, and signed checkpoints."""

from __future__ import annotations

from django.db import models

from .audit import AuditEntry


class AuditLeaf(models.Model):
    """The place of an entry in the tree, given by the sealer without gaps."""

    index = models.PositiveBigIntegerField(primary_key=True)
    entry = models.OneToOneField(
        AuditEntry, on_delete=models.PROTECT, related_name="leaf"
    )
    hash = models.BinaryField(max_length=32)

    class Meta:
        ordering = ("index",)

    def __str__(self) -> str:
        return f"leaf {self.index}"


class Checkpoint(models.Model):
    """The signed head of the tree at one size; never edited."""

    size = models.PositiveBigIntegerField(primary_key=True)
    root = models.BinaryField(max_length=32)
    note = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("size",)
        get_latest_by = "size"

    def __str__(self) -> str:
        return f"checkpoint {self.size}"


class Cosignature(models.Model):
    """A witness's line below one checkpoint."""

    checkpoint = models.ForeignKey(
        Checkpoint, on_delete=models.PROTECT, related_name="cosignatures"
    )
    witness = models.CharField(max_length=200)
    line = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("checkpoint", "witness"), name="cosignature_once_per_witness"
            ),
        )

    def __str__(self) -> str:
        return f"{self.witness} on {self.checkpoint_id}"
