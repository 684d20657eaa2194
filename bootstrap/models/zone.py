"""The parent zones that we act for, and how to reach their primaries."""

from __future__ import annotations

from django.db import models

from .fields import DigestField, NameField


class RoutingMode(models.TextChoices):
    """Who says yes to an accepted verdict."""

    AUTO = "auto", "approve automatically"
    REVIEW = "review", "staff review"


class Zone(models.Model):
    """A parent zone: where its delegations are published, and under which rules.

    `servers` lists every address of the parent that must show a published DS
    ("ADDRESS" or "ADDRESS#PORT"); empty means the addresses of the zone's NS.
    `tsig_key_file` names a file that only the publisher can read; the secret
    itself is never in the database (S-80).
    """

    name = NameField(unique=True)
    primary = models.CharField(max_length=64, blank=True)
    tsig_key_file = models.CharField(max_length=500, blank=True)
    servers = models.JSONField(default=list, blank=True)
    routing = models.CharField(
        max_length=10, choices=RoutingMode.choices, default=RoutingMode.REVIEW
    )
    two_persons = models.BooleanField(default=False)
    automated = models.BooleanField(default=True)
    observe_seconds = models.PositiveIntegerField(default=86_400)
    quiet_seconds = models.PositiveIntegerField(default=300)
    scan_every_seconds = models.PositiveIntegerField(default=86_400)
    ds_ttl_initial = models.PositiveIntegerField(default=600)
    ds_ttl = models.PositiveIntegerField(default=86_400)
    max_removed_share = models.FloatField(default=0.2)
    soa_serial = models.BigIntegerField(null=True, blank=True)
    reconciled_at = models.DateTimeField(null=True, blank=True)
    """When all its DS sets were last compared with the expected ones (S-76)."""
    imported_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("name",)
        permissions = (("manage_zones", "Can add and change zones and policies"),)

    def __str__(self) -> str:
        return self.name


class PolicyVersion(models.Model):
    """The text of a zone's acceptance policy, one row a version, never edited."""

    zone = models.ForeignKey(Zone, on_delete=models.PROTECT, related_name="policies")
    number = models.PositiveIntegerField()
    digest = DigestField()
    text = models.JSONField()
    reason = models.TextField(blank=True)
    author = models.CharField(max_length=150)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("zone", "-number")
        constraints = (
            models.UniqueConstraint(
                fields=("zone", "number"), name="policy_number_once_per_zone"
            ),
        )

    def __str__(self) -> str:
        return f"{self.zone} policy {self.number}"
