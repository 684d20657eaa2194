"""Rows in order: a small registry with a domain in every state, for pages.

Builders make everything right; a test spoils one thing. Nothing here goes through
services: what pages show must not depend on how it came to be.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q

from bootstrap.core.evaluation.reasons import MEANINGS, Reason
from bootstrap.core.tlog.types import EntryType
from bootstrap.models import (
    Alarm,
    AuditEntry,
    Breaker,
    BreakerVoice,
    Decision,
    Domain,
    DomainState,
    Evidence,
    OperatorFinding,
    PolicyVersion,
    Proposal,
    Publication,
    RulesChange,
    ScanAttempt,
    ScanFinding,
    Sighting,
    Zone,
)
from bootstrap.services import audit
from bootstrap.services.actors import Actor, ActorKind

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>"
HOSTILE_NAME = r"<script>alert\0401\041</script>.example"
HOSTILE_HOST = "ns1.\u202egro.example\"onx='"
DIGEST = "4A8C0F6E2B9D71355EC0AB47F2D8936114E7C05B6A29F38DD1C4B7E09A5362F8"

ROLES = (
    "viewer",
    "reviewer",
    "approver",
    "auditor",
    "zone manager",
    "administrator",
)


def a_person(name: str, role: str = "viewer", **columns: Any) -> User:
    """Return an account of staff in a role."""
    user = User.objects.create_user(
        name, password="correct horse battery", is_staff=True, **columns
    )
    user.groups.set(Group.objects.filter(name=role))
    return user


def a_reader(name: str = "reader") -> User:
    """Return an account that may open every page and press every button."""
    user = a_person(name)
    ours = Q(content_type__app_label="bootstrap") | Q(codename="change_user")
    user.user_permissions.set(Permission.objects.filter(ours))
    return user


def a_zone(name: str = "example", **columns: Any) -> Zone:
    """Return a parent zone under review."""
    return Zone.objects.create(
        name=name,
        created_at=NOW - timedelta(days=200),
        **{
            "imported_at": NOW - timedelta(hours=1),
            "primary": "192.0.2.53#53",
            "soa_serial": 2026112401,
        }
        | columns,
    )


def a_domain(zone: Zone, name: str, **columns: Any) -> Domain:
    """Return an unsigned delegation at two nameservers of one operator."""
    fields: dict[str, Any] = {
        "nameservers": ["ns1.operator.net", "ns2.operator.net"],
        "registrar": "Registrar One",
        "statuses": ["ok"],
        "created_at": NOW - timedelta(days=90),
        "changed_at": NOW - timedelta(days=30),
        "ns_changed_at": NOW - timedelta(days=30),
        "last_scan_at": NOW - timedelta(minutes=20),
    }
    return Domain.objects.create(zone=zone, name=name, **fields | columns)


def ds(tag: int = 12345, algorithm: int = 13, digest: str = DIGEST) -> str:
    """Return presentation rdata of a DS record."""
    return f"{tag} {algorithm} 2 {digest}"


def server(nameserver: str, address: str, **answers: Any) -> dict[str, Any]:
    """Return what one address said: by type, a pair of code and records."""
    told = [{"type": t, "reason": r, "records": c} for t, (r, c) in answers.items()]
    return {"nameserver": nameserver, "server": address, "answers": told}


def four_servers(record: str, odd: str | None = None) -> list[dict[str, Any]]:
    """Return the views of two nameservers over both families; one may differ."""
    key = "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxIL"
    places = (
        ("ns1.operator.net", "192.0.2.10"),
        ("ns1.operator.net", "2001:db8::10"),
        ("ns2.operator.net", "192.0.2.20"),
        ("ns2.operator.net", "2001:db8::20"),
    )
    views = []
    for number, (host, address) in enumerate(places):
        cds = odd if odd and number == 3 else record
        views.append(
            server(
                host,
                address,
                DNSKEY=("NS_OK_DATA", [key]),
                CDS=("NS_OK_DATA", [cds]),
                CDNSKEY=("NS_OK_DATA", [key]),
            )
        )
    return views


def proof(child: str, host: str, security: str = "secure") -> dict[str, Any]:
    """Return a proof of a CDS signal, with every cut from the root."""
    flaw = {"bogus": "signature-wrong", "insecure": "no-ds"}.get(security)
    cuts = [
        {
            "zone": zone,
            "security": "secure" if security == "secure" or n < 2 else security,
            "ds": [ds(tag)] if n else [],
            "keys": [{"tag": tag, "algorithm": 13, "sep": True}],
            "flaw": None if security == "secure" or n < 2 else flaw,
        }
        for n, (zone, tag) in enumerate(
            (
                (".", 20326),
                ("net", 37331),
                ("operator.net", 2371),
                (f"_signal.{host}", 60811),
            )
        )
    ]
    secure = security == "secure"
    return {
        "name": f"_dsboot.{child}._signal.{host}",
        "type": "CDS",
        "security": security,
        "records": [ds()] if secure else [],
        "absence": None,
        "zone": f"_signal.{host}",
        "signer": f"_signal.{host}" if secure else None,
        "cuts": cuts,
        "aliases": [],
        "wildcard": False,
        "not_before": "2026-11-20T00:00:00Z" if secure else None,
        "not_after": "2026-12-04T00:00:00Z" if secure else None,
        "flaw": flaw,
        "detail": "",
    }


def signals(child: str, *securities: str) -> list[dict[str, Any]]:
    """Return a signal for each nameserver of the operator."""
    code = {"secure": "SIG_OK", "bogus": "SIG_BOGUS", "insecure": "SIG_INSECURE"}
    found = []
    for number, security in enumerate(securities, start=1):
        host = f"ns{number}.operator.net"
        found.append(
            {
                "nameserver": host,
                "name": f"_dsboot.{child}._signal.{host}",
                "reasons": [code[security]],
                "cds": proof(child, host, security),
                "cdnskey": None,
            }
        )
    return found


CHECKS: tuple[tuple[str, str, list[str]], ...] = (
    ("check_preconditions", "pass", []),
    ("check_apex", "pass", ["APEX_CONSISTENT"]),
    ("check_signals", "pass", ["SIG_OK"]),
    ("check_agreement", "pass", []),
    ("check_keys", "note", ["ACC_STANDBY_KEY"]),
    ("check_path", "pass", []),
)


def checks(*, failing: str = "", reason: str = "") -> list[dict[str, Any]]:
    """Return the checks of an evaluation; one may fail, the later ones are skipped."""
    told, stopped = [], False
    for name, result, reasons in CHECKS:
        shown = {"id": name, "result": result, "reasons": reasons, "detail": ""}
        if stopped:
            shown |= {"result": "skipped", "reasons": []}
        if name == failing:
            stopped = True
            shown |= {"result": "fail", "reasons": [reason]}
        told.append(shown)
    return told


def a_scan(
    domain: Domain, outcome: str = "accept", reason: str = "ACC_OK", **columns: Any
) -> ScanAttempt:
    """Return an evaluation with findings, as the scanner stores it."""
    kind = MEANINGS[Reason(reason)].kind.value
    fields: dict[str, Any] = {
        "trigger": "schedule",
        "started_at": NOW - timedelta(minutes=20),
        "duration_ms": 412,
        "path": "bootstrap",
        "reasons": [reason],
        "ds": [ds()] if outcome in {"accept", "hold"} else [],
        "checks": checks(),
        "nameservers": four_servers(ds()),
        "signals": signals(domain.name, "secure", "secure"),
        "delegation_version": 1,
        "software": "0.1.0",
        "queries": 38,
    }
    about = "ns2.operator.net 192.0.2.20"
    told = {"reason": reason, "kind": kind, "subject": about, "detail": ""}
    fields["findings"] = [told]
    scan = ScanAttempt.objects.create(
        domain=domain,
        outcome=outcome,
        primary_reason=reason,
        kind=kind,
        **fields | columns,
    )
    if kind != "I":
        ScanFinding.objects.create(scan=scan, **told)
    return scan


def an_evidence() -> Evidence:
    """Return a bundle's row; its content is only its name's."""
    seed = uuid.uuid4().bytes
    return Evidence.objects.create(
        digest=hashlib.sha256(seed).hexdigest(), size=16, created_at=NOW
    )


def a_proposal(domain: Domain, scan: ScanAttempt, **columns: Any) -> Proposal:
    """Return a first DS that waits for one approval."""
    fields: dict[str, Any] = {
        "path": "bootstrap",
        "auth_method": "RFC9615",
        "state": "candidate",
        "state_since": NOW - timedelta(hours=3),
        "reason": "POL_MANUAL_REVIEW",
        "old_ds": domain.ds,
        "new_ds": [ds()],
        "nameservers": domain.nameservers,
        "delegation_version": domain.version,
        "digest": hashlib.sha256(str(domain.pk).encode()).hexdigest(),
        "route": "staff",
        "approvals_needed": 1,
        "requested_by": "scanner",
        "created_at": NOW - timedelta(hours=3),
        "not_before": NOW - timedelta(hours=3),
        "expires_at": NOW + timedelta(hours=21),
    }
    return Proposal.objects.create(
        domain=domain, scan=scan, evidence=an_evidence(), **fields | columns
    )


def an_alarm(domain: Domain | None, code: str, subject: str, **columns: Any) -> Alarm:
    """Return an open alarm that nobody has acknowledged."""
    fields: dict[str, Any] = {
        "opened_at": NOW - timedelta(hours=2),
        "last_seen_at": NOW - timedelta(minutes=5),
        "times_seen": 7,
    }
    return Alarm.objects.create(
        domain=domain, code=code, subject=subject, **fields | columns
    )


def an_entry(domain: Domain, kind: EntryType, **data: Any) -> AuditEntry:
    """Return an entry of a child's stream by a person of staff."""
    return audit.record(
        kind,
        stream=domain.stream,
        actor=Actor(ActorKind.STAFF, "approver", "dashboard"),
        now=NOW,
        private={"comment": HOSTILE},
        **data,
    )


