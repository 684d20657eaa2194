"""Every kind of entry; a type that is not listed here cannot be recorded (S-87).

Meets P-8.31.

Grammar: what it concerns, a dot, what happened. Stored for ever: types are
appended, never renamed. Each has an act that writes it, and a test that shows
both in one transaction.
"""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Final

SECOND: Final = "ev512"
"""Where in an entry's `data` the SHA-512 of each piece of evidence stands (P-8.25)."""


@unique
class EntryType(StrEnum):
    """What an entry of the trail can be about."""

    # evaluations
    SCAN_REQUESTED = "scan.requested"
    SCAN_VERDICT = "scan.verdict"
    SCAN_FAILED = "scan.failed"  # it ended its workers, and is set aside (S-82)
    SCAN_BATCH = "scan.batch"  # routine scans without change, by counts (S-99)
    SCANS_STARTED = "scans.started"  # a person asked for a whole zone
    SCANS_STOPPED = "scans.stopped"  # and called back what had not begun

    # proposals: most move the row to the version that the entry names (S-85)
    PROPOSAL_CREATED = "proposal.created"
    PROPOSAL_RENEWED = "proposal.renewed"  # newer evidence for the same change
    PROPOSAL_APPROVED = "proposal.approved"
    PROPOSAL_REJECTED = "proposal.rejected"
    PROPOSAL_HELD = "proposal.held"
    PROPOSAL_RELEASED = "proposal.released"
    PROPOSAL_STALE = "proposal.stale"
    # said without moving it
    APPROVAL_COUNTED = "approval.counted"  # the first of two persons
    APPROVAL_STALE = "approval.stale"  # what was seen is no longer so (S-65)
    DECISION_REFUSED = "decision.refused"
    BATCH_DECIDED = "batch.decided"  # many at once: which went through, which not
    NOTE_WRITTEN = "note.written"

    # publication and what was seen afterwards
    PUBLICATION_BEGUN = "publication.begun"
    PUBLICATION_DEFERRED = "publication.deferred"
    PUBLICATION_SENT = "publication.sent"
    PUBLICATION_CONFLICT = "publication.conflict"
    PUBLICATION_FAILED = "publication.failed"
    PUBLICATION_VISIBLE = "publication.visible"
    PUBLICATION_SETTLED = "publication.settled"
    ROLLBACK_REQUESTED = "rollback.requested"
    TTL_RESTORED = "ttl.restored"
    DS_DRIFTED = "ds.drifted"  # the parent shows what nobody of ours put there

    # the registry's side
    IMPORT_DONE = "import.done"
    IMPORT_REFUSED = "import.refused"
    DELEGATION_NS_CHANGED = "delegation.ns-changed"
    DELEGATION_DS_CHANGED = "delegation.ds-changed"
    DELEGATION_TRANSFERRED = "delegation.transferred"
    DELEGATION_REMOVED = "delegation.removed"
    SUSPENSION_BEGAN = "suspension.began"
    SUSPENSION_ENDED = "suspension.ended"

    # rules and those who make them
    ZONE_ADDED = "zone.added"
    ZONE_CHANGED = "zone.changed"
    POLICY_CHANGED = "policy.changed"
    RULES_PROPOSED = "rules.proposed"  # settings or policy, for a second person (S-64)
    RULES_CONFIRMED = "rules.confirmed"
    RULES_REFUSED = "rules.refused"
    ANCHORS_SEEN = "anchors.seen"  # a changed file, which waits (S-42)
    ANCHORS_VOICE = "anchors.voice"  # the first of two persons
    ANCHORS_TRUSTED = "anchors.trusted"  # in force: at first use, or by the second
    BREAKER_OPENED = "breaker.opened"
    BREAKER_VOICE = "breaker.voice"  # the first of two persons, or a refusal
    BREAKER_RELEASED = "breaker.released"
    SWITCH_ENGAGED = "switch.engaged"
    SWITCH_RELEASED = "switch.released"

    # alarms
    ALARM_OPENED = "alarm.opened"
    ALARM_ACKNOWLEDGED = "alarm.acknowledged"
    ALARM_CLOSED = "alarm.closed"

    # people
    USER_SIGNED_IN = "user.signed-in"
    USER_SIGN_IN_FAILED = "user.sign-in-failed"
    USER_STEPPED_UP = "user.stepped-up"  # showed a second factor again (S-66)
    USER_SIGNED_OUT = "user.signed-out"
    USER_CHANGED = "user.changed"
    SESSION_ENDED = "session.ended"  # by hand, or since the password changed
    ROLE_ASKED = "role.asked"  # for a second person to confirm (S-64)
    ROLE_REFUSED = "role.refused"
    ROLE_GRANTED = "role.granted"
    ROLE_REVOKED = "role.revoked"
    TOKEN_ISSUED = "token.issued"  # noqa: S105 - a type of entry
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - a type of entry
    WEBHOOK_ADDED = "webhook.added"
    WEBHOOK_REMOVED = "webhook.removed"
    DATA_VIEWED = "data.viewed"
    DATA_EXPORTED = "data.exported"
    DATA_ERASED = "data.erased"  # names or words beside entries; entries stay (S-95)

    # the trail and the machinery itself
    KEY_USED = "key.used"
    CLOCK_CHANGED = "clock.changed"
    SYSTEM_RESTORED = "system.restored"
    LOG_HEARTBEAT = "log.heartbeat"
