"""Queries in, packets out: from a parsed query and a reply to octets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dns.edns
import dns.exception
import dns.flags
import dns.message
from dns.rcode import Rcode

from .answers import Reply, answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dns.message import Message

    from bootstrap.core.dns.names import Name

    from .denial import Denier

UDP_LIMIT: Final = 1232
"""Octets of the largest datagram (RFC 9715); beyond it the answer has TC."""
PLAIN_LIMIT: Final = 512
HEADER: Final = 12


def honest(
    contents: Mapping[Name, Denier], query: Message, *, tcp: bool, nsid: bytes
) -> bytes:
    """Return the packet with which a server holding `contents` answers `query`."""
    question = query.question[0]
    do = bool(query.ednsflags & dns.flags.DO)
    name = question.name.canonicalize()
    reply = answer(contents, name, question.rdtype, do=do)
    return packet(query, reply, tcp=tcp, nsid=nsid)


def packet(query: Message, reply: Reply, *, tcp: bool, nsid: bytes = b"") -> bytes:
    """Return `reply` as the answer to `query`; cut short with TC where UDP forces it."""
    response = response_to(query, nsid=nsid)
    response.set_rcode(reply.rcode)
    if reply.aa:
        response.flags |= dns.flags.AA
    response.answer = list(reply.answer)
    response.authority = list(reply.authority)
    response.additional = list(reply.additional)
    limit = 65535 if tcp else _limit(query)
    try:
        return response.to_wire(max_size=limit)
    except dns.exception.TooBig:
        return truncated(response)


def response_to(query: Message, *, nsid: bytes = b"") -> Message:
    """Return an empty response, with EDNS, DO and NSID where the query has them."""
    response = dns.message.make_response(query, our_payload=UDP_LIMIT)
    if query.edns >= 0:
        asked = any(option.otype == dns.edns.NSID for option in query.options)
        options: list[dns.edns.Option] = []
        if asked and nsid:
            options.append(dns.edns.NSIDOption(nsid))
        response.use_edns(0, query.ednsflags, UDP_LIMIT, options=options)
    return response


def truncated(response: Message) -> bytes:
    """Return `response` with TC set and nothing but its question."""
    response.flags |= dns.flags.TC
    response.answer, response.authority, response.additional = [], [], []
    return response.to_wire()


def failure(query: Message, rcode: Rcode) -> bytes:
    """Return an empty answer with `rcode`."""
    response = response_to(query)
    response.set_rcode(rcode)
    return response.to_wire()


def _limit(query: Message) -> int:
    if query.edns < 0:
        return PLAIN_LIMIT
    return max(PLAIN_LIMIT, min(query.payload, UDP_LIMIT))