def a_finding(ns_key: str, **columns: Any) -> OperatorFinding:
    """Return an open cause behind two names of one operator."""
    fields: dict[str, Any] = {
        "reason": "SIG_NONE",
        "nameservers": ["ns1.alike.net", "ns2.alike.net"],
        "members": 2,
        "most": 2,
        "opened_at": NOW - timedelta(days=5),
        "counted_at": NOW - timedelta(minutes=2),
    }
    return OperatorFinding.objects.create(ns_key=ns_key, **fields | columns)


def a_vote(proposal: Proposal, person: str, verb: str = "approve") -> Decision:
    """Return what a person said to the proposal as it is."""
    return Decision.objects.create(
        proposal=proposal,
        verb=verb,
        actor=person,
        actor_kind="staff",
        via="dashboard",
        comment="Looked at every server.",
        digest=proposal.digest,
        at=NOW - timedelta(hours=2),
    )


def a_breaker(subject: str) -> Breaker:
    """Return an open breaker of one operator, for whose release one person spoke."""
    breaker = Breaker.objects.create(
        scope="operator", subject=subject, reason="operator_rate", opened_at=NOW
    )
    BreakerVoice.objects.create(
        breaker=breaker, actor="approver", via="dashboard", comment="Seen", at=NOW
    )
    return breaker


