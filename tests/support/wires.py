"""Response packets as bytes: made by dnspython, or put together by hand."""

from __future__ import annotations

import struct

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset

QUESTION = dns.name.from_text("example.ch.")


def a_response(
    *records, name="example.ch.", rdtype="CDS", rcode=0, flags=dns.flags.AA, edns=True
):
    """Return a response as dnspython writes it.

    Each record is a line of a zone file, "[section] owner ttl type rdata"; the
    section is "answer" when left out.
    """
    query = dns.message.make_query(
        name, rdtype, use_edns=0 if edns else None, want_dnssec=edns
    )
    response = dns.message.make_response(query, our_payload=1232)
    response.use_edns(0 if edns else None, dns.flags.DO if edns else 0, 1232)
    response.flags |= flags
    response.set_rcode(rcode)
    for line in records:
        section, _, rest = line.partition(" ")
        if section not in ("answer", "authority", "additional"):
            section, rest = "answer", line
        owner, ttl, type_, rdata = rest.split(maxsplit=3)
        found = dns.rrset.from_text(owner, int(ttl), "IN", type_, rdata)
        target = response.find_rrset(
            getattr(response, section),
            found.name,
            found.rdclass,
            found.rdtype,
            found.covers,
            create=True,
        )
        target.update(found)
    return response.to_wire(max_size=65535)


def a_packet(
    *records,
    question=b"\x07example\x02ch\x00",
    rdtype=59,
    flags=0x8400,
    counts=None,
    tail=b"",
):
    """Return a packet whose records are given as octets, in the answer section."""
    counts = counts or (1, len(records), 0, 0)
    return (
        struct.pack("!6H", 1, flags, *counts)
        + question
        + struct.pack("!HH", rdtype, 1)
        + b"".join(records)
        + tail
    )


def a_record(owner=b"\xc0\x0c", rdtype=1, rdclass=1, ttl=60, rdata=b"\x7f\0\0\1"):
    """Return one record as octets."""
    return owner + struct.pack("!HHIH", rdtype, rdclass, ttl, len(rdata)) + rdata


OPT = a_record(owner=b"\0", rdtype=41, rdclass=1232, ttl=0x8000, rdata=b"")
