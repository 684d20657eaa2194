"""Who is told what happened, and how the telling went."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models

from .audit import AuditEntry


class Webhook(models.Model):
    """An address of another machine that is told of entries of the trail.

    `events` are types of entries ("proposal.created") or their beginnings with a
    star ("proposal.*"). `secret` signs what is sent: both sides must have it, so
    it cannot be kept as a digest.
    """

    url = models.URLField(max_length=500)
    secret = models.CharField(max_length=64)
    events = models.JSONField(default=list)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.url


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Questions about deliveries."""

    def due(self, now: datetime) -> Self:
        """Return what waits to be sent, oldest first."""
        ready = self.waiting().filter(webhook__active=True, due_at__lte=now)
        return ready.order_by("due_at", "pk")

    def waiting(self) -> Self:
        """Return what was neither delivered nor given up."""
        return self.filter(delivered_at=None, given_up_at=None)


class Delivery(models.Model):
    """One entry for one webhook: written with the entry, sent afterwards.

    Without `entry` it is a trial that somebody asked for. `attempts` doubles as
    fence: whoever sends takes the row by counting it up.
    """

    webhook = models.ForeignKey(
        Webhook, on_delete=models.CASCADE, related_name="deliveries"
    )
    entry = models.ForeignKey(
        AuditEntry, on_delete=models.PROTECT, null=True, related_name="deliveries"
    )
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    trouble = models.CharField(max_length=200, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        indexes = (
            # the sender's next rows
            models.Index(
                fields=("due_at",),
                condition=models.Q(delivered_at=None, given_up_at=None),
                name="delivery_due",
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("webhook", "entry"), name="delivery_once_per_entry"
            ),
        )

    def __str__(self) -> str:
        return f"{self.webhook_id} try {self.attempts}"

    @property
    def stand(self) -> str:
        """Where it stands, in two words at most."""
        if self.delivered_at:
            return "delivered"
        return "given up" if self.given_up_at else "waiting"