def a_change_of_rules(zone: Zone, **columns: Any) -> RulesChange:
    """Return a change of rules that waits for a second person."""
    fields: dict[str, Any] = {
        "settings": {"quiet_seconds": 600},
        "policy": {"max_records": 4},
        "before": {"settings": {"quiet_seconds": 300}, "policy": {"max_records": 6}},
        "effect": {
            "of": 3,
            "judged": 2,
            "changed": 0,
            "unreadable": 1,
            "examples": [],
        },
        "reason": "Fewer records are enough",
        "author": "someone",
        "created_at": NOW - timedelta(hours=1),
    }
    return RulesChange.objects.create(zone=zone, **fields | columns)


@dataclass
class Registry:
    """The small registry: by state the domain, by name the proposals."""

    zone: Zone
    domains: dict[str, Domain] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    scans: dict[str, ScanAttempt] = field(default_factory=dict)
    alarms: list[Alarm] = field(default_factory=list)
    entries: list[AuditEntry] = field(default_factory=list)

    @property
    def rules(self) -> RulesChange:
        """The change of rules that waits."""
        return RulesChange.objects.filter(zone=self.zone)[0]

    @property
    def finding(self) -> OperatorFinding:
        """The one cause behind more than one domain."""
        return OperatorFinding.objects.get(ns_key="ab" * 32)


def a_registry() -> Registry:
    """Return a zone with a domain in every state and a proposal in every one."""
    registry = Registry(a_zone(two_persons=False))
    a_zone("test", routing="auto", soa_serial=77)
    PolicyVersion.objects.create(
        zone=registry.zone,
        number=1,
        digest="cd" * 32,
        text={"max_records": 6},
        reason="First policy",
        author="zonemanager",
        created_at=NOW - timedelta(days=9),
    )
    a_change_of_rules(registry.zone)
    _quiet(registry)
    _stuck(registry)
    _under_way(registry)
    _hostile(registry)
    _alike(registry)
    for kind in (EntryType.DELEGATION_NS_CHANGED, EntryType.SCAN_REQUESTED):
        registry.entries.append(an_entry(registry.domains["candidate"], kind))
    return registry


