"""How things of the DNS, states and times look on a page.

Every text that came from the network passes `shown`: printable ASCII stays, all
else is escaped, so that no byte can turn direction, hide or break a line
(S-51, S-53). HTML is left to the template engine's autoescape.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from bootstrap import clock
from portal import idn, moments, words

register = template.Library()

SHORT: Final = 20
"""Longest digest that is shown whole."""
ENDS: Final = 8
"""Characters kept at each end of a shortened digest."""

ALGORITHMS: Final = {
    5: "RSASHA1",
    7: "RSASHA1-NSEC3",
    8: "RSASHA256",
    10: "RSASHA512",
    13: "ECDSAP256SHA256",
    14: "ECDSAP384SHA384",
    15: "ED25519",
    16: "ED448",
}
DIGESTS: Final = {1: "SHA-1", 2: "SHA-256", 4: "SHA-384", 5: "GOST", 6: "SM3"}

UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


@register.filter
def shown(text: object) -> str:
    """Return outside text with everything but printable ASCII escaped."""
    if isinstance(text, bytes | memoryview):
        text = bytes(text).decode("latin-1")
    return "".join(_visible(character) for character in str(text))


def _visible(character: str) -> str:
    point = ord(character)
    if 0x20 <= point < 0x7F:  # noqa: PLR2004 - printable ASCII
        return character
    return f"\\{point:03d}" if point < 0x100 else f"\\u{{{point:x}}}"  # noqa: PLR2004


@register.filter
def name(text: object) -> str:
    """Return a domain name as text, escaped, without its last dot."""
    bare = str(text)
    return shown(bare[:-1] if len(bare) > 1 and bare.endswith(".") else bare)


@register.filter
def unicode_name(text: object) -> str:
    """Return the Unicode form of a name when it is safe and differs, else "" (S-56)."""
    return idn.safe_unicode(str(text)) or ""


@register.filter
def short(text: object) -> str:
    """Shorten a digest in the middle; the whole belongs in the title beside it."""
    whole = shown(text)
    if len(whole) <= SHORT:
        return whole
    return f"{whole[:ENDS]}…{whole[-ENDS:]}"


@register.filter
def algorithm(number: object) -> str:
    """Return the mnemonic of a DNSSEC algorithm, or its number."""
    return ALGORITHMS.get(_number(number), f"algorithm {number}")


@register.filter
def digest_type(number: object) -> str:
    """Return the usual name of a DS digest type, or its number."""
    return DIGESTS.get(_number(number), f"type {number}")


def _number(value: object) -> int:
    return int(str(value)) if str(value).isdigit() else -1


@register.filter
def duration(length: timedelta) -> str:
    """Return a span of time in words: its two largest units, minutes without seconds."""
    left = int(abs(length.total_seconds()))
    parts: list[str] = []
    for unit, seconds in UNITS:
        count, left = divmod(left, seconds)
        if count and not (parts and unit == "second"):
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
        elif parts:
            break
    return " ".join(parts[:2]) or "a moment"


@register.filter
def utc(moment: datetime | str | None) -> str:
    """Return a moment, or its ISO text, as "2026-11-24 14:30:00Z"."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment) if moment else None
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if moment else ""


@register.filter
def local(moment: datetime | str | None) -> str:
    """Return a moment in the reader's time zone, with its offset (ux.md, section 4)."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment) if moment else None
    return moments.told(moment) if moment else ""


@register.filter
def relative(moment: datetime | None) -> str:
    """Return how long ago a moment was, or how far ahead it lies."""
    if moment is None:
        return ""
    ago = clock.now() - moment
    if ago < timedelta(0):
        return f"in {duration(ago)}"
    return f"{duration(ago)} ago"


@register.filter
def age(moment: datetime) -> str:
    """Return for how long something has been going on."""
    return duration(clock.now() - moment)


def _inline(template: str, facts: dict[str, Any]) -> SafeString:
    """Return a part that stands within a line: its file's last line end is no space."""
    return SafeString(render_to_string(template, facts).rstrip())


@register.simple_tag
def when(moment: datetime | str | None) -> SafeString:
    """Show a moment: absolute, relative beside it, UTC in its title; never relative alone."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return _inline("components/when.html", {"moment": moment})


@register.inclusion_tag("components/badge.html")
def badge(family: str, value: object) -> dict[str, Any]:
    """Show a state as icon, word and colour."""
    return {"badge": words.badge(family, str(value))}


@register.inclusion_tag("components/reason.html")
def reason(code: object) -> dict[str, Any]:
    """Show a reason: its title, its code, and whose turn it is."""
    return {"reason": words.reason(str(code))}


@register.inclusion_tag("components/icon.html")
def icon(symbol: str) -> dict[str, str]:
    """Show one symbol of the sprite; words beside it say what it means."""
    return {"symbol": symbol}


@register.simple_tag
def dname(text: object) -> SafeString:
    """Show a domain name: Unicode where that is safe, the A-label beside it."""
    facts = {"name": name(text), "unicode": unicode_name(text)}
    return _inline("components/dname.html", facts)


@register.filter
def shown_lines(text: object) -> str:
    """Escape like `shown`, but keep the line breaks that we put in ourselves."""
    return "\n".join(shown(line) for line in str(text).split("\n"))
