"""Words for preconditions and for our own faults (protocol.md 2.3)."""

from __future__ import annotations

from typing import Final

from bootstrap.core.evaluation.reasons import Reason

from .text import Act, Text

_OURS: Final = (
    "We could not look properly; this is a fault on our side."
    " Nothing about your domain has changed, and we try again."
)

PARENT: Final = {
    Reason.PRE_NOT_DELEGATED: Text(
        "Domain is not delegated",
        "The child is unknown, on hold, without nameservers, or being deleted.",
        "Your domain is not active in the DNS at present. DNSSEC can be turned on"
        " once it is delegated again.",
        Act.OWNER,
        "RFC 9615, 4.2 step 1",
    ),
    Reason.PRE_STATUS_NOT_ACTIVE: Text(
        "Domain's status bars automatic changes",
        "The registry object has a status that policy excludes.",
        "Your domain is in a state in which the registry changes nothing by itself."
        " Ask your registrar what is pending.",
        Act.OWNER,
        "BCP 246, 6",
    ),
    Reason.PRE_AUTOMATION_SUSPENDED: Text(
        "Automation is suspended",
        "The DS set was removed by another channel, or an alarm is open.",
        "Automatic DNSSEC is off for your domain, because somebody removed the DNSSEC"
        " data on purpose or we are looking into something. New data from your"
        " registrar turn it on again.",
        Act.OWNER,
        "BCP 246, 7.1(3)",
    ),
    Reason.PRE_OPTED_OUT: Text(
        "Holder opted out of automation",
        "Holder or registrar switched automation off.",
        "Automatic DNSSEC was turned off for your domain at somebody's request."
        " Ask your registrar to turn it on again.",
        Act.OWNER,
        "BCP 246, 7",
    ),
    Reason.PRE_REGISTRAR_NO_DISABLE: Text(
        "Registrar cannot turn DNSSEC off",
        "A registrar without a way to remove DS gets no automatic first DS.",
        "Your registrar offers no way to turn DNSSEC off again. Therefore it is not"
        " turned on by itself.",
        Act.REGISTRY,
        "BCP 246, 7.1(5)",
    ),
    Reason.PRE_REGISTRAR_AUTOMATES: Text(
        "Registrar does this itself",
        "The registrar declared its own automation, so we abstain.",
        "Your registrar takes care of DNSSEC itself. Ask there if you miss something.",
        Act.OWNER,
        "BCP 246, 7.1(5)",
    ),
    Reason.PRE_PROPRIETARY_LOCK: Text(
        "A registry lock covers DNSSEC data",
        "A lock whose scope was reviewed and includes DS is set.",
        "Your domain has a lock that also protects its DNSSEC data. Lift the lock,"
        " or hand in the change through your registrar.",
        Act.OWNER,
        "BCP 246, 6.1",
    ),
    Reason.PRE_LOCK_IGNORED: Text(
        "Update lock noted, and rightly ignored",
        "clientUpdateProhibited or serverUpdateProhibited never suspend automation.",
        "Your domain has an update lock. It does not concern automatic DNSSEC.",
        Act.NOBODY,
        "BCP 246, 6.1",
    ),
    Reason.PRE_DS_PRESENT: Text(
        "Domain is secured already",
        "A DS RRset exists, so the rules for updates apply.",
        "Your domain has DNSSEC already. Changes follow the rules for updates.",
        Act.NOBODY,
        "RFC 9615, 4.2 step 1",
    ),
    Reason.PRE_PENDING_CHANGE: Text(
        "Another change is in progress",
        "An unfinished change is pending, or the published DS is not the registry's.",
        "A change of your domain is still being carried out. We look again when it"
        " is finished.",
        Act.NOBODY,
        "BCP 246, 7.2",
    ),
    Reason.PRE_RECENT_NS_CHANGE: Text(
        "Nameservers changed a moment ago",
        "The NS set is younger than the quiet time; publication waits.",
        "The nameservers of your domain have just changed. We wait some minutes"
        " before we publish anything.",
        Act.NOBODY,
        "S-63",
    ),
    Reason.PRE_RATE_LIMITED: Text(
        "Too many requests; put off",
        "The budget for this child or source is used up.",
        "Your domain was looked at very often in a short time. We look again a"
        " little later.",
        Act.NOBODY,
        "RFC 9859, 5",
    ),
    Reason.X_CLOCK: Text(
        "Our clock is not to be trusted",
        "The offset is unknown or too large, or our own zone's signatures are not"
        " in force.",
        _OURS,
        Act.REGISTRY,
        "P-7.22",
    ),
    Reason.X_TRUST_ANCHOR: Text(
        "Our trust anchor does not hold",
        "No anchor is in force, or our own zone does not validate from it.",
        _OURS,
        Act.REGISTRY,
        "RFC 9718; P-7.1",
    ),
    Reason.X_RESOLVER: Text(
        "Our resolver failed",
        "Even our own zone's data could not be fetched and proven.",
        _OURS,
        Act.REGISTRY,
        "S-46",
    ),
    Reason.X_EGRESS: Text(
        "Our way to the Internet is blocked",
        "Control probes failed, so silence says nothing about the child.",
        _OURS,
        Act.REGISTRY,
        "S-46",
    ),
    Reason.X_EGRESS_FAMILY: Text(
        "Our site lacks an address family",
        "IPv4 or IPv6 does not leave our site, so a server could not be asked.",
        _OURS,
        Act.REGISTRY,
        "RFC 9975, 3; P-2.23",
    ),
    Reason.X_VANTAGE: Text(
        "A vantage point of ours failed",
        "A vantage point gave nothing, or sees what no other sees.",
        _OURS,
        Act.REGISTRY,
        "RFC 8078, 5",
    ),
    Reason.X_DB: Text(
        "Our database failed",
        "Registry data could not be read or results not written.",
        _OURS,
        Act.REGISTRY,
        "P-1.52",
    ),
}
