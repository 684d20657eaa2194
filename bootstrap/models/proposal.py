"""A change of one DS set: candidate plus evidence, before and past a decision.

Meets P-8.9.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

from django.db import models

from bootstrap.core.evaluation.paths import AuthMethod, Path
from bootstrap.core.workflow.lifecycle import (
    OPEN,
    Event,
    State,
    TransitionRefused,
    advance,
)

from .domain import Domain
from .evidence import Evidence
from .fields import DigestField
from .scan import ScanAttempt

STAFF = [State.CANDIDATE.value, State.HELD.value, State.FAILED.value]
"""States out of which only a person leads."""


class ProposalQuerySet(models.QuerySet["Proposal"]):
    """Questions about proposals."""

    def open(self) -> Self:
        """Return those from which something can still happen."""
        return self.filter(state__in=sorted(OPEN))

    def awaiting_staff(self) -> Self:
        """Return those that only a person can move."""
        return self.filter(state__in=STAFF)

    def due(self, now: datetime) -> Self:
        """Return the approved ones that may be sent now, oldest first."""
        rested = models.Q(next_try_at=None) | models.Q(next_try_at__lte=now)
        approved = self.filter(rested, state=State.APPROVED, not_before__lte=now)
        return approved.filter(domain__zone__automated=True).order_by("created_at")

    def half_sent(self) -> Self:
        """Return those that somebody began to send; what came of it is not known."""
        return self.filter(state=State.SENDING).order_by("created_at")

    def abandoned(self, now: datetime) -> Self:
        """Return those half sent whose sender's lease has run out (S-74)."""
        return self.half_sent().filter(lease_until__lte=now)

    def published(self) -> Self:
        """Return those that the parent holds and that are still watched."""
        return self.filter(state__in=[State.SENT, State.VISIBLE])

    def settled(self) -> Self:
        """Return those whose observation ended well."""
        return self.filter(state=State.SETTLED)

    def watchable(self, now: datetime) -> Self:
        """Return the published ones that nobody is looking at and whose turn it is."""
        free = models.Q(lease_until=None) | models.Q(lease_until__lte=now)
        due = self.published().filter(free, next_try_at__lte=now)
        return due.order_by("next_try_at")

    def with_domain(self) -> Self:
        """Fetch domain and zone in the same query."""
        return self.select_related("domain__zone")


class Proposal(models.Model):
    """Replace the DS set of one delegation.

    `digest` is the SHA-256 of the canonical proposal: what an approver signs
    (S-65). `nameservers` and `old_ds` are the snapshot that it is bound to
    (S-61). `approvals_needed` comes from the route. `not_before` keeps a
    changed NS set quiet (S-63), `expires_at` ends the approval's life (P-1.62).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    domain = models.ForeignKey(
        Domain, on_delete=models.PROTECT, related_name="proposals"
    )
    path = models.CharField(max_length=12, choices=[(p.value, p.value) for p in Path])
    auth_method = models.CharField(
        max_length=20, choices=[(m.value, m.value) for m in AuthMethod]
    )
    state = models.CharField(
        max_length=12,
        choices=[(s.value, s.value) for s in State],
        default=State.CANDIDATE.value,
    )
    state_since = models.DateTimeField()
    reason = models.CharField(max_length=40)
    """Why it is where it is: `ACC_OK`, the code that holds it, `PUB_…`."""
    old_ds = models.JSONField(default=list)
    new_ds = models.JSONField(default=list)
    nameservers = models.JSONField(default=list)
    operator = models.CharField(max_length=255, blank=True, default="")
    """Who serves the child, as breakers count (S-69): of its nameservers' names."""
    delegation_version = models.PositiveIntegerField()
    digest = DigestField()
    version = models.PositiveIntegerField(default=1)
    route = models.CharField(max_length=20)
    approvals_needed = models.PositiveSmallIntegerField(default=0)
    requested_by = models.CharField(max_length=150)
    scan = models.ForeignKey(
        ScanAttempt, on_delete=models.PROTECT, related_name="proposals"
    )
    evidence = models.ForeignKey(
        Evidence, on_delete=models.PROTECT, related_name="proposals"
    )
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField()
    proof_ends_at = models.DateTimeField(null=True, blank=True)
    """First expiration among the signatures relied on (P-1.62)."""

    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    visible_at = models.DateTimeField(null=True, blank=True)
    settle_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        ordering = ("created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("domain",),
                condition=models.Q(state__in=sorted(OPEN)),
                name="proposal_one_open_per_domain",
            ),
        )
        indexes = (
            # the queue, and the publisher's and verifier's next rows
            models.Index(fields=("state", "created_at"), name="proposal_queue"),
            # what waits for staff: in order, and what of it ends first
            models.Index(
                fields=("created_at", "id"),
                condition=models.Q(state__in=STAFF),
                name="proposal_waiting",
            ),
            models.Index(
                fields=("expires_at",),
                condition=models.Q(state__in=STAFF),
                name="proposal_ending",
            ),
            # front page: what was sent last; admin: all in order
            models.Index(
                fields=("-sent_at",),
                condition=models.Q(sent_at__isnull=False),
                name="proposal_recent",
            ),
            models.Index(fields=("created_at",), name="proposal_created"),
            # the report of a period: what needed two persons
            models.Index(
                fields=("approved_at",),
                condition=models.Q(approvals_needed__gte=2),
                name="proposal_pairs",
            ),
            # all changes of one child
            models.Index(fields=("domain", "-created_at"), name="proposal_story"),
            # breakers: what the last hour approved, and what it sent
            models.Index(fields=("path", "approved_at"), name="proposal_approved"),
            models.Index(fields=("path", "sent_at"), name="proposal_sent"),
        )
        permissions = (
            ("decide_proposal", "Can approve and reject proposals"),
            ("hold_proposal", "Can hold and release proposals"),
            ("comment_proposal", "Can comment on proposals"),
        )

    def __str__(self) -> str:
        return f"{self.domain_id} {self.path} {self.state}"

    def advance(self, event: Event, **changes: object) -> None:
        """Move along one arrow, by compare-and-set on state and version.

        `changes` are further columns to set in the same statement. The database
        refuses the move unless its audit entry is already there (S-85): call
        `services.transitions.move`, which writes both.

        Raises:
            TransitionRefused: no such arrow, or somebody else moved the row.
        """
        old = State(self.state)
        new = advance(old, event)
        changes |= {"state": new.value, "version": self.version + 1}
        moved = Proposal.objects.filter(
            pk=self.pk, state=old.value, version=self.version
        ).update(**changes)
        if not moved:
            raise TransitionRefused(old, event)
        for column, value in changes.items():
            setattr(self, column, value)


class Decision(models.Model):
    """Who said what to which digest, and why; never edited."""

    proposal = models.ForeignKey(
        Proposal, on_delete=models.PROTECT, related_name="decisions"
    )
    verb = models.CharField(max_length=10)
    """approve, reject, hold, release, lapse."""
    actor = models.CharField(max_length=150)
    actor_kind = models.CharField(max_length=10)
    via = models.CharField(max_length=20)
    """dashboard, admin, command, rule."""
    comment = models.TextField(blank=True)
    digest = DigestField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("at",)
        indexes = (
            # the report of a period
            models.Index(fields=("at",), name="decision_at"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("proposal", "actor", "digest"),
                condition=models.Q(verb="approve"),
                name="decision_one_approval_per_person",
            ),
        )

    def __str__(self) -> str:
        return f"{self.actor} {self.verb}"


__all__ = ["Decision", "Proposal", "ProposalQuerySet", "TransitionRefused"]
