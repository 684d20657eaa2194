"""A zone's rules as anybody may read them, from the policy and settings in force.

What an operator must know to be accepted, and nothing else of the row (S-108): no
address of ours, no registrar, no person (P-5.4).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from bootstrap import config
from bootstrap.core.dns.records import SHA256
from bootstrap.core.dnssec.algorithms import (
    ALGORITHMS,
    DIGESTS,
    VERIFIED_ALGORITHMS,
)
from bootstrap.core.evaluation.answers import REQUEST_TYPES
from bootstrap.core.evaluation.paths import STATUSES
from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.core.evaluation.reasons import Reason
from bootstrap.models import PolicyVersion, RoutingMode, Zone
from bootstrap.services import zones
from bootstrap.services.leasing import RETRIES
from bootstrap.services.ttls import LOW_FOR

RUNS: Final = 1
"""Looks that a request needs: it is authenticated, so one is enough (P-4.11)."""
SITES: Final = 1
"""Places that we look from."""
A_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Spans are counted from some day; none of ours is as long as a month."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A zone, its policy as this site applies it, and the version that it is from."""

    zone: Zone
    policy: AcceptancePolicy
    version: PolicyVersion | None

    @property
    def algorithms(self) -> tuple[int, ...]:
        """Return the signing algorithms that a request may be of (P-2.45)."""
        return tuple(sorted(VERIFIED_ALGORITHMS.difference(self.refused)))

    @property
    def refused(self) -> tuple[int, ...]:
        """Return the algorithms that none may be of."""
        return self.policy.forbidden_algorithms

    @property
    def families(self) -> tuple[int, ...]:
        """Return the address families that we reach."""
        return tuple(f for f in (4, 6) if f not in self.policy.skip_families)

    @property
    def barring(self) -> tuple[str, ...]:
        """Return the registry's status words that keep automation away."""
        ours = {epp(word) for word, why in STATUSES.items() if why not in IGNORED}
        return tuple(sorted(ours.union(self.policy.excluded_statuses)))

    @property
    def low_for(self) -> timedelta:
        """Return how long the first TTL stays; never less than the later one (P-5.20)."""
        return max(LOW_FOR, timedelta(seconds=self.zone.ds_ttl))

    def limits(self) -> dict[str, object]:
        """Return what the items of acceptance are worded with."""
        policy = self.policy
        return {
            "nameservers": policy.max_nameservers,
            "each": policy.max_addresses_per_nameserver,
            "addresses": policy.max_addresses,
            "records": policy.max_records,
            "algorithms": ", ".join(map(algorithm, self.algorithms)),
            "rsa": policy.min_rsa_bits,
            "validity": span(policy.min_validity),
            "iterations": policy.nsec3_iterations,
        }


IGNORED: Final = frozenset({Reason.PRE_LOCK_IGNORED})
"""Locks that are noted and bar nothing (BCP 246, section 6.1)."""
_PARTS: Final = re.compile("prohibited|update|hold|delete|restore|create|period")
"""Of EPP's status words, what begins with a capital after the first part."""


def epp(word: str) -> str:
    """Return one of our status words, which have no capitals, as RFC 5731 spells it."""
    return _PARTS.sub(lambda part: part.group().capitalize(), word)


LOCKS: Final = tuple(
    sorted(epp(word) for word, why in STATUSES.items() if why in IGNORED)
)


def rules_of(zone: Zone) -> Rules:
    """Return the rules in force: the newest version, on this site."""
    version = zone.policies.first()
    policy = zones.policy_from(version.text) if version else AcceptancePolicy()
    lacking = {*policy.skip_families, *config.dns().skip_families}
    here = replace(policy, skip_families=tuple(sorted(lacking)))
    return Rules(zone, here, version)


def algorithm(number: int) -> str:
    """Return an algorithm's number and name, which no line end may part."""
    row = ALGORITHMS.get(number)
    return f"{number}\N{NO-BREAK SPACE}{row.name}" if row else str(number)


def digest(number: int) -> str:
    """Return a digest type's number and name."""
    row = DIGESTS.get(number)
    return f"{number}\N{NO-BREAK SPACE}{row.name}" if row else str(number)


def span(length: timedelta) -> str:
    """Return a span of time in words of the visitor's language."""
    if length < timedelta(minutes=1):
        return _("%(number)s seconds") % {"number": int(length.total_seconds())}
    return timesince(A_DAY, A_DAY + length).replace("\xa0", " ")


def endpoint(zone: Zone) -> str:
    """Return the DSYNC record that leads notifications to us; empty without one.

    RFC 9859, section 2: `*._dsync` below the parent, type, scheme, port and target.
    """
    if settings.DSYNC_ENDPOINT is None:
        return ""
    host, port = settings.DSYNC_ENDPOINT
    return f"*._dsync.{zone.name}. IN DSYNC CDS NOTIFY {port} {host}."


Row = tuple[str, str]


def told(rules: Rules) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    """Return the rules in words, by what they are about."""
    return (
        (_("What is read"), _read(rules)),
        (_("How it is looked at"), _looked(rules)),
        (_("What is published"), _published(rules)),
        (_("What stops it, and what does not"), _holding(rules)),
    )


def _read(rules: Rules) -> tuple[Row, ...]:
    unknown = (
        _("Others are taken along when one of these leads to the zone as well.")
        if rules.policy.allow_unknown_algorithms
        else _("Others are refused.")
    )
    accepted = ", ".join(map(algorithm, rules.algorithms))
    return (
        (
            _("Types"),
            _(
                "CDS and CDNSKEY. One of them is enough; where a zone has both, both"
                " must name the same keys."
            ),
        ),
        (_("Algorithms"), f"{accepted}. {unknown}"),
        (_("Refused algorithms"), ", ".join(map(algorithm, rules.refused))),
        (
            _("Digests of CDS"),
            _(
                "Without CDNSKEY, at least one of type %(digest)s; others may be there"
                " as well."
            )
            % {"digest": digest(SHA256)},
        ),
    )