def _quiet(registry: Registry) -> None:
    zone, put = registry.zone, registry.domains
    put["unsigned"] = a_domain(zone, "bare.example", last_reason="ACC_CHILD_UNSIGNED")
    put["signed"] = a_domain(
        zone,
        "quiet.example",
        state=DomainState.SIGNED,
        last_outcome="nothing",
        last_reason="APEX_NO_CDS",
        signed_since=NOW - timedelta(days=12),
    )
    put["secured"] = a_domain(
        zone,
        "xn--bcher-kva.example",
        state=DomainState.SECURED,
        ds=[ds(2371)],
        last_outcome="nothing",
        last_reason="UPD_IN_SYNC",
        secured_at=NOW - timedelta(days=40),
        auth_method="RFC9615",
    )
    put["suspended"] = a_domain(
        zone,
        "manual.example",
        state=DomainState.SUSPENDED,
        suspension="HOLDER_OPT_OUT",
        suspended_at=NOW - timedelta(days=3),
        suspension_note="Asked for by letter",
    )
    for number in range(24):
        a_domain(
            zone,
            f"shop-{number:02}.example",
            state=DomainState.SECURED,
            ds=[ds(40000 + number)],
            last_outcome="nothing",
            last_reason="UPD_IN_SYNC",
        )


def _stuck(registry: Registry) -> None:
    zone, put = registry.zone, registry.domains
    put["waiting"] = a_domain(
        zone,
        "lonely.example",
        state=DomainState.WAITING,
        last_outcome="nothing",
        last_reason="SIG_NONE",
        signed_since=NOW - timedelta(days=4),
    )
    registry.scans["waiting"] = a_scan(
        put["waiting"],
        "nothing",
        "SIG_NONE",
        signals=[],
        checks=checks(failing="check_signals", reason="SIG_NONE"),
    )
    put["blocked"] = a_domain(
        zone,
        "differs.example",
        state=DomainState.BLOCKED,
        last_outcome="reject",
        last_reason="APEX_CDS_DIFFER",
    )
    for hours in (1, 25, 49):
        registry.scans["blocked"] = a_scan(
            put["blocked"],
            "reject",
            "APEX_CDS_DIFFER",
            started_at=NOW - timedelta(hours=hours),
            checks=checks(failing="check_apex", reason="APEX_CDS_DIFFER"),
            nameservers=four_servers(ds(), odd=ds(999, 8)),
            signals=[],
        )
    put["announced"] = a_domain(
        zone,
        "slow.example",
        state=DomainState.ANNOUNCED,
        last_outcome="retry",
        last_reason="NS_TIMEOUT",
    )
    registry.scans["announced"] = a_scan(
        put["announced"],
        "retry",
        "NS_TIMEOUT",
        checks=checks(failing="check_apex", reason="NS_TIMEOUT"),
        signals=[],
    )
    put["alarm"] = a_domain(
        zone,
        "forged.example",
        state=DomainState.ALARM,
        last_outcome="retry",
        last_reason="SIG_BOGUS",
    )
    registry.scans["alarm"] = a_scan(
        put["alarm"],
        "retry",
        "SIG_BOGUS",
        signals=signals("forged.example", "secure", "bogus"),
        checks=checks(failing="check_signals", reason="SIG_BOGUS"),
    )
    put["broken"] = a_domain(
        zone,
        "broken.example",
        state=DomainState.BROKEN,
        ds=[ds(7)],
        last_outcome="reject",
        last_reason="UPD_CHAIN_BOGUS",
    )
    registry.alarms += [
        an_alarm(
            put["alarm"],
            "SIG_BOGUS",
            "forged.example",
            detail="ns2.operator.net: signature-wrong",
        ),
        an_alarm(None, "X_CLOCK", "the clock of worker-2", detail="off by 93 s"),
    ]


def _alike(registry: Registry) -> None:
    """Three domains that wait for the same operator to do the same."""
    for number in range(3):
        a_domain(
            registry.zone,
            f"alike-{number}.example",
            state=DomainState.WAITING,
            last_outcome="nothing",
            last_reason="SIG_NONE",
            ns_key="ab" * 32,
            nameservers=["ns1.alike.net", "ns2.alike.net"],
            state_since=NOW - timedelta(days=5),
            signed_since=NOW - timedelta(days=6),
        )
    a_finding("ab" * 32, members=3, most=5)


