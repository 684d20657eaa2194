"""The trail: append-only entries, and those that wait for the sealer."""

from __future__ import annotations

from django.db import models

from .fields import DigestField


class AuditEntry(models.Model):
    """One thing that happened, as the canonical bytes that are hashed (S-89).

    `body` is the entry; the other columns repeat parts of it for look-ups.
    `number` counts up by one within `stream`, `previous` is the SHA-256 of the
    stream's entry before this one (S-88). `about` and `about_version` name the
    row that the entry moves, and the version that the row moves to: a trigger
    refuses a move without its entry (S-85). Triggers refuse update and delete.
    """

    uid = models.UUIDField(unique=True)
    stream = models.CharField(max_length=1100)
    number = models.PositiveBigIntegerField()
    previous = DigestField(blank=True)
    type = models.CharField(max_length=60)
    at = models.DateTimeField()
    body = models.BinaryField()
    about = models.UUIDField(null=True, blank=True)
    about_version = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("stream", "number"), name="audit_number_once_per_stream"
            ),
            models.UniqueConstraint(
                fields=("about", "about_version"),
                condition=models.Q(about__isnull=False),
                name="audit_move_once_per_version",
            ),
        )
        indexes = (
            models.Index(fields=("type", "-at"), name="audit_by_type"),
            # trail: streams that begin so, whatever the database's collation
            models.Index(
                fields=("stream",),
                opclasses=("varchar_pattern_ops",),
                name="audit_by_stream",
            ),
        )
        permissions = (("view_audit", "Can read the trail"),)

    def __str__(self) -> str:
        return f"{self.stream} {self.number} {self.type}"


class AuditHead(models.Model):
    """The newest number and digest of a stream: what its writers lock.

    Locking the newest entry instead would fail: whoever waited wakes up with a
    row that is no longer the newest (architecture.md 2.9, lesson 3).
    """

    stream = models.CharField(max_length=1100, primary_key=True)
    number = models.PositiveBigIntegerField(default=0)
    digest = DigestField(blank=True)

    def __str__(self) -> str:
        return f"{self.stream} at {self.number}"


class AuditDisclosure(models.Model):
    """A personal value that an entry names by salted digest only (S-95).

    Deleting the row erases the value and leaves every proof valid.
    """

    entry_uid = models.UUIDField(db_index=True)
    digest = models.CharField(max_length=43)
    salt = models.CharField(max_length=22)
    name = models.CharField(max_length=40)
    value = models.TextField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("entry_uid", "digest"), name="disclosure_once_per_entry"
            ),
        )
        indexes = (
            # the trail of one person
            models.Index(
                fields=("value", "entry_uid"),
                condition=models.Q(name="actor"),
                name="disclosure_by_actor",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} of {self.entry_uid}"


class AuditPerson(models.Model):
    """The key of a person's pseudonym; without the row nobody can link it."""

    name = models.CharField(max_length=150, unique=True)
    key = models.BinaryField()

    def __str__(self) -> str:
        return self.name


class AuditPending(models.Model):
    """An entry that the sealer has not yet given a place in the tree."""

    entry = models.OneToOneField(
        AuditEntry, on_delete=models.PROTECT, primary_key=True, related_name="pending"
    )

    def __str__(self) -> str:
        return str(self.entry_id)
