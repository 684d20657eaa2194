"""Questions to a running laboratory over real sockets."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.query
from dns.rdatatype import RdataType


def ask(lab, address, name, rdtype, *, tcp=True, do=True):
    """Return the response of one server to one question, without RD."""
    query = dns.message.make_query(name, rdtype, want_dnssec=do)
    query.flags &= ~dns.flags.RD
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, address, port=lab.port, timeout=2)


def types(section):
    """Return the types in a section, signatures left out, in order."""
    return [r.rdtype for r in section if r.rdtype != RdataType.RRSIG]


def servers_of(lab, host):
    """Return the addresses of a nameserver."""
    return lab.built.network.hosts[dns.name.from_text(host)]
