"""Key files: what is taken, what is refused, and that the secret stays in."""

from __future__ import annotations

import base64
from contextlib import suppress

import dns.tsig
import pytest
from hypothesis import given, strategies as st

from bootstrap.core.dns.names import parse_name
from bootstrap.registry.tsigkeys import (
    KeyFileInvalid,
    parse_key,
    read_key_file,
    read_keys,
)

SECRET = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
GOOD = f'key "updater.test" {{\n  algorithm hmac-sha256;\n  secret "{SECRET}";\n}};\n'
OTHER = GOOD.replace("updater", "next")


def test_a_key_of_tsig_keygen_is_read(tmp_path):
    path = tmp_path / "key"
    path.write_text(GOOD)
    path.chmod(0o400)

    key = read_key_file(path)

    assert key.name == parse_name("updater.test")
    assert key.algorithm == dns.tsig.HMAC_SHA256
    assert key.secret == b"0123456789abcdef0123456789abcdef"
    assert key.warnings == ()


def test_a_file_may_hold_both_keys_of_a_rotation_in_their_order(tmp_path):
    path = tmp_path / "key"
    path.write_text(GOOD + OTHER)
    names = [key.name for key in read_keys(path)]
    assert names == [parse_name("updater.test"), parse_name("next.test")]
    assert read_key_file(path).name == names[0]


FORMS = {
    "one line without quotes": f"key updater.test{{algorithm hmac-sha256;secret {SECRET};}};",
    "comments": f"// a\n# b\n/* c\n d */ {GOOD} // e",
    "the other order": f'key "updater.test" {{ secret "{SECRET}"; algorithm HMAC-SHA256; }};',
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_the_forms_of_a_key_statement_say_the_same(text):
    assert parse_key(text, "f") == parse_key(GOOD, "f")


@pytest.mark.parametrize(
    ("word", "algorithm"),
    [
        ("hmac-sha256", dns.tsig.HMAC_SHA256),
        ("hmac-sha384", dns.tsig.HMAC_SHA384),
        ("hmac-sha512", dns.tsig.HMAC_SHA512),
    ],
)
def test_sha_256_and_better_are_taken(word, algorithm):
    assert parse_key(GOOD.replace("hmac-sha256", word), "f").algorithm == algorithm


WEAK = ["hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256-128", "gss-tsig", "rot13"]


@pytest.mark.parametrize("word", WEAK)
def test_a_weak_truncated_or_unknown_algorithm_is_refused_by_line(word):
    with pytest.raises(KeyFileInvalid, match=r"^f:2: algorithm .* unknown or too weak"):
        parse_key(GOOD.replace("hmac-sha256", word), "f")


WRONG = {
    "empty": ("", r"f:1: the file ends where the word \"key\""),
    "no name": ("key {", "f:1: the name of the key should stand here"),
    "a bad name": (GOOD.replace("updater.test", "a..b"), "f:1: 'a..b'"),
    "no secret": ('key "a" { algorithm hmac-sha256; };', "f:1: the key has no secret"),
    "no algorithm": (f'key "a" {{ secret "{SECRET}"; }};', "has no algorithm"),
    "two secrets": (GOOD.replace("algorithm hmac-sha256", "secret x"), "f:3: a second"),
    "no semicolon": (GOOD.replace("sha256;", "sha256"), "f:3: ';' should stand here"),
    "no end": (GOOD.replace("};", ""), "f:3: the file ends where '}'"),
    "an unknown field": (GOOD.replace("secret", "secrets"), "f:3: algorithm or secret"),
    "an open quote": (GOOD.replace(f'{SECRET}"', SECRET), "f:3: a quote"),
    "no base64": (GOOD.replace(SECRET, "x!y"), "f:3: the secret is not base64"),
    "a short secret": (
        GOOD.replace(SECRET, "c2hvcnQ="),
        "f:3: the secret has 5 octets",
    ),
    "twice the same key": (GOOD + GOOD, "f: both keys have the same name"),
    "three keys": (
        GOOD + OTHER + GOOD,
        "f:9: more than two keys",
    ),
    "another statement": ("options {};", 'f:1: the word "key" should stand here'),
}


@pytest.mark.parametrize(("text", "why"), WRONG.values(), ids=WRONG)
def test_an_error_names_file_and_line_and_not_the_secret(text, why):
    with pytest.raises(KeyFileInvalid, match=why) as refusal:
        parse_key(text, "f")
    assert SECRET not in str(refusal.value)


def test_a_file_that_everybody_can_read_is_taken_with_a_warning(tmp_path):
    path = tmp_path / "key"
    path.write_text(GOOD)
    path.chmod(0o644)

    (warning,) = read_key_file(path).warnings
    assert str(path) in warning


def test_a_file_that_is_missing_or_binary_or_huge_is_refused(tmp_path):
    path = tmp_path / "key"
    with pytest.raises(KeyFileInvalid, match="No such file"):
        read_key_file(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(KeyFileInvalid, match="not ASCII"):
        read_key_file(path)
    path.write_text("#" * 100_000)
    with pytest.raises(KeyFileInvalid, match="longer"):
        read_key_file(path)


def test_the_secret_is_in_no_representation():
    key = parse_key(GOOD, "f")
    shown = f"{key!r} {key}"

    assert SECRET not in shown
    assert "0123456789abcdef" not in shown


@given(
    st.text(st.sampled_from('key{};"#/* \nalgorithm hmac-sha256 secret\\'), max_size=60)
)
def test_any_text_is_a_key_or_refused(text):
    with suppress(KeyFileInvalid):
        assert parse_key(text, "f").secret
