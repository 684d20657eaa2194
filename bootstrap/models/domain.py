"""A child for as long as the registry knows it, and its automation switch."""

from __future__ import annotations

from typing import Self

from django.db import models

from bootstrap.core.evaluation.delegation import Suspension

from .fields import NameField
from .zone import Zone


class DomainState(models.TextChoices):
    """The one derived word that people see (ux.md, "States people see")."""

    ALARM = "alarm"
    SUSPENDED = "suspended"
    BROKEN = "broken"
    PUBLISHED = "published"
    PENDING = "pending"
    SECURED = "secured"
    ANNOUNCED = "announced"
    BLOCKED = "blocked"
    WAITING = "waiting"
    SIGNED = "signed"
    UNSIGNED = "unsigned"


class DomainQuerySet(models.QuerySet["Domain"]):
    """Questions about domains."""

    def delegated(self) -> Self:
        """Return those that the registry still delegates."""
        return self.filter(removed_at=None)

    def in_zone(self, zone: Zone) -> Self:
        """Return the children of one parent."""
        return self.filter(zone=zone)


class Domain(models.Model):
    """The registry's snapshot of a delegation, and what we think of the child.

    Lists hold canonical text: `nameservers` hostnames, `glue` pairs
    [hostname, address], `ds` presentation rdata. `version` counts changes of
    the snapshot. `state` is derived by `services.states` and stored so that
    lists can filter on it; nothing decides by it.
    """

    zone = models.ForeignKey(Zone, on_delete=models.PROTECT, related_name="domains")
    name = NameField(unique=True)
    nameservers = models.JSONField(default=list)
    glue = models.JSONField(default=list)
    ds = models.JSONField(default=list)
    statuses = models.JSONField(default=list)
    registrar = models.CharField(max_length=200, blank=True)
    ns_key = models.CharField(max_length=64, db_index=True, blank=True)
    """SHA-256 of the sorted nameserver set: the shard (architecture.md 3)."""
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    ns_changed_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    suspension = models.CharField(
        max_length=30,
        blank=True,
        choices=[(reason.value, reason.value) for reason in Suspension],
    )
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspension_note = models.TextField(blank=True)

    state = models.CharField(
        max_length=12, choices=DomainState.choices, default=DomainState.UNSIGNED
    )
    state_since = models.DateTimeField(null=True, blank=True)
    last_outcome = models.CharField(max_length=10, blank=True)
    last_reason = models.CharField(max_length=40, blank=True)
    last_scan_at = models.DateTimeField(null=True, blank=True)
    signed_since = models.DateTimeField(null=True, blank=True)
    newest_inception = models.DateTimeField(null=True, blank=True)
    oob_change_at = models.DateTimeField(null=True, blank=True)
    troubled_since = models.JSONField(default=dict, blank=True)
    secured_at = models.DateTimeField(null=True, blank=True)
    auth_method = models.CharField(max_length=20, blank=True)

    objects = DomainQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        permissions = (("request_scan", "Can ask for a new scan"),)
        indexes = (
            # domain list: filter by zone and state, in name order
            models.Index(fields=("zone", "state", "name"), name="domain_list"),
            # domain list: filter by state or reason alone, in name order
            models.Index(fields=("state", "name"), name="domain_state"),
            models.Index(fields=("last_reason", "name"), name="domain_reason"),
            # operators and overview: why are domains stuck
            models.Index(fields=("last_reason", "ns_key"), name="domain_stuck"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def stream(self) -> str:
        """The audit stream of this child (security.md 5.4)."""
        return f"child:{self.name}."
