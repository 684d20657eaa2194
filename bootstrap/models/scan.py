"""Evaluations as stored: one row each, with findings to filter by."""

from __future__ import annotations

import uuid

from django.db import models

from .domain import Domain
from .evidence import Evidence
from .fields import NameField, ViewField


class ScanAttempt(models.Model):
    """One evaluation: from the delegation to a verdict.

    The columns of JSON are views of the verdict for pages and the command line;
    the truth is the bundle behind `evidence`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    domain = models.ForeignKey(
        Domain,
        on_delete=models.CASCADE,
        related_name="scans",
        db_index=False,  # the story's index begins with it
    )
    trigger = models.CharField(max_length=20)
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    path = models.CharField(max_length=12, blank=True)
    outcome = models.CharField(max_length=10)
    primary_reason = models.CharField(max_length=40)
    kind = models.CharField(max_length=1)
    reasons = models.JSONField(default=list)
    ds = models.JSONField(default=list)
    checks = ViewField()
    nameservers = ViewField()
    signals = ViewField()
    findings = ViewField()
    """Each with `reason`, `kind`, `subject` and `detail`."""
    evidence = models.ForeignKey(
        Evidence, on_delete=models.PROTECT, null=True, blank=True, related_name="scans"
    )
    delegation_version = models.PositiveIntegerField(default=0)
    software = models.CharField(max_length=64, blank=True)
    queries = models.PositiveIntegerField(default=0)
    inception = models.DateTimeField(null=True, blank=True)
    """Newest inception relied on, if accepted: replay guard of the next (P-4.5)."""

    class Meta:
        ordering = ("-started_at",)
        indexes = (
            # one child's story, newest first
            models.Index(fields=("domain", "-started_at"), name="scan_story"),
            # scan list, and what the last minutes brought: newest first
            models.Index(fields=("-started_at",), name="scan_newest"),
            # scan list: newest first, by outcome
            models.Index(fields=("outcome", "-started_at"), name="scan_outcome"),
        )

    def __str__(self) -> str:
        return f"{self.domain_id} {self.outcome} {self.primary_reason}"


class ScanBatch(models.Model):
    """Routine scans that stage one ended, many in a row of this table (P-8.3).

    `lines` is compressed by zlib; `services.glances` says what a line holds. The
    trail has the hash of the lines under the id of the batch.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField()
    count = models.PositiveIntegerField()
    lines = models.BinaryField()

    class Meta:
        ordering = ("-at",)
        verbose_name_plural = "scan batches"
        indexes = (
            # what the last minutes brought
            models.Index(fields=("-at",), name="batch_newest"),
        )

    def __str__(self) -> str:
        return f"{self.count} at {self.at:%Y-%m-%d %H:%M}Z"


class ScanFinding(models.Model):
    """A finding for which evaluations are looked up: any that is not information."""

    scan = models.ForeignKey(
        ScanAttempt, on_delete=models.CASCADE, related_name="marks"
    )
    reason = models.CharField(max_length=40)
    kind = models.CharField(max_length=1)
    subject = NameField(blank=True)
    detail = models.TextField(blank=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.reason} {self.subject}"