def _under_way(registry: Registry) -> None:
    done = {
        "approved_at": NOW - timedelta(hours=2),
        "sent_at": NOW - timedelta(hours=1, minutes=58),
    }
    seen = done | {"visible_at": NOW - timedelta(hours=1, minutes=50)}
    more: dict[str, dict[str, Any]] = {
        "candidate": {},
        "held": {"reason": "ACC_SIG_NEAR_EXPIRY"},
        "failed": {"reason": "PUB_ZONE_REJECTED", "approved_at": done["approved_at"]},
        "approved": {"approved_at": done["approved_at"]},
        "sending": {"approved_at": done["approved_at"]},
        "sent": done | {"reason": "PUB_OK"},
        "visible": seen | {"reason": "PUB_OK"},
        "settled": seen
        | {"settled_at": NOW - timedelta(minutes=30), "reason": "POST_OK"},
        "rejected": {},
        "stale": {"reason": "PUB_EVIDENCE_STALE"},
        "conflict": {"reason": "PUB_CONFLICT"},
    }
    for age, (state, columns) in enumerate(more.items(), start=1):
        domain = a_domain(
            registry.zone,
            f"{state}.example",
            last_outcome="accept",
            last_reason="ACC_OK",
            state=DomainState.PUBLISHED
            if state in {"sent", "visible"}
            else DomainState.PENDING,
            ds=[ds(999, 8)] if state in {"held", "failed"} else [],
        )
        registry.domains.setdefault(state, domain)
        scan = a_scan(domain)
        created = {"created_at": NOW - timedelta(hours=3, minutes=7 * age)}
        registry.proposals[state] = a_proposal(
            domain, scan, state=state, **created | columns
        )
        registry.scans.setdefault(state, scan)
    _publish(registry.proposals["visible"])
    _publish(registry.proposals["settled"])
    a_vote(registry.proposals["rejected"], "approver", "reject")


def _publish(proposal: Proposal) -> None:
    Publication.objects.create(
        proposal=proposal,
        number=1,
        fence=1,
        began_at=NOW - timedelta(hours=1, minutes=58),
        ended_at=NOW - timedelta(hours=1, minutes=57),
        outcome="applied",
        rcode="NOERROR",
    )
    for where in ("192.0.2.53", "2001:db8::53", "validator"):
        Sighting.objects.create(
            proposal=proposal,
            at=NOW - timedelta(hours=1),
            server=where,
            ds=[ds()],
            ttl=600,
            serial=2026112402,
            matches=True,
        )


def _hostile(registry: Registry) -> None:
    domain = a_domain(
        registry.zone,
        HOSTILE_NAME,
        state=DomainState.BLOCKED,
        registrar=HOSTILE,
        last_outcome="reject",
        last_reason="APEX_CDS_DIFFER",
        nameservers=[HOSTILE_HOST],
        statuses=[HOSTILE],
    )
    views = [server(HOSTILE_HOST, HOSTILE, CDS=(HOSTILE, [HOSTILE, "\x1b]0;x\x07"]))]
    hostile_proof = proof("x", HOSTILE_HOST, "bogus") | {
        "detail": HOSTILE,
        "zone": HOSTILE,
    }
    scan = a_scan(
        domain,
        "hold",
        "SIG_WILDCARD",
        nameservers=views,
        software=HOSTILE,
        signals=[
            {
                "nameserver": HOSTILE_HOST,
                "name": HOSTILE,
                "reasons": [HOSTILE],
                "cds": hostile_proof,
                "cdnskey": None,
            }
        ],
        checks=[
            {"id": HOSTILE, "result": "fail", "reasons": [HOSTILE], "detail": HOSTILE}
        ],
    )
    registry.domains["hostile"], registry.scans["hostile"] = domain, scan
    registry.proposals["hostile"] = a_proposal(
        domain,
        scan,
        state="held",
        reason="SIG_WILDCARD",
        new_ds=[HOSTILE, ds()],
        nameservers=[HOSTILE_HOST],
    )
    registry.alarms.append(
        an_alarm(domain, "UPD_CHAIN_BOGUS", HOSTILE_NAME, detail=HOSTILE)
    )
