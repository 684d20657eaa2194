"""Words for publication, notifications and the rest (protocol.md 2.9, 2.10)."""

from __future__ import annotations

from typing import Final

from bootstrap.core.evaluation.reasons import Reason

from .text import Act, Text

_BROKEN: Final = (
    " Your DNS operator must repair this at once, or many people cannot reach you."
)
_NO_REPORT: Final = (
    "An operator's report address could not be used. Your domain is not affected."
)
_NOTICE: Final = "A notice that we received could not be used. Nothing was changed."

REST: Final = {
    Reason.PUB_CONFLICT: Text(
        "Domain changed since the check",
        "NS, DS or flags differ from the evidence; the approval is void.",
        "Your domain was changed after we had checked it. We check it again.",
        Act.NOBODY,
        "BCP 246, 7.2",
    ),
    Reason.PUB_EVIDENCE_STALE: Text(
        "Check is too old",
        "Evidence or approval is older than its limit.",
        "Too much time has passed since we checked your domain. We check it again.",
        Act.NOBODY,
        "P-1.62",
    ),
    Reason.PUB_ZONE_REJECTED: Text(
        "Our zone was not accepted",
        "Generation, signing or the update of the parent zone was refused.",
        "We could not publish the change; this is a fault on our side. Nothing about"
        " your domain has changed.",
        Act.REGISTRY,
        "P-2.14",
    ),
    Reason.PUB_NOT_VISIBLE: Text(
        "Change is not visible on all our servers",
        "The DS is not on every parent server in time.",
        "The change does not yet appear everywhere; this is a fault on our side. We"
        " look into it.",
        Act.REGISTRY,
        "P-2.14",
    ),
    Reason.PUB_OK: Text(
        "Change is published",
        "The DS is on every parent server, signed, with its low TTL.",
        "The change is published. We watch for a while that all goes well.",
        Act.NOBODY,
        "BCP 246, 4.1(2)",
    ),
    Reason.POST_OK: Text(
        "Domain validates",
        "The child validates from the root under the new DS set.",
        "Your domain passes its DNSSEC check. All went well.",
        Act.NOBODY,
        "RFC 8078, 3",
    ),
    Reason.POST_CHILD_BOGUS: Text(
        "Domain fails validation after the change",
        "The child is bogus under the published DS.",
        "Your domain fails its DNSSEC check since the last change." + _BROKEN,
        Act.OPERATOR,
        "BCP 246, 5.2 case 4",
    ),
    Reason.POST_CHILD_UNSIGNED: Text(
        "Domain is no longer signed",
        "A DS exists, but the child stopped signing.",
        "Your domain is registered as signed but is not." + _BROKEN,
        Act.OPERATOR,
        "BCP 246, 5.2 case 4",
    ),
    Reason.POST_DS_ORPHAN: Text(
        "Registered keys have vanished",
        "The DS set names only keys that are gone.",
        "None of the registered keys is in use any more." + _BROKEN,
        Act.OPERATOR,
        "BCP 246, 5.2 case 4",
    ),
    Reason.POST_ALG_DEPRECATED: Text(
        "Registered algorithm is outdated",
        "The current DS would not be accepted today; it is never altered for that.",
        "Your domain uses an algorithm that is going out of use. Your DNS operator"
        " should plan a change.",
        Act.OPERATOR,
        "BCP 246, 4.2.1",
    ),
    Reason.NS_TOO_MANY: Text(
        "Too many nameservers or addresses",
        "Names or addresses exceed what one evaluation asks.",
        "Your domain has more nameservers or addresses than we can check. Fewer are"
        " enough.",
        Act.OWNER,
        "P-1.70",
    ),
    Reason.NS_EXCLUDED_UNREACHABLE: Text(
        "A dead server was left out",
        "A server without an answer for a day was left out of an update.",
        "One of your nameservers has not answered for a long time. The change was made"
        " without it; remove or repair it.",
        Act.OPERATOR,
        "RFC 9975, 3",
    ),
    Reason.SIG_SINGLE_PATH: Text(
        "All trust rests on one zone",
        "All signals come from one zone or one registered domain.",
        "All your nameservers depend on a single domain. It is allowed, but two would"
        " be safer.",
        Act.NOBODY,
        "RFC 9615, 6",
    ),
    Reason.VAL_LIMIT: Text(
        "Check would cost too much",
        "The validator's allowance is used up, or the zone is built to use it up.",
        "Checking your domain takes more work than we allow. Your DNS operator should"
        " use fewer keys and signatures.",
        Act.OPERATOR,
        "P-3.22, P-7.81",
    ),
    Reason.VAL_MIXED_SERVERS: Text(
        "Some servers of the signal fail",
        "One server of the signaling zone is bogus, another is secure.",
        "One of the servers that vouch for you is faulty, another is in order. That"
        " was enough.",
        Act.NOBODY,
        "P-7.92",
    ),
    Reason.NTF_AGENT_IN_CHILD: Text(
        "Report address lies inside the domain",
        "The agent domain is at or below the child, so no report is sent.",
        _NO_REPORT,
        Act.OPERATOR,
        "RFC 9567, 8.1",
    ),
    Reason.NTF_AGENT_FOREIGN: Text(
        "Report address belongs to somebody else",
        "The agent domain is not at or below a delegated nameserver.",
        _NO_REPORT,
        Act.OPERATOR,
        "RFC 9859, 4.2.1",
    ),
    Reason.NTF_AGENT_INVALID: Text(
        "Report address is not usable",
        "The agent domain is empty, the root, given twice, or too long.",
        _NO_REPORT,
        Act.OPERATOR,
        "RFC 9567, 6.1",
    ),
    Reason.NTF_UNKNOWN_CHILD: Text(
        "Notice about a domain that is not ours",
        "The notification names a child that we do not delegate.",
        _NOTICE,
        Act.NOBODY,
        "RFC 9859, 4.2",
    ),
    Reason.NTF_MULTIPLE: Text(
        "Notice about several domains",
        "The notification names more than one child and is discarded.",
        _NOTICE,
        Act.OPERATOR,
        "RFC 9859, 4.2",
    ),
    Reason.NTF_MALFORMED: Text(
        "Notice cannot be read",
        "The notification cannot be parsed.",
        _NOTICE,
        Act.OPERATOR,
        "RFC 1996, 3",
    ),
    Reason.UPD_REGISTRAR_STALE_PUSH: Text(
        "Registrar handed in an old set",
        "EPP submitted a set equal to an older one after an automatic change.",
        "Your registrar handed in older keys shortly after an automatic change. Ask"
        " there whether that was meant.",
        Act.OWNER,
        "RFC 7344, 9",
    ),
    Reason.X_AUDIT_CHAIN: Text(
        "Our audit log failed its check",
        "Verification of the log failed, so approvals are blocked.",
        "We found a fault in our own records and stopped all changes. Nothing about"
        " your domain has changed.",
        Act.REGISTRY,
        "P-8.33",
    ),
    Reason.X_UNCLASSIFIED: Text(
        "Situation that we do not know",
        "No code covers what was seen, or evidence is missing; nothing is done.",
        "We met something that we cannot judge yet; that is for us to solve."
        " Nothing about your domain has changed.",
        Act.REGISTRY,
        "P-2.51",
    ),
}
