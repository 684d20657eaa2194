"""Trust anchor files as they were seen, and persons' words for them (S-42, P-B.3)."""

from __future__ import annotations

from typing import Self

from django.db import models

from .fields import DigestField


class AnchorStand(models.TextChoices):
    """Where a set of trust anchors stands."""

    WAITING = "waiting", "waits for two persons"
    TRUSTED = "trusted", "in force"
    RETIRED = "retired", "was in force"


class AnchorQuerySet(models.QuerySet["AnchorFile"]):
    """Questions about anchor files."""

    def trusted(self) -> Self:
        """Return what is in force: one row, or none before the first use."""
        return self.filter(stand=AnchorStand.TRUSTED)

    def waiting(self) -> Self:
        """Return what was seen and is not in force, the newest first."""
        return self.filter(stand=AnchorStand.WAITING).order_by("-seen_at")


class AnchorFile(models.Model):
    """One set of trust anchors, with the text that held it; kept for ever (P-B.4).

    `digest` is the SHA-256 of the set in its canonical lines, so that a comment or
    another order is no other set.
    """

    digest = DigestField(primary_key=True)
    text = models.TextField()
    stand = models.CharField(max_length=10, choices=AnchorStand.choices)
    seen_at = models.DateTimeField()
    trusted_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = AnchorQuerySet.as_manager()

    class Meta:
        ordering = ("-seen_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("stand",),
                condition=models.Q(stand="trusted"),
                name="anchors_one_set_in_force",
            ),
        )

    def __str__(self) -> str:
        return f"{self.digest[:16]} {self.stand}"


class AnchorVoice(models.Model):
    """One person's word for a set of anchors; two put it in force."""

    anchors = models.ForeignKey(
        AnchorFile, on_delete=models.PROTECT, related_name="voices"
    )
    actor = models.CharField(max_length=150)
    via = models.CharField(max_length=20)
    comment = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("at",)
        constraints = (
            models.UniqueConstraint(
                fields=("anchors", "actor"), name="anchors_one_voice_per_person"
            ),
        )

    def __str__(self) -> str:
        return f"{self.actor} for {self.anchors_id}"
