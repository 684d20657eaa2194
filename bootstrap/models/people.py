"""Who a person is elsewhere, roles in one zone, roles that wait for a second word."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models

from .zone import Zone


class ZoneRole(models.Model):
    """A person holds a role in one zone; roles held everywhere are groups.

    Whoever has no role everywhere sees nothing of the other zones (S-105).
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="zone_roles"
    )
    role = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="+")
    zone = models.ForeignKey(Zone, on_delete=models.CASCADE, related_name="roles")
    since = models.DateTimeField()

    class Meta:
        ordering = ("user", "zone", "role")
        constraints = (
            models.UniqueConstraint(
                fields=("user", "role", "zone"), name="role_once_per_person_and_zone"
            ),
        )

    def __str__(self) -> str:
        return f"{self.role_id} of {self.user_id} in {self.zone_id}"


class RoleRequestQuerySet(models.QuerySet["RoleRequest"]):
    """Questions about requests for roles."""

    def open(self) -> Self:
        """Return those that wait for a second person."""
        return self.filter(stand=RoleRequest.Stand.OPEN)


class RoleRequest(models.Model):
    """One administrator wants a person to have a role; another says yes or no.

    Without `zone` the role would hold everywhere.
    """

    class Stand(models.TextChoices):
        """Where it stands."""

        OPEN = "open", "waits for a second person"
        CONFIRMED = "confirmed", "granted"
        REFUSED = "refused", "refused"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="role_requests"
    )
    role = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="+")
    zone = models.ForeignKey(
        Zone, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    reason = models.TextField()
    author = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    stand = models.CharField(max_length=10, choices=Stand.choices, default=Stand.OPEN)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    comment = models.TextField(blank=True)

    objects = RoleRequestQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("user", "role", "zone"),
                condition=models.Q(stand="open"),
                name="role_asked_for_once_per_zone",
            ),
            models.UniqueConstraint(
                fields=("user", "role"),
                condition=models.Q(stand="open", zone=None),
                name="role_asked_for_once_everywhere",
            ),
        )

    def __str__(self) -> str:
        return f"{self.role_id} for {self.user_id}: {self.stand}"


class Identity(models.Model):
    """A person at an identity provider: `subject` is never given to anybody else."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identities"
    )
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    since = models.DateTimeField()

    class Meta:
        verbose_name_plural = "identities"
        constraints = (
            models.UniqueConstraint(
                fields=("issuer", "subject"), name="identity_of_one_account"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id} at {self.issuer}"


class Preferences(models.Model):
    """How a person reads pages: in which time zone, and long lists in which layout.

    `lists` holds, by list, what its layout would say in an address. Nothing is
    decided by it.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences"
    )
    time_zone = models.CharField(max_length=64, blank=True)
    """A name of the IANA time zone database; empty for UTC."""
    lists = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return f"of {self.user_id}"
