"""What a verdict rests on: bundles by their address, and what they share."""

from __future__ import annotations

from django.db import models

from .fields import AddressField


class Evidence(models.Model):
    """A bundle: delegation, packets, anchors, policy, now and verdict.

    `digest` is the SHA-256 of the canonical encoding with all packets in it, and
    `size` its octets. The octets are made again from the body; once it is
    `compacted`, address and size are all that is left (P-8.36).
    """

    digest = AddressField(primary_key=True)
    size = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    compacted = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.digest


class EvidenceBody(models.Model):
    """What a bundle is made of again: its own packets, and the numbers of pieces.

    On PostgreSQL the table has a partition a month and the key (created_at,
    evidence): always give both, so that one partition is looked at.
    """

    evidence = models.OneToOneField(
        Evidence, on_delete=models.PROTECT, primary_key=True, related_name="body"
    )
    created_at = models.DateTimeField()
    pieces = models.BinaryField()
    """Keys of the pieces in the order of their use; see `services.packing`."""
    packed = models.BinaryField()

    class Meta:
        verbose_name_plural = "evidence bodies"

    def __str__(self) -> str:
        return str(self.evidence_id)


class EvidencePiece(models.Model):
    """A part that bundles of one day have in common, stored once (P-8.37).

    An exchange with a server above the children, a chain of keys, a policy. It is
    never edited. Only bundles of its own day refer to it.
    """

    day = models.DateField()
    digest = AddressField()
    packed = models.BinaryField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("day", "digest"), name="piece_once_a_day"),
        )

    def __str__(self) -> str:
        return f"{self.day} {self.digest}"
