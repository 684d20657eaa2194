"""What a verdict rests on: bundles by digest, packets by content."""

from __future__ import annotations

from django.db import models

from .fields import DigestField


class Packet(models.Model):
    """One message body, compressed, named by its SHA-256; shared and never edited."""

    digest = DigestField(primary_key=True)
    body = models.BinaryField()
    size = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.digest


class Evidence(models.Model):
    """A bundle: delegation, packets, anchors, policy, now and verdict.

    `digest` is the SHA-256 of the canonical encoding with all packets in it;
    `manifest` is that encoding, compressed, with packets replaced by their
    digests, so that shared packets are stored once (P-8.37).
    """

    digest = DigestField(primary_key=True)
    manifest = models.BinaryField()
    packets = models.ManyToManyField(Packet, related_name="bundles")
    size = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.digest
