"""What is remembered. Rows hold data and constraints; verbs live in services."""

from __future__ import annotations

from .alarm import Alarm
from .anchors import AnchorFile, AnchorVoice
from .audit import (
    AuditDisclosure,
    AuditEntry,
    AuditHead,
    AuditPending,
    AuditPerson,
)
from .domain import Domain, DomainState
from .evidence import Evidence, EvidenceBody, EvidencePiece
from .guard import Breaker, BreakerScope, BreakerVoice, Switch
from .heartbeat import Heartbeat
from .ledger import AuditLeaf, Checkpoint, Cosignature
from .note import Note
from .operator import OperatorFinding
from .people import Identity, Preferences, RoleRequest, ZoneRole
from .proposal import Decision, Proposal
from .publication import Publication, Sighting
from .rate import RateBucket
from .rules import RulesChange
from .savedview import SavedView
from .scan import ScanAttempt, ScanBatch, ScanFinding
from .signal import SignalHint, SignalSource
from .statistics import DailyFigures
from .token import StoredAnswer, Token
from .webhook import Delivery, Webhook
from .work import WorkItem
from .zone import PolicyVersion, RoutingMode, Zone

__all__ = [
    "Alarm",
    "AnchorFile",
    "AnchorVoice",
    "AuditDisclosure",
    "AuditEntry",
    "AuditHead",
    "AuditLeaf",
    "AuditPending",
    "AuditPerson",
    "Breaker",
    "BreakerScope",
    "BreakerVoice",
    "Checkpoint",
    "Cosignature",
    "DailyFigures",
    "Decision",
    "Delivery",
    "Domain",
    "DomainState",
    "Evidence",
    "EvidenceBody",
    "EvidencePiece",
    "Heartbeat",
    "Identity",
    "Note",
    "OperatorFinding",
    "PolicyVersion",
    "Preferences",
    "Proposal",
    "Publication",
    "RateBucket",
    "RoleRequest",
    "RoutingMode",
    "RulesChange",
    "SavedView",
    "ScanAttempt",
    "ScanBatch",
    "ScanFinding",
    "Sighting",
    "SignalHint",
    "SignalSource",
    "StoredAnswer",
    "Switch",
    "Token",
    "Webhook",
    "WorkItem",
    "Zone",
    "ZoneRole",
]
