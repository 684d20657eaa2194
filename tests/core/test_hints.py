"""Root hints from text (RFC 9609): what is read, and what is refused."""

from __future__ import annotations

import pytest

from bootstrap.core.dns.hints import HintsMalformed, read_hints
from bootstrap.core.dns.names import parse_name

NAMED_ROOT = """
;       This file holds the information on root name servers ...
;
.                        3600000      NS    A.ROOT-SERVERS.NET.
A.ROOT-SERVERS.NET.      3600000      A     198.41.0.4
A.ROOT-SERVERS.NET.      3600000      AAAA  2001:503:ba3e::2:30
;
. 3600000 IN NS b.root-servers.net ; no last dot
B.ROOT-SERVERS.NET.      3600000  IN  A     170.247.170.2
; End of file
"""


def test_servers_come_with_their_addresses_in_the_order_of_the_file():
    assert read_hints(NAMED_ROOT) == (
        (parse_name("a.root-servers.net"), ("198.41.0.4", "2001:503:ba3e::2:30")),
        (parse_name("b.root-servers.net"), ("170.247.170.2",)),
    )


REFUSED = {
    "nothing": ("", "no NS record"),
    "comments alone": ("; hello\n", "no NS record"),
    "a server without address": (". 1 NS a.test.\n", "a.test has no address"),
    "no address": (". 1 NS a.test.\na.test. 1 A one\n", "line 2"),
    "an address of the other family": (
        ". 1 NS a.test.\na.test. 1 A 2001:db8::1\n",
        "line 2",
    ),
    "a server of another zone": ("net. 1 NS a.test.\n", "net is not the root"),
    "another type": (". 1 NS a.test.\na.test. 1 TXT hello\n", "TXT has no use here"),
    "a directive": ("$ORIGIN test.\n", "line 1"),
    "a record without owner": (". 1 NS a.test.\n  1 NS b.test.\n", "line 2"),
    "a word too many": (". 1 NS a.test. b.test.\n", "expected owner, type and value"),
    "a word too few": (". 1 NS\n", "expected owner, type and value"),
    "a name too long": (f". 1 NS {'a' * 64}.test.\n", "line 1"),
    "an owner too long": (f"{'a' * 64}.test. 1 A 192.0.2.1\n", "line 1"),
}


@pytest.mark.parametrize(("text", "why"), REFUSED.values(), ids=REFUSED)
def test_hints_are_refused_with(text, why):
    with pytest.raises(HintsMalformed, match=why):
        read_hints(text)