def _looked(rules: Rules) -> tuple[Row, ...]:
    zone = rules.zone
    families = _("%(families)s; every address must answer.") % {
        "families": ", ".join(f"IPv{family}" for family in rules.families)
    }
    return (
        (
            _("Transport"),
            _("TCP to port 53 of every address: whoever answers UDP alone is refused."),
        ),
        (_("Addresses"), families),
        (_("Vantage points"), str(SITES)),
        (
            _("When"),
            _(
                "At intervals of %(often)s, and whenever a notification comes or somebody asks."
            )
            % {"often": span(timedelta(seconds=zone.scan_every_seconds))},
        ),
        (
            _("After trouble"),
            _("Again after %(waits)s minutes, then with the next regular look.")
            % {"waits": ", ".join(str(wait.seconds // 60) for wait in RETRIES)},
        ),
        (_("Number of looks"), _looks(rules)),
        (
            _("Notifications (DSYNC)"),
            endpoint(zone) or _("None are taken here; we look by ourselves."),
        ),
    )


def _looks(rules: Rules) -> str:
    once = _(
        "One: a request is authenticated by signatures, so nothing has to be waited"
        " for. Without signals of the DNS operator, no first DS is ever published."
    )
    age = rules.policy.min_signed_age
    if not age:
        return once
    seen = _("The zone must have been seen signed for %(age)s.") % {"age": span(age)}
    return f"{once} {seen}"


def _published(rules: Rules) -> tuple[Row, ...]:
    zone = rules.zone
    review = zone.routing == RoutingMode.REVIEW
    return (
        (
            _("Digests of DS"),
            ", ".join(map(digest, rules.policy.digests)),
        ),
        (_("TTL"), _ttl(rules)),
        (
            _("First DS"),
            _("Published after a review by the registry.")
            if review
            else _("Published without anybody's doing."),
        ),
        (
            _("Rollover and removal"),
            _("Published without anybody's doing, at the next opportunity."),
        ),
    )


def _ttl(rules: Rules) -> str:
    """Return what becomes of the TTL (P-5.20); nothing, where it is the same."""
    first, later = rules.zone.ds_ttl_initial, rules.zone.ds_ttl
    if first >= later:
        return span(timedelta(seconds=later))
    return _("%(first)s for %(low)s after a change, then %(later)s.") % {
        "first": span(timedelta(seconds=first)),
        "low": span(rules.low_for),
        "later": span(timedelta(seconds=later)),
    }


def _holding(rules: Rules) -> tuple[Row, ...]:
    quiet = span(timedelta(seconds=rules.zone.quiet_seconds))
    rows = (
        (
            _("Locks without effect"),
            _(
                "%(locks)s, and locks of transfer, renewal and deletion: the request is"
                " the child's own, and the change is the registry's."
            )
            % {"locks": ", ".join(LOCKS)},
        ),
        (_("States that stop it"), ", ".join(rules.barring)),
        (
            _("Changed nameservers"),
            _("Nothing is published within %(quiet)s.") % {"quiet": quiet},
        ),
        (
            _("Removal by hand"),
            _(
                "When the DS set is removed by another channel, automation is off for"
                " the name until DS records are set again."
            ),
        ),
    )
    if not rules.policy.registrars_without_disable:
        return rows
    return (
        *rows,
        (
            _("Registrars"),
            _(
                "Names of registrars that cannot turn DNSSEC off again get no first DS"
                " here; ask yours."
            ),
        ),
    )


def as_json(rules: Rules) -> dict[str, Any]:
    """Return the same for machines; its keys are a contract, times are in seconds."""
    zone, policy, version = rules.zone, rules.policy, rules.version
    return {
        "zone": zone.name,
        "version": version.number if version else 0,
        "digest": version.digest if version else None,
        "since": version.created_at.isoformat() if version else None,
        "automated": zone.automated,
        "review": zone.routing == RoutingMode.REVIEW,
        "types": [rdtype.name for rdtype in REQUEST_TYPES],
        "algorithms": list(rules.algorithms),
        "refused_algorithms": list(rules.refused),
        "unknown_algorithms": policy.allow_unknown_algorithms,
        "min_rsa_bits": policy.min_rsa_bits,
        "digests": list(policy.digests),
        "max_records": policy.max_records,
        "max_nameservers": policy.max_nameservers,
        "max_addresses_per_nameserver": policy.max_addresses_per_nameserver,
        "max_addresses": policy.max_addresses,
        "nsec3_iterations": policy.nsec3_iterations,
        "min_validity": _seconds(policy.min_validity),
        "min_signed_age": _seconds(policy.min_signed_age),
        "transport": "tcp",
        "families": list(rules.families),
        "vantage_points": SITES,
        "runs": RUNS,
        "scan_every": zone.scan_every_seconds,
        "retries": [_seconds(wait) for wait in RETRIES],
        "dsync": endpoint(zone) or None,
        "ds_ttl_initial": zone.ds_ttl_initial,
        "ds_ttl_initial_for": _seconds(rules.low_for),
        "ds_ttl": zone.ds_ttl,
        "quiet_after_ns_change": zone.quiet_seconds,
        "locks_ignored": list(LOCKS),
        "statuses_barring": list(rules.barring),
        "contact": settings.POLICY_CONTACT or None,
    }


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())
