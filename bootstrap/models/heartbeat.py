"""Signs of life of our own parts, for health pages and watchdogs."""

from __future__ import annotations

from django.db import models


class Heartbeat(models.Model):
    """When a part last showed that it works; `name` is "worker", "publisher", …."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%H:%M:%S}Z"
