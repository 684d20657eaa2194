"""One RRset, one zone's keys, one time (protocol.md, 7.2; S-30 to S-36, S-40)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dns.rrset
import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given, strategies as st

from bootstrap.core.dns.messages import read
from bootstrap.core.dns.names import Name
from bootstrap.core.dns.records import Key, RRset, Signed
from bootstrap.core.dnssec import crypto
from bootstrap.core.dnssec.algorithms import VERIFIED_ALGORITHMS
from bootstrap.core.dnssec.budget import Budget, BudgetSpent, Limits
from bootstrap.core.dnssec.security import Flaw
from bootstrap.core.dnssec.signatures import (
    Context,
    Unverified,
    Verified,
    ZoneKeys,
    precedes,
    verify,
)
from tests.support.signed import (
    DAY,
    KSK,
    NOW,
    a_signer,
    an_rrset,
    an_rrsig,
    n,
    octets,
    signature_set,
)
from tests.support.wires import a_response

ZONE = n("example.net")
OWNER = n("www.example.net")
SECOND = timedelta(seconds=1)


def signed(
    owner=OWNER, rdtype=1, texts=("192.0.2.1", "192.0.2.2"), signer=None, **changes
):
    """Return a signed RRset, as a response would carry it."""
    rrset = an_rrset(owner, rdtype, *texts)
    rrsig = an_rrsig(rrset, signer or a_signer(), changes.pop("zone", ZONE), **changes)
    return as_signed(rrset, rrsig)


def as_signed(rrset: dns.rrset.RRset, *rrsigs) -> Signed:
    lines = [
        line
        for r in (rrset, signature_set(rrset, *rrsigs))
        for line in r.to_text().replace(" IN ", " ").splitlines()
    ]
    wire = a_response(*lines, name=rrset.name.to_text(), rdtype=rrset.rdtype)
    response = read(wire, rrset.name.canonicalize(), rrset.rdtype)
    return response.answer[0]


def a_context(now=NOW, **options):
    return Context(now, options.pop("budget", None) or Budget(), **options)


def outcome(given, keys=None, zone=ZONE, context=None):
    keys = (a_signer().key,) if keys is None else keys
    return verify(given, ZoneKeys(zone, tuple(keys)), context or a_context())


def flaw(given, *args, **kwargs):
    found = outcome(given, *args, **kwargs)
    assert isinstance(found, Unverified)
    return found.flaw


def is_good(given, *args, **kwargs):
    return isinstance(outcome(given, *args, **kwargs), Verified)


@pytest.mark.parametrize("algorithm", [8, 10, 13, 14, 15, 16])
def test_p_7_26_each_algorithm_verifies_and_notices_a_change(algorithm):
    signer = a_signer(algorithm)
    good = signed(signer=signer)
    assert is_good(good, [signer.key])
    bad = replace(good, rrset=replace(good.rrset, rdatas=good.rrset.rdatas[:1]))
    assert flaw(bad, [signer.key]) is Flaw.SIGNATURE_WRONG


def test_a_known_signature_of_another_implementation_verifies():
    """RFC 8080, section 6.1: Ed25519, example.com. MX."""
    key = Key(257, 3, 15, octets("l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="))
    signature = octets(
        "oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3f"
        "x8A4M3e23mRZ9VrbpMngwcrqNAg=="
    )
    rrset = an_rrset(n("example.com"), 15, "10 mail.example.com.", ttl=3600)
    rrsig = an_rrsig(
        rrset,
        a_signer(15),
        n("example.com"),
        expiration=1440021600,
        inception=1438207200,
        key_tag=3613,
        signature=signature,
    )
    context = a_context(datetime(2015, 8, 1, tzinfo=UTC))
    assert key.key_tag == 3613
    assert is_good(as_signed(rrset, rrsig), [key], n("example.com"), context)


def test_p_7_24_no_signature_is_no_proof():
    good = signed()
    assert flaw(replace(good, rrsigs=())) is Flaw.UNSIGNED


FOREIGN = {
    "parent": (n("net"), Flaw.SIGNER_ABOVE_CUT),
    "root": (n("."), Flaw.SIGNER_ABOVE_CUT),
    "sibling": (n("sibling.net"), Flaw.WRONG_SIGNER),
    "child": (OWNER, Flaw.WRONG_SIGNER),
    "elsewhere": (n("evil.test"), Flaw.WRONG_SIGNER),
}


@pytest.mark.parametrize(("zone", "expected"), FOREIGN.values(), ids=FOREIGN)
def test_p_7_20_s_30_a_signer_that_is_not_the_zone_proves_nothing(zone, expected):
    assert flaw(signed(zone=zone)) is expected


def test_p_7_20_s_30_a_zone_speaks_of_its_own_names_only():
    victim = signed(owner=n("victim.example"), zone=n("evil.test"))
    assert flaw(victim, zone=n("evil.test")) is Flaw.WRONG_SIGNER


def test_p_7_20_a_signature_for_another_type_is_none():
    good = signed()
    other = replace(good.rrsigs[0], type_covered=28)
    assert flaw(replace(good, rrsigs=(other,))) is Flaw.MALFORMED


def test_p_7_20_more_labels_than_the_owner_has_are_impossible():
    good = signed()
    longer = replace(good.rrsigs[0], labels=4)
    assert flaw(replace(good, rrsigs=(longer,))) is Flaw.MALFORMED


def test_p_7_20_the_algorithm_of_key_and_signature_must_agree():
    assert flaw(signed(algorithm=15)) is Flaw.NO_MATCHING_KEY


@pytest.mark.parametrize("algorithm", [1, 3, 5, 6, 7, 12, 17, 23, 253, 254, 0, 99])
def test_p_7_10_p_7_26_s_38_other_algorithms_prove_nothing(algorithm):
    assert flaw(signed(algorithm=algorithm)) is Flaw.UNSUPPORTED_ALGORITHM


def test_p_7_20_a_key_that_is_not_in_the_zone_proves_nothing():
    assert flaw(signed(), [a_signer(13, "another").key]) is Flaw.NO_MATCHING_KEY


def stamp(moment):
    return int(moment.timestamp()) & 0xFFFFFFFF


WINDOWS = {
    "inception is now": (NOW, NOW + DAY, None),
    "expiration is now": (NOW - DAY, NOW, None),
    "both are now": (NOW, NOW, None),
    "a second too early": (NOW + SECOND, NOW + DAY, Flaw.NOT_YET_VALID),
    "a second too late": (NOW - DAY, NOW - SECOND, Flaw.EXPIRED),
    "expired before it began": (NOW + DAY, NOW - DAY, Flaw.WINDOW_INVERTED),
}


@pytest.mark.parametrize(("start", "end", "expected"), WINDOWS.values(), ids=WINDOWS)
def test_p_7_21_s_40_both_ends_belong_to_the_window(start, end, expected):
    given = signed(inception=stamp(start), expiration=stamp(end))
    found = outcome(given)
    if expected is None:
        assert isinstance(found, Verified)
        assert (found.not_before, found.not_after) == (start, end)
    else:
        assert isinstance(found, Unverified)
        assert found.flaw is expected


WRAPS = {
    "2038: the sign bit": datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC),
    "2106: the counter starts anew": datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC),
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
@pytest.mark.parametrize("ahead", [-1, 0, 1, 2])
def test_p_7_21_time_is_a_serial_number_and_wraps(wrap, ahead):
    now = wrap + ahead * SECOND
    given = signed(inception=stamp(wrap - DAY), expiration=stamp(wrap + DAY))
    found = outcome(given, context=a_context(now))
    assert isinstance(found, Verified)
    assert (found.not_before, found.not_after) == (wrap - DAY, wrap + DAY)
    late = outcome(given, context=a_context(wrap + 2 * DAY))
    assert isinstance(late, Unverified)
    assert late.flaw is Flaw.EXPIRED


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_serial_order_is_antisymmetric(first, second):
    if first != second and abs(first - second) != 2**31:
        assert precedes(first, second) != precedes(second, first)
    assert precedes(first, first)


@given(st.integers(0, 2**32 - 1))
def test_serials_half_the_circle_apart_are_in_no_order(first):
    assert not precedes(first, (first + 2**31) & 0xFFFFFFFF)


TTLS = {
    "received is least": (60, 300, 7 * 86400, 60),
    "original is least": (900, 300, 7 * 86400, 300),
    "remaining life is least": (900, 900, 30, 30),
}


@pytest.mark.parametrize(("got", "original", "left", "ttl"), TTLS.values(), ids=TTLS)
def test_p_7_23_the_ttl_is_the_least_of_three(got, original, left, ttl):
    end = stamp(NOW + left * SECOND)
    given = signed(original_ttl=original, expiration=end)
    given = replace(given, rrset=replace(given.rrset, ttl=got))
    found = outcome(given)
    assert isinstance(found, Verified)
    assert found.signed.rrset.ttl == ttl


CANONICAL = {
    "names in rdata are folded": ("MX", ["10 MAIL.Example.NET."]),
    "the target of SRV too": ("SRV", ["1 2 3 Srv.EXAMPLE.net."]),
    "rdata is sorted": ("TXT", ['"b"', '"a"', '"aa"']),
    "unknown types are opaque": ("TYPE65280", [r"\# 4 4142C00C"]),
    "the next name of NSEC is not folded": ("NSEC", ["ZZZ.example.NET. A RRSIG NSEC"]),
    "nor is SVCB": ("SVCB", ["1 Svc.Example.NET. port=53"]),
}


@pytest.mark.parametrize(("rdtype", "texts"), CANONICAL.values(), ids=CANONICAL)
@pytest.mark.parametrize("owner", ["www.example.net.", "WWW.Example.NET."])
def test_p_7_24_canonical_form_is_what_the_signer_hashed(rdtype, texts, owner):
    rrset = dns.rrset.from_text(owner, 300, "IN", rdtype, *texts)
    rrsig = an_rrsig(rrset, a_signer(), ZONE)
    upper = rrsig.replace(signer=Name((b"EXAMPLE", b"NET", b"")))
    assert is_good(as_signed(rrset, upper))


def test_p_7_25_a_record_added_or_taken_away_is_noticed():
    good = signed(texts=("192.0.2.1", "192.0.2.2", "192.0.2.3"))
    rdatas = good.rrset.rdatas
    for changed in (rdatas[1:], (*rdatas, b"\xff\xff\xff\xff"), ()):
        rrset = RRset(OWNER, good.rrset.rdtype, 300, changed)
        assert flaw(replace(good, rrset=rrset)) is Flaw.SIGNATURE_WRONG


def test_p_7_25_a_signature_copied_from_another_rrset_is_noticed():
    one, two = signed(), signed(owner=n("mail.example.net"))
    assert flaw(replace(one, rrsigs=two.rrsigs)) is Flaw.SIGNATURE_WRONG


@pytest.mark.parametrize("part", ["original_ttl", "inception", "expiration"])
def test_a_changed_field_of_the_signature_is_noticed(part):
    good = signed()
    rrsig = good.rrsigs[0]
    changed = replace(rrsig, **{part: getattr(rrsig, part) + 1})
    assert flaw(replace(good, rrsigs=(changed,))) is Flaw.SIGNATURE_WRONG


def test_s_31_expansion_from_a_wildcard_is_told():
    rrset = an_rrset(n("*.example.net"), 1, "192.0.2.1")
    rrsig = an_rrsig(rrset, a_signer(), ZONE)
    expanded = an_rrset(n("a.b.example.net"), 1, "192.0.2.1")
    found = outcome(as_signed(expanded, rrsig))
    assert isinstance(found, Verified)
    assert found.encloser == ZONE


def test_p_7_31_the_wildcard_itself_is_no_expansion():
    found = outcome(signed(owner=n("*.example.net"), texts=("192.0.2.1",)))
    assert isinstance(found, Verified)
    assert found.encloser is None


UNUSABLE = {
    "no ZONE flag": {"flags": KSK & ~0x100},
    "REVOKE": {"flags": KSK | 0x80},
    "protocol 0": {"protocol": 0},
}


@pytest.mark.parametrize("changes", UNUSABLE.values(), ids=UNUSABLE)
def test_s_32_an_unusable_key_verifies_nothing(changes):
    signer = a_signer().with_key(**changes)
    assert flaw(signed(signer=signer), [signer.key]) is Flaw.NO_MATCHING_KEY


def a_colliding_key(key: Key, turn: int = 1) -> Key:
    """Swap words of the key: the tag is a sum, so it stays (S-34)."""
    public = key.public_key
    swapped = public[2 * turn : 2 * turn + 2] + public[2 : 2 * turn] + public[:2]
    return replace(key, public_key=swapped + public[2 * turn + 2 :])


def test_p_7_6_s_34_two_keys_of_one_tag_are_both_tried():
    signer = a_signer(15)
    other = a_colliding_key(signer.key)
    assert other.key_tag == signer.key.key_tag
    for keys in ([other, signer.key], [signer.key, other]):
        assert is_good(signed(signer=signer), keys)


def test_s_34_three_keys_of_one_tag_are_too_many():
    signer = a_signer(15)
    keys = [signer.key, a_colliding_key(signer.key, 1), a_colliding_key(signer.key, 2)]
    assert len({key.key_tag for key in keys}) == 1
    budget = Budget()
    assert (
        flaw(signed(signer=signer), keys, context=a_context(budget=budget))
        is Flaw.LIMIT
    )
    assert budget == Budget()


def broken(given, *numbers):
    """Return signatures of the same key that are wrong, one for each number."""
    rrsig = given.rrsigs[0]
    return tuple(replace(rrsig, signature=bytes((x,)) * 64) for x in numbers)


def test_s_33_a_good_signature_among_broken_ones_is_found_within_the_cap():
    good = signed()
    many = replace(good, rrsigs=(*broken(good, 0, 0, 0, 0), *good.rrsigs))
    assert is_good(many)
    others = [
        signed(zone=n("net")).rrsigs[0],
        signed(algorithm=5).rrsigs[0],
        signed(expiration=stamp(NOW - DAY), inception=stamp(NOW - 2 * DAY)).rrsigs[0],
        *[replace(good.rrsigs[0], key_tag=tag) for tag in range(4)],
    ]
    assert is_good(replace(good, rrsigs=(*others, *good.rrsigs)))


def test_p_7_80_s_33_after_four_failures_nothing_more_is_tried():
    good = signed()
    budget = Budget()
    given = replace(good, rrsigs=broken(good, 0, 1, 2, 3, 4, 5))
    assert flaw(given, context=a_context(budget=budget)) is Flaw.LIMIT
    assert Budget().verifications - budget.verifications == 4


def test_s_33_a_hundred_signatures_and_keys_of_one_tag_cost_nothing():
    good = signed(signer=a_signer(15))
    keys = [a_signer(15).key] * 100
    given = replace(good, rrsigs=broken(good, *range(100)))
    budget = Budget()
    assert flaw(given, keys, context=a_context(budget=budget)) is Flaw.LIMIT
    assert budget == Budget()


def test_p_7_81_the_budget_of_the_evaluation_ends_it():
    with pytest.raises(BudgetSpent, match="signature verifications"):
        outcome(signed(), context=a_context(budget=Budget(verifications=0)))


def test_the_limits_are_data():
    good = signed()
    tight = a_context(limits=Limits(rrsigs=1))
    assert flaw(replace(good, rrsigs=broken(good, 0, 1)), context=tight) is Flaw.LIMIT


def test_the_same_signature_twice_is_tried_once():
    good = signed()
    budget = Budget()
    doubled = replace(good, rrsigs=broken(good, 1) * 5)
    assert flaw(doubled, context=a_context(budget=budget)) is Flaw.SIGNATURE_WRONG
    assert Budget().verifications - budget.verifications == 1


def test_the_heaviest_cause_speaks_for_several():
    good = signed()
    wrong = broken(good, 0)
    expired = replace(good.rrsigs[0], expiration=stamp(NOW - SECOND))
    above = replace(good.rrsigs[0], signer=n("net"))
    assert flaw(replace(good, rrsigs=(*wrong, expired))) is Flaw.SIGNATURE_WRONG
    assert flaw(replace(good, rrsigs=(expired, above))) is Flaw.SIGNER_ABOVE_CUT


# What is a key, and what is a signature: P-7.26, P-7.82.


def an_rsa_key(modulus: int, exponent: int, *, long_form=False) -> bytes:
    e = exponent.to_bytes((exponent.bit_length() + 7) // 8, "big")
    is_long = long_form or len(e) > 255
    size = bytes((0, *len(e).to_bytes(2, "big"))) if is_long else bytes((len(e),))
    return size + e + modulus.to_bytes((modulus.bit_length() + 7) // 8, "big")


def an_odd(bits):
    return (1 << bits - 1) | 1


RSA_KEYS = {
    "1024 bits": (an_rsa_key(an_odd(1024), 65537), True),
    "4096 bits": (an_rsa_key(an_odd(4096), 65537), True),
    "length in three octets": (an_rsa_key(an_odd(2048), 65537, long_form=True), True),
    "exponent 3": (an_rsa_key(an_odd(2048), 3), True),
    "exponent of 32 bits": (an_rsa_key(an_odd(2048), (1 << 32) - 1), True),
    "512 bits": (an_rsa_key(an_odd(512), 65537), False),
    "1023 bits": (an_rsa_key(an_odd(1023), 65537), False),
    "4097 bits": (an_rsa_key(an_odd(4097), 65537), False),
    "8192 bits": (an_rsa_key(an_odd(8192), 65537), False),
    "exponent of 33 bits": (an_rsa_key(an_odd(2048), (1 << 32) + 1), False),
    "exponent of 3071 bits": (an_rsa_key(an_odd(4096), an_odd(3071)), False),
    "exponent 1": (an_rsa_key(an_odd(2048), 1), False),
    "even exponent": (an_rsa_key(an_odd(2048), 65538), False),
    "even modulus": (an_rsa_key(an_odd(2048) - 1, 65537), False),
    "no modulus": (b"\3\1\0\1", False),
    "nothing": (b"", False),
    "length past the end": (b"\xff\1", False),
}


@pytest.mark.parametrize(("key", "usable"), RSA_KEYS.values(), ids=RSA_KEYS)
@pytest.mark.parametrize("algorithm", [8, 10])
def test_p_7_82_s_36_rsa_keys_are_looked_at_before_they_are_used(
    algorithm, key, usable
):
    assert (crypto.key_check(algorithm, key) is not None) is usable


OTHER_KEYS = {
    "a point off the curve": (13, b"\1" * 64),
    "a point too short": (13, b"\1" * 63),
    "a key of another curve": (14, b"\1" * 64),
    "Ed25519 of 31 octets": (15, bytes(31)),
    "Ed448 of 56 octets": (16, bytes(56)),
    "an unknown algorithm": (5, an_rsa_key(an_odd(2048), 3)),
}


@pytest.mark.parametrize(("algorithm", "key"), OTHER_KEYS.values(), ids=OTHER_KEYS)
def test_p_7_26_octets_that_are_no_key_are_none(algorithm, key):
    assert crypto.key_check(algorithm, key) is None
    assert not crypto.verifies(algorithm, key, bytes(64), b"", None)


L = 2**252 + 27742317777372353535851937790883648493
"""The order of the group of Ed25519 (RFC 8032, section 5.1)."""


def test_p_7_26_a_signature_of_ed25519_has_one_form():
    good = signed(signer=a_signer(15))
    r, s = good.rrsigs[0].signature[:32], good.rrsigs[0].signature[32:]
    other = (int.from_bytes(s, "little") + L).to_bytes(32, "little")
    forged = replace(good.rrsigs[0], signature=r + other)
    assert (
        flaw(replace(good, rrsigs=(forged,)), [a_signer(15).key])
        is Flaw.SIGNATURE_WRONG
    )


ECDSA_SIGNATURES = {
    "r is zero": lambda s: bytes(32) + s[32:],
    "s is zero": lambda s: s[:32] + bytes(32),
    "both are zero": lambda s: bytes(64),
    "r is huge": lambda s: b"\xff" * 32 + s[32:],
    "too short": lambda s: s[:-1],
    "too long": lambda s: s + b"\0",
    "empty": lambda s: b"",
}


@pytest.mark.parametrize("change", ECDSA_SIGNATURES.values(), ids=ECDSA_SIGNATURES)
@pytest.mark.parametrize("algorithm", [8, 13, 15])
def test_p_7_26_odd_signatures_are_wrong_and_nothing_worse(algorithm, change):
    signer = a_signer(algorithm)
    good = signed(signer=signer)
    rrsig = replace(good.rrsigs[0], signature=change(good.rrsigs[0].signature))
    assert flaw(replace(good, rrsigs=(rrsig,)), [signer.key]) is Flaw.SIGNATURE_WRONG


def test_every_algorithm_that_the_tables_call_verified_is_implemented():
    assert crypto.IMPLEMENTED == VERIFIED_ALGORITHMS


def test_what_is_remembered_changes_neither_outcome_nor_spending():
    good = signed()
    bad = replace(good, rrsigs=broken(good, 1))
    memo: dict[bytes, bool] = {}
    for given_ in (good, bad):
        crypto._verifies.cache_clear()
        budgets = [Budget() for _ in range(4)]
        outcomes = [
            outcome(given_, context=a_context(budget=budget, memo=kept))
            for budget, kept in zip(budgets, [None, None, memo, memo], strict=True)
        ]
        assert all(found == outcomes[0] for found in outcomes)
        assert all(budget == budgets[0] != Budget() for budget in budgets)
        assert crypto._verifies.cache_info().misses == 1
    assert sorted(memo.values()) == [False, True]


def spoiled(**changes):
    good = signed()
    return replace(good, rrsigs=(replace(good.rrsigs[0], **changes),))


TAG = a_signer().key.key_tag
SAID = {
    "no signature": (
        replace(signed(), rrsigs=()),
        Unverified(Flaw.UNSIGNED, "no signature came with it"),
    ),
    "the zone above": (
        signed(zone=n("net")),
        Unverified(Flaw.SIGNER_ABOVE_CUT, "signed by net. in example.net."),
    ),
    "another zone": (
        signed(zone=n("evil.test")),
        Unverified(Flaw.WRONG_SIGNER, "signed by evil.test. in example.net."),
    ),
    "another type": (
        spoiled(type_covered=2),
        Unverified(Flaw.MALFORMED, "the signature is for another RRset"),
    ),
    "another algorithm": (
        spoiled(algorithm=5),
        Unverified(Flaw.UNSUPPORTED_ALGORITHM, "signed with algorithm 5"),
    ),
    "an end before the beginning": (
        spoiled(expiration=stamp(NOW - 9 * DAY)),
        Unverified(Flaw.WINDOW_INVERTED, "it expires before it begins"),
    ),
    "tomorrow": (
        spoiled(inception=stamp(NOW + DAY)),
        Unverified(Flaw.NOT_YET_VALID, "from 2026-11-25 12:00:00+00:00"),
    ),
    "yesterday": (
        spoiled(expiration=stamp(NOW - SECOND)),
        Unverified(Flaw.EXPIRED, "since 2026-11-24 11:59:59+00:00"),
    ),
    "another key": (
        spoiled(key_tag=1),
        Unverified(Flaw.NO_MATCHING_KEY, "no key 1 of algorithm 13"),
    ),
    "wrong octets": (
        spoiled(signature=bytes(64)),
        Unverified(Flaw.SIGNATURE_WRONG, f"by key {TAG}"),
    ),
    "five wrong ones": (
        replace(signed(), rrsigs=broken(signed(), 0, 1, 2, 3, 4)),
        Unverified(Flaw.LIMIT, "4 signatures failed"),
    ),
    "nine promising ones": (
        replace(signed(), rrsigs=broken(signed(), *range(9))),
        Unverified(Flaw.LIMIT, "9 signatures"),
    ),
}


@pytest.mark.parametrize(("given_", "expected"), SAID.values(), ids=SAID)
def test_what_is_wrong_is_said_with_what_was_seen(given_, expected):
    assert outcome(given_) == expected


def test_keys_that_share_a_tag_are_counted():
    signer = a_signer(15)
    keys = [signer.key, a_colliding_key(signer.key, 1), a_colliding_key(signer.key, 2)]

    assert outcome(signed(signer=signer), keys) == Unverified(
        Flaw.LIMIT, "3 keys of one tag"
    )


def test_what_is_verified_is_told_whole():
    good = signed(original_ttl=300)

    found = outcome(good)

    assert isinstance(found, Verified)
    assert found.signed == good
    assert (found.signer, found.encloser) == (ZONE, None)
    assert (found.starts, found.ends) == (stamp(NOW - DAY), stamp(NOW + 7 * DAY))


LARGEST = an_rsa_key(an_odd(2048), 1 << 32)


def test_s_36_the_largest_exponent_is_even_and_so_no_key():
    assert crypto.key_check(8, LARGEST) is None


@pytest.mark.parametrize("algorithm", [8, 10, 13, 14])
def test_the_check_of_a_key_knows_its_own_signatures_and_no_others(algorithm):
    """Asked of the makers themselves: nothing that was remembered takes part."""
    signer, data = a_signer(algorithm), b"some octets"
    check = crypto._MAKERS[algorithm](signer.key.public_key)

    assert check is not None
    check(signer.sign(data), data)
    for signature, said in ((signer.sign(data), b"others"), (signer.sign(b""), data)):
        with pytest.raises(InvalidSignature):
            check(signature, said)


def test_a_memo_knows_what_was_checked_and_tells_checks_apart():
    signer, other = a_signer(15), a_signer(15, "other")
    memo: dict[bytes, bool] = {}
    made = (15, signer.key.public_key, signer.sign(b"x"))

    assert crypto.verifies(*made, b"x", memo)
    assert not crypto.verifies(*made, b"y", memo)
    assert not crypto.verifies(15, other.key.public_key, signer.sign(b"x"), b"x", memo)
    assert sorted(memo.values()) == [False, False, True]
    forged = dict.fromkeys(memo, True)
    assert crypto.verifies(*made, b"y", forged)
    assert crypto.verifies(*made, b"x", None)


def test_keys_that_share_a_tag_spoil_their_own_signature_alone():
    crowded, good = a_signer(13, "crowded"), a_signer(15)
    keys = [
        crowded.key,
        a_colliding_key(crowded.key, 1),
        a_colliding_key(crowded.key, 2),
        good.key,
    ]
    rrset = an_rrset(OWNER, 1, "192.0.2.1")
    rrsigs = [an_rrsig(rrset, signer, ZONE) for signer in (crowded, good)]

    assert is_good(as_signed(rrset, *rrsigs), keys)
