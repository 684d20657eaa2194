"""How often something may be asked for: one row for each who asks and what."""

from __future__ import annotations

from django.db import models


class RateBucket(models.Model):
    """`full_at` is when the bucket will be full again: all that must be remembered.

    `key` names who asks and for what; rows that are full again say nothing and
    are deleted.
    """

    key = models.CharField(max_length=100, primary_key=True)
    full_at = models.DateTimeField()

    class Meta:
        indexes = (
            # forgetting: rows that are full again
            models.Index(fields=("full_at",), name="rate_full"),
        )

    def __str__(self) -> str:
        return f"{self.key} full at {self.full_at:%Y-%m-%d %H:%M:%S}Z"
