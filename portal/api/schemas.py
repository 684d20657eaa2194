"""What is told: the shapes of the OpenAPI document. Fields are never renamed."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Field, Schema

from bootstrap.core.evaluation.delegation import Suspension
from bootstrap.models import AuditEntry

from .paging import Text


class ZoneOut(Schema):
    """A parent zone that we act for."""

    name: str
    routing: str
    two_persons: bool
    automated: bool
    observe_seconds: int
    quiet_seconds: int
    scan_every_seconds: int
    soa_serial: int | None
    imported_at: datetime | None
    created_at: datetime


class PolicyOut(Schema):
    """One version of a zone's policy."""

    number: int
    digest: str
    text: Any
    reason: str
    author: str
    created_at: datetime


class ZoneDetail(ZoneOut):
    """A parent zone, its delegations by state and the versions of its policy."""

    delegations: dict[str, int]
    policies: list[PolicyOut]


class DomainOut(Schema):
    """A delegation as the registry has it, and where the child stands."""

    name: str
    zone: str = Field(alias="zone.name")
    state: str
    state_since: datetime | None
    nameservers: list[Any]
    glue: list[Any]
    ds: list[Any]
    statuses: list[Any]
    registrar: str
    version: int
    last_outcome: str
    last_reason: str
    last_scan_at: datetime | None
    secured_at: datetime | None
    auth_method: str
    suspension: str
    suspended_at: datetime | None
    suspension_note: str
    changed_at: datetime
    removed_at: datetime | None


class AlarmOut(Schema):
    """What somebody must look at."""

    id: int
    code: str
    subject: str
    detail: str
    opened_at: datetime
    last_seen_at: datetime
    times_seen: int
    acknowledged_at: datetime | None
    acknowledged_by: str
    comment: str
    closed_at: datetime | None


class DomainDetail(DomainOut):
    """A delegation with what is open about it."""

    open_proposal: UUID | None
    open_alarms: list[AlarmOut]


class ScanOut(Schema):
    """One evaluation: from the delegation to a verdict."""

    id: UUID
    domain: str = Field(alias="domain.name")
    trigger: str
    started_at: datetime
    duration_ms: int
    path: str
    outcome: str
    primary_reason: str
    kind: str
    reasons: list[Any]
    ds: list[Any]
    evidence: str | None = Field(alias="evidence_id")


class FindingOut(Schema):
    """A reason and what it is about."""

    reason: str
    kind: str
    subject: str
    detail: str


class ScanDetail(ScanOut):
    """An evaluation with all that it saw; the truth is the bundle of evidence."""

    checks: list[Any]
    nameservers: list[Any]
    signals: list[Any]
    findings: list[FindingOut]
    queries: int
    delegation_version: int
    software: str


class ProposalOut(Schema):
    """A change of one DS set, before and past a decision."""

    id: UUID
    domain: str = Field(alias="domain.name")
    zone: str = Field(alias="domain.zone.name")
    path: str
    auth_method: str
    state: str
    state_since: datetime
    reason: str
    old_ds: list[Any]
    new_ds: list[Any]
    nameservers: list[Any]
    digest: str
    version: int
    route: str
    approvals_needed: int
    requested_by: str
    scan: UUID = Field(alias="scan_id")
    evidence: str = Field(alias="evidence_id")
    created_at: datetime
    not_before: datetime
    expires_at: datetime
    approved_at: datetime | None
    sent_at: datetime | None
    visible_at: datetime | None
    settled_at: datetime | None


class DecisionOut(Schema):
    """Who said what about which digest."""

    verb: str
    actor: str
    actor_kind: str
    via: str
    comment: str
    digest: str
    at: datetime


class PublicationOut(Schema):
    """One attempt to change the parent."""

    id: int
    proposal: UUID = Field(alias="proposal_id")
    number: int
    began_at: datetime
    ended_at: datetime | None
    outcome: str
    rcode: str
    detail: str


class SightingOut(Schema):
    """What one parent server, or the validator, showed afterwards."""

    id: int
    proposal: UUID = Field(alias="proposal_id")
    at: datetime
    server: str
    ds: list[Any]
    ttl: int | None
    serial: int | None
    matches: bool
    detail: str


class ProposalDetail(ProposalOut):
    """A change with what was said, sent and seen."""

    decisions: list[DecisionOut]
    publications: list[PublicationOut]
    sightings: list[SightingOut]


class OperatorFindingOut(Schema):
    """One cause behind many domains."""

    id: UUID
    reason: str
    nameservers: list[Any]
    members: int
    most: int
    opened_at: datetime
    counted_at: datetime
    closed_at: datetime | None


class EntryOut(Schema):
    """One entry of the trail: where it stands, and its content as hashed."""

    uid: UUID
    stream: str
    number: int
    type: str
    at: datetime
    entry: Any

    @staticmethod
    def resolve_entry(row: AuditEntry) -> Any:  # noqa: ANN401 - what the entry holds
        """Return the content of the canonical bytes."""
        return json.loads(bytes(row.body))


class DisclosureOut(Schema):
    """A personal value that the entry names by digest only."""

    name: str
    value: str
    salt: str
    digest: str


class EntryDetail(EntryOut):
    """An entry with what is needed to check it."""

    previous: str
    canonical: str
    """The canonical bytes that are hashed, as text."""
    sha256: str
    index: int | None
    """Its leaf in the tree; none until it is sealed."""
    disclosures: list[DisclosureOut]


class ScanRequest(Schema):
    """Which child is to be looked at."""

    domain: Text


class ScanRun(Schema):
    """Which zone is to be looked at as a whole, or whose looks are called back."""

    zone: Text


class Run(Schema):
    """How many children are due now, or were called back."""

    zone: str
    count: int


class NoteRequest(Schema):
    """A remark beside a child, or beside a change of it."""

    domain: Text
    text: Text = Field(min_length=1)
    proposal: UUID | None = None


class Acknowledgement(Schema):
    """What was seen or done."""

    comment: Text = Field(min_length=1)


class SuspensionRequest(Schema):
    """Whose automation goes off, for which of the reasons, and in words."""

    domain: Text
    reason: Suspension
    note: Text = Field(min_length=1)


class ResumptionRequest(Schema):
    """Whose automation goes on again, and why."""

    domain: Text
    note: Text = Field(min_length=1)


class Done(Schema):
    """What was asked for is done; `changed` is false if it was so before."""

    domain: str | None
    changed: bool
