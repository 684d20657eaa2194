"""Trust anchors from text: IANA's XML (RFC 9718) or lines of a zone file.

Zone file lines hold DS or DNSKEY records, as `dnssec-dsfromkey`, `keymgr` and
Unbound write them. Reading the file itself is the caller's business. The file
that comes with the product holds both root keys (P-B.1, P-B.2).
"""

from __future__ import annotations

from datetime import datetime
from xml.etree import ElementTree as ET

import dns.exception
import dns.zonefile
from dns.rdatatype import RdataType

from bootstrap.core.dns.names import InvalidName, canonical, parse_name
from bootstrap.core.dns.records import Ds, Key

from .anchors import Anchor


class AnchorsMalformed(Exception):
    """The text holds no trust anchors; the message says why."""


def read_anchors(text: str) -> tuple[Anchor, ...]:
    """Return the anchors of a file's text; never none.

    Raises:
        AnchorsMalformed: neither form, a field is wrong, or there is no anchor.
    """
    found = _from_xml(text) if text.lstrip().startswith("<") else _from_lines(text)
    if not found:
        raise AnchorsMalformed("there is no trust anchor in it")
    return found


def _from_xml(text: str) -> tuple[Anchor, ...]:
    if "<!" in text.replace("<!--", ""):
        raise AnchorsMalformed("declarations are not welcome")  # no entities
    try:
        tree = ET.fromstring(text)  # noqa: S314 - no entities, see above
        zone = parse_name(tree.findtext("Zone", ""))
        return tuple(_anchor(digest, zone) for digest in tree.iter("KeyDigest"))
    except (ET.ParseError, InvalidName, ValueError) as exc:
        raise AnchorsMalformed(f"not the form of RFC 9718: {exc}") from exc


def _anchor(digest: ET.Element, zone: dns.name.Name) -> Anchor:
    fields = ("KeyTag", "Algorithm", "DigestType", "Digest")
    ds = Ds.from_text(" ".join(digest.findtext(field, "") for field in fields))
    return Anchor(
        ds=ds,
        zone=zone,
        valid_from=_moment(digest.get("validFrom")),
        valid_until=_moment(digest.get("validUntil")),
    )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return moment


def _from_lines(text: str) -> tuple[Anchor, ...]:
    try:
        rrsets = dns.zonefile.read_rrsets(
            text, default_ttl=0, relativize=False, rdclass=None
        )
    except (dns.exception.DNSException, ValueError) as exc:
        raise AnchorsMalformed(f"not lines of a zone file: {exc}") from exc
    anchors: list[Anchor] = []
    for rrset in rrsets:
        owner = canonical(rrset.name)
        for rdata in rrset:
            wire = rdata.to_digestable()
            if rrset.rdtype == RdataType.DS:
                anchors.append(Anchor(Ds.from_wire(wire), owner))
            elif rrset.rdtype == RdataType.DNSKEY:
                anchors.append(Anchor(Key.from_wire(wire).ds(owner), owner))
            else:
                kind = RdataType.to_text(rrset.rdtype)
                raise AnchorsMalformed(f"a record of type {kind}")
    return tuple(anchors)
