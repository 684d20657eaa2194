"""Words for what one server said (protocol.md 2.2)."""

from __future__ import annotations

from typing import Final

from bootstrap.core.evaluation.reasons import Reason

from .text import Act, Text

_STEP_2: Final = "RFC 9615, 4.2 step 2"

SERVERS: Final = {
    Reason.NS_OK_DATA: Text(
        "Server answered with the record",
        "The server is authoritative and holds the RRset that was asked for.",
        "This nameserver answered as it should. Nothing has to be done.",
        Act.NOBODY,
        _STEP_2,
    ),
    Reason.NS_OK_NODATA: Text(
        "Server says the record does not exist",
        "The server is authoritative and denies the type with the child's SOA.",
        "This nameserver answered, and has no such record. That is a proper answer.",
        Act.NOBODY,
        _STEP_2,
    ),
    Reason.NS_NODATA_NO_SOA: Text(
        "Empty answer without SOA",
        "The answer is empty and lacks the SOA record that a denial must carry.",
        "A nameserver gives an empty answer that cannot be told from a fault."
        " Your DNS operator should have it answer as the standard asks.",
        Act.OPERATOR,
        "RFC 2308, 2.2",
    ),
    Reason.NS_TIMEOUT: Text(
        "Server did not answer",
        "No answer came within the permitted attempts.",
        "One of your nameservers does not answer us. Every nameserver of the domain"
        " must answer before DNSSEC can be turned on.",
        Act.OPERATOR,
        _STEP_2,
    ),
    Reason.NS_UNREACHABLE: Text(
        "Server or its address cannot be reached",
        "The address refuses connections or has no route, or its look-up failed.",
        "One of your nameservers cannot be reached from here. Every nameserver of the"
        " domain must answer before DNSSEC can be turned on.",
        Act.OPERATOR,
        _STEP_2,
    ),
    Reason.NS_TCP_UNAVAILABLE: Text(
        "Server answers by UDP but not by TCP",
        "UDP works, TCP does not; unsigned facts are taken over TCP only.",
        "One of your nameservers does not accept TCP connections. Your DNS operator"
        " should open TCP port 53.",
        Act.OPERATOR,
        "RFC 7766, 5",
    ),
    Reason.NS_REFUSED: Text(
        "Server refuses to answer",
        "The server answered REFUSED about the child.",
        "One of your nameservers refuses questions about your domain. Probably the"
        " domain is not set up there.",
        Act.OPERATOR,
        _STEP_2,
    ),
    Reason.NS_NOTAUTH: Text(
        "Server says that it is not authoritative",
        "The server answered NOTAUTH about the child.",
        "One of your nameservers says that it does not serve your domain. Set the"
        " domain up there, or remove that nameserver from the delegation.",
        Act.OPERATOR,
        _STEP_2,
    ),
    Reason.NS_SERVFAIL: Text(
        "Server reports a failure",
        "The server answered SERVFAIL about the child.",
        "One of your nameservers reports a fault of its own. We ask again; your DNS"
        " operator should look if it stays so.",
        Act.OPERATOR,
        _STEP_2,
    ),
    Reason.NS_FORMERR: Text(
        "Server does not understand the question",
        "The server answered FORMERR to a well-formed query with EDNS.",
        "One of your nameservers cannot read an ordinary question. Its software needs"
        " an update.",
        Act.OPERATOR,
        _STEP_2,
    ),
    Reason.NS_NOTIMP: Text(
        "Server does not support the question",
        "The server answered NOTIMP, so it or a box before it filters types.",
        "One of your nameservers does not support a question that DNSSEC needs. Its"
        " software, or a filter before it, needs an update.",
        Act.OPERATOR,
        _STEP_2,
    ),
    Reason.NS_NO_EDNS: Text(
        "Server does not support EDNS",
        "Without EDNS and the DO bit no signature can be fetched.",
        "One of your nameservers lacks a feature that DNSSEC cannot do without."
        " Its software needs an update.",
        Act.OPERATOR,
        "RFC 4035, 3; RFC 6891, 7",
    ),
    Reason.NS_LAME_REFERRAL: Text(
        "Server does not serve the domain: referral",
        "The server is lame: it refers to other servers instead of answering.",
        "One of your nameservers does not serve your domain. Set it up there, or"
        " remove that nameserver from the delegation.",
        Act.OPERATOR,
        _STEP_2,
    ),
    Reason.NS_LAME_NOT_AA: Text(
        "Server is not authoritative",
        "The server answers without the AA bit, as resolvers and proxies do.",
        "One of your nameservers only repeats what others say. Your domain must be"
        " set up on it.",
        Act.OPERATOR,
        _STEP_2,
    ),
    Reason.NS_LAME_NXDOMAIN: Text(
        "Server says that the domain does not exist",
        "The server answers NXDOMAIN for the apex, or with another zone's SOA.",
        "One of your nameservers believes that your domain does not exist. Set it up"
        " there, or remove that nameserver from the delegation.",
        Act.OPERATOR,
        _STEP_2,
    ),
    Reason.NS_MALFORMED: Text(
        "Server's answer cannot be read",
        "The packet is malformed, truncated over TCP, or answers something else.",
        "One of your nameservers sends an answer that cannot be read. We ask again;"
        " your DNS operator should look if it stays so.",
        Act.OPERATOR,
        "RFC 1035, 4.1",
    ),
    Reason.NS_APEX_CNAME: Text(
        "CNAME at the top of the domain",
        "The apex holds a CNAME, which no zone may have there.",
        "Your domain is an alias at its very top, which the DNS does not allow."
        " Your DNS operator must replace the CNAME.",
        Act.OPERATOR,
        "RFC 1034, 3.6.2; RFC 2181, 10.1",
    ),
    Reason.NS_NO_ADDRESS: Text(
        "Nameserver has no address",
        "The nameserver's name has neither A nor AAAA records.",
        "One of your nameservers has no address, so nobody can reach it. Correct or"
        " remove it; if its domain has expired, somebody else could take it over.",
        Act.OPERATOR,
        "RFC 9975, 3 and A.2",
    ),
    Reason.NS_ADDR_BOGUS: Text(
        "Nameserver's address fails validation",
        "The address look-up of the nameserver is bogus.",
        "The address of one of your nameservers fails its DNSSEC check. Whoever runs"
        " that nameserver's domain must repair it.",
        Act.OPERATOR,
        "RFC 4035, 5",
    ),
    Reason.NS_ADDR_FORBIDDEN: Text(
        "Nameserver has an address we must not ask",
        "The address is private, loopback, reserved or one of our own.",
        "One of your nameservers has an address that is not on the public Internet."
        " Publish its public address.",
        Act.OPERATOR,
        "P-1.72",
    ),
    Reason.NS_TARGET_INVALID: Text(
        "Nameserver's name is not a host name",
        "The NS target is the root, a wildcard, or an address.",
        "One of your nameservers has a name that cannot be a host. Correct it in the"
        " delegation.",
        Act.OWNER,
        "RFC 2181, 10.3; P-1.17",
    ),
    Reason.NS_TARGET_ALIAS: Text(
        "Nameserver's name is an alias",
        "The NS target is a CNAME, which the standard forbids.",
        "One of your nameservers is only an alias of another name. Use the real name"
        " in the delegation.",
        Act.OPERATOR,
        "RFC 2181, 10.3",
    ),
    Reason.NS_GLUE_MISMATCH: Text(
        "Glue differs from the nameserver's addresses",
        "Registry glue and authoritative addresses differ; both were asked.",
        "The registry has other addresses for a nameserver than the DNS itself."
        " It works, but should be put in order.",
        Act.OWNER,
        "RFC 1034, 4.2.2",
    ),
}
