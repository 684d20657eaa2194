"""How often may this be asked for? Buckets in the database, for every process.

The generic cell rate algorithm: a bucket is known by the moment at which it will
be full again. One conditional UPDATE takes a drop, so that two processes never
take the same one (S-28, S-109).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import DateTimeField, F, Value
from django.db.models.functions import Greatest

from bootstrap.models import RateBucket

V4_PREFIX: Final = 24
V6_PREFIX: Final = 56
"""Who shares a bucket: the smallest networks that one party usually holds."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, then one every `every`."""

    every: timedelta
    burst: int

    @property
    def span(self) -> timedelta:
        """How long an empty bucket takes to be full."""
        return self.every * self.burst


def take(key: str, rate: Rate, *, now: datetime) -> timedelta:
    """Take one drop; return zero, or for how long to wait until there is one."""
    slack = now + rate.span - rate.every
    held = RateBucket.objects.filter(key=key)
    refill = Greatest(F("full_at"), Value(now, output_field=DateTimeField()))
    if held.filter(full_at__lte=slack).update(full_at=refill + rate.every):
        return timedelta(0)
    _, made = RateBucket.objects.get_or_create(
        key=key, defaults={"full_at": now + rate.every}
    )
    return timedelta(0) if made else max(wait(key, rate, now=now), _GRAIN)


def wait(key: str, rate: Rate, *, now: datetime) -> timedelta:
    """Return for how long there is no drop; zero when there is one."""
    full_at = (
        RateBucket.objects.filter(key=key).values_list("full_at", flat=True).first()
    )
    if full_at is None:
        return timedelta(0)
    return max(full_at - (now + rate.span - rate.every), timedelta(0))


_GRAIN: Final = timedelta(seconds=1)


def forget(*, now: datetime) -> int:
    """Delete buckets that are full again; return how many."""
    return RateBucket.objects.filter(full_at__lt=now).delete()[0]


def network_of(address: str) -> str:
    """Return the /24 or /56 around an address, as text; "" for what is none."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    length = V4_PREFIX if ip.version == 4 else V6_PREFIX  # noqa: PLR2004 - IPv4
    return str(ipaddress.ip_network((ip, length), strict=False))
