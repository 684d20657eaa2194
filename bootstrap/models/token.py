"""Keys of machines, and what their writes were answered."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models

from .fields import DigestField
from .zone import Zone


class TokenQuerySet(models.QuerySet["Token"]):
    """Questions about tokens."""

    def usable(self, now: datetime) -> Self:
        """Return those neither revoked nor past their end, of active owners."""
        alive = self.filter(revoked_at=None, expires_at__gt=now)
        return alive.filter(owner__is_active=True)


class Token(models.Model):
    """What lets a machine in: only the digest of its secret is kept (S-111).

    `prefix` is the public beginning by which it is found and named. `scopes`
    are words of `services.tokens.SCOPES`; what the owner may not do, the token
    may not either. Without `zones` it sees all of them.
    """

    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12, unique=True)
    digest = DigestField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens"
    )
    scopes = models.JSONField(default=list)
    zones = models.ManyToManyField(Zone, blank=True, related_name="tokens")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = TokenQuerySet.as_manager()

    class Meta:
        ordering = ("prefix",)

    def __str__(self) -> str:
        return f"{self.prefix} {self.name}"


class StoredAnswer(models.Model):
    """The answer to a write that carried an idempotency key: given again, not redone.

    `fingerprint` is the SHA-256 of what was asked: the same key with another
    request is a mistake of the client.
    """

    token = models.ForeignKey(Token, on_delete=models.CASCADE, related_name="answers")
    key = models.CharField(max_length=255)
    fingerprint = DigestField()
    status = models.PositiveSmallIntegerField()
    body = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("token", "key"), name="answer_once_per_key"
            ),
        )

    def __str__(self) -> str:
        return f"{self.key}: {self.status}"
