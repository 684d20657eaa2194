"""Names: canonical form and the names of signals (P-1.1 to P-1.6, P-1.11)."""

from __future__ import annotations

import pickle

import dns.name
import pytest
from hypothesis import given, strategies as st

from bootstrap.core.dns.names import (
    ROOT,
    InvalidName,
    Name,
    UnusableSignalingName,
    canonical,
    in_domain,
    interned,
    is_within,
    out_of_domain,
    pack,
    packed,
    parse_name,
    place,
    signaling_domain,
    signaling_name,
    tail,
    unrooted,
    wire_length,
)
from bootstrap.core.dns.wire import name_at

labels = st.binary(min_size=1, max_size=20)
names = st.lists(labels, max_size=6).map(lambda found: Name((*found, b"")))


def test_p_1_1_the_signaling_name_of_the_standard():
    made = signaling_name(parse_name("example.co.uk"), parse_name("ns1.example.net"))
    assert made.to_text() == "_dsboot.example.co.uk._signal.ns1.example.net."
    assert wire_length(made) == 47


def test_p_1_3_names_are_built_from_labels_and_in_lower_case():
    child = Name((b"A.b\xff", b"CH", b""))
    made = signaling_name(child, Name((b"NS", b"Net", b"")))
    assert made.labels == (
        b"_dsboot",
        b"a.b\xff",
        b"ch",
        b"_signal",
        b"ns",
        b"net",
        b"",
    )


@pytest.mark.parametrize(("total", "fits"), [(239, True), (240, True), (241, False)])
def test_p_1_5_the_length_law(total, fits):
    nameserver = parse_name("ns1.example.net")
    rest = total - wire_length(nameserver)
    filler = [b"a" * 63] * 3 + [b"b" * (rest - 3 * 64 - 2)]
    child = Name((*filler, b""))
    assert wire_length(child) + wire_length(nameserver) == total
    if fits:
        assert wire_length(signaling_name(child, nameserver)) == total + 15
    else:
        with pytest.raises(UnusableSignalingName, match="more than 255 octets"):
            signaling_name(child, nameserver)


def test_the_signaling_domain_has_a_length_too():
    host = Name((b"a" * 63, b"a" * 63, b"a" * 63, b"a" * 60, b""))
    with pytest.raises(UnusableSignalingName):
        signaling_domain(host)
    assert signaling_domain(parse_name("ns1.example.net")).to_text() == (
        "_signal.ns1.example.net."
    )


IN_DOMAIN = {
    "ns1.example.ch": True,
    "example.ch": True,
    "a.b.example.ch": True,
    "ns1.notexample.ch": False,
    "ch": False,
    "ns1.example.net": False,
}


@pytest.mark.parametrize(("host", "inside"), IN_DOMAIN.items())
def test_p_1_11_in_domain_is_decided_at_label_boundaries(host, inside):
    assert in_domain(parse_name("example.ch"), parse_name(host)) is inside


def test_p_1_4_p_1_12_out_of_domain_hosts_are_distinct_whatever_their_case():
    hosts = [
        Name((b"NS1", b"example", b"net", b"")),
        parse_name("ns1.example.net"),
        parse_name("ns.hoster.ch"),
        parse_name("ns.example.ch"),
    ]
    assert out_of_domain(parse_name("example.ch"), hosts) == (
        parse_name("ns.hoster.ch"),
        parse_name("ns1.example.net"),
    )


TEXTS = {
    "example.ch": "example.ch.",
    "EXAMPLE.CH.": "example.ch.",
    " example.ch ": "example.ch.",
    "bücher.example": "xn--bcher-kva.example.",
    ".": ".",
    r"a\.b.ch": r"a\.b.ch.",
}


@pytest.mark.parametrize(("text", "name"), TEXTS.items())
def test_text_becomes_a_canonical_absolute_name(text, name):
    assert parse_name(text).to_text() == name


@pytest.mark.parametrize("text", ["", "  ", "a..b", "a" * 64, "a." * 128, "\\"])
def test_text_that_is_no_name_is_refused(text):
    with pytest.raises(InvalidName):
        parse_name(text)


@pytest.mark.parametrize(("text", "shown"), [("example.ch.", "example.ch"), (".", ".")])
def test_names_are_shown_without_their_last_dot(text, shown):
    assert unrooted(parse_name(text)) == shown


@given(names)
def test_canonical_form_is_that_of_dnspython_and_stays(name):
    assert canonical(name).labels == name.canonicalize().labels
    assert canonical(canonical(name)) is canonical(name)


@given(names)
def test_octets_are_those_of_dnspython_and_read_back(name):
    folded = canonical(name)
    assert packed(name) == name.to_digestable()
    assert pack(name.labels) == name.to_wire()
    assert name_at(b"\7" + packed(name), 1) == (folded, len(packed(name)) + 1)
    assert wire_length(name) == len(packed(name))


@given(st.lists(st.binary(min_size=1, max_size=63), max_size=3))
def test_s_50_any_octets_of_a_label_are_the_same_name_as_text_and_back(labels):
    name = canonical(Name((*labels, b"")))

    assert parse_name(unrooted(name)).labels == name.labels
    assert unrooted(name) == unrooted(name).lower()


@given(names, names)
def test_order_and_containment_are_those_of_dnspython(first, second):
    first, second = canonical(first), canonical(second)
    assert (place(first) < place(second)) is (first < second)
    assert is_within(first, second) is first.is_subdomain(second)


@given(names)
def test_tails_are_ancestors(name):
    for count in range(1, len(name.labels) + 1):
        assert name.is_subdomain(tail(name, count))
    assert tail(name, 1) == ROOT


def test_names_are_never_longer_than_the_wire_allows():
    with pytest.raises(dns.name.NameTooLong):
        tail(Name((b"a" * 63,) * 4 + (b"",)), 5)


def test_only_canonical_names_are_kept_for_all():
    assert interned((b"A", b"")) == interned((b"a", b""))
    assert interned((b"A", b"")).labels == (b"A", b"")
    assert interned((b"a", b"")) is canonical(interned((b"A", b"")))


@given(st.lists(st.binary(min_size=1, max_size=8), max_size=5))
def test_an_interned_name_is_every_spelling_of_the_name(labels):
    plain = dns.name.Name((*labels, b""))
    shouted = dns.name.Name((*(label.upper() for label in labels), b""))
    name = canonical(shouted)
    assert name is canonical(plain)
    assert name == plain == name == shouted
    assert (name != shouted) is False
    assert hash(name) == hash(plain) == hash(shouted)
    assert name != dns.name.Name((b"other", *plain.labels))
    assert name != labels
    assert pickle.loads(pickle.dumps(name)) == plain  # noqa: S301 - our own octets
