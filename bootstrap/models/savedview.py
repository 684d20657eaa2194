"""Filters of a list under a name, for oneself or for all."""

from __future__ import annotations

from django.db import models


class SavedView(models.Model):
    """`params` are the query string's keys and values; `slug` names it in URLs."""

    name = models.CharField(max_length=60)
    slug = models.SlugField(max_length=60, unique=True)
    owner = models.CharField(max_length=150)
    shared = models.BooleanField(default=False)
    params = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
