"""Answers to an UPDATE that lie, break off or are not signed (S-75, S-83)."""

from __future__ import annotations

import time

import dns.message
import dns.rcode
import dns.tsig
import pytest

from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import Ds
from bootstrap.registry.dynamic_update import DynamicUpdate, update_of
from bootstrap.registry.ports import (
    Change,
    OutcomeUnknown,
    RegistryRefused,
    RegistryUnreachable,
)
from bootstrap.registry.tsigkeys import parse_key

from .fakes import framed, serving
from .primaries import STRANGER, UPDATER

ZONE = parse_name("test")
CHANGE = Change(
    parse_name("child.test"),
    ZONE,
    (parse_name("ns1.op.example"),),
    (),
    (Ds(12345, 13, 2, b"\xab" * 32),),
    600,
)


def a_key(tsig=UPDATER):
    text = f'key "{tsig.name}" {{ algorithm hmac-sha256; secret "{tsig.secret}"; }};'
    return parse_key(text, "key")


def response_to(request: bytes, rcode=dns.rcode.NOERROR, key=None) -> bytes:
    asked = dns.message.from_wire(request, keyring=a_key().keyring())
    answer = dns.message.make_response(asked)
    answer.set_rcode(rcode)
    if key is None:
        answer.tsig = None
    else:
        answer.use_tsig(key.keyring(), key.name)
        answer.request_mac = asked.mac or b""
    return answer.to_wire()


def publish(answer, patience=0.5):
    with serving(answer) as server:
        return DynamicUpdate(ZONE, server, a_key(), patience).publish(CHANGE)


def test_a_signed_yes_is_a_receipt_with_the_bytes_both_ways():
    receipt = publish(lambda asked: iter([framed(response_to(asked, key=a_key()))]))

    assert receipt.rcode == "NOERROR"
    assert dns.message.from_wire(receipt.request, keyring=a_key().keyring()).had_tsig
    assert receipt.response


UNKNOWN = {
    "a yes without a signature": lambda a: framed(response_to(a)),
    "a no without a signature": lambda a: framed(response_to(a, dns.rcode.REFUSED)),
    "a yes signed by somebody else": lambda a: framed(
        response_to(a, key=a_key(STRANGER))
    ),
    "a signed failure of the server": lambda a: framed(
        response_to(a, dns.rcode.SERVFAIL, a_key())
    ),
    "an answer to another update": lambda a: framed(
        response_to(update_of(CHANGE, a_key()).to_wire(), key=a_key())
    ),
    "garbage": lambda _a: framed(b"\x00" * 40),
    "half an answer": lambda a: framed(response_to(a, key=a_key()))[:-9],
    "a length that lies": lambda a: b"\xff\xff" + response_to(a, key=a_key()),
    "nothing": lambda _a: b"",
    "64 KiB": lambda _a: framed(b"\x00" * 65_535),
    "the question itself": framed,
}


@pytest.mark.parametrize("answer", UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_no_authentic_answer_leaves_the_outcome_unknown(answer):
    with pytest.raises(OutcomeUnknown) as failure:
        publish(lambda asked: iter([answer(asked)]))
    assert failure.value.request


def test_an_answer_that_was_changed_on_the_way_is_no_answer():
    def forged(asked: bytes):
        wire = bytearray(response_to(asked, dns.rcode.NXRRSET, a_key()))
        wire[3] &= 0xF0  # NOERROR instead
        yield framed(bytes(wire))

    with pytest.raises(OutcomeUnknown):
        publish(forged)


def test_an_answer_from_another_time_is_no_answer(monkeypatch):
    def late(asked: bytes):
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() - 3600)
        wire = response_to(asked, key=a_key())
        monkeypatch.setattr(time, "time", real)
        yield framed(wire)

    with pytest.raises(OutcomeUnknown):
        publish(late)


@pytest.mark.parametrize("rcode", ["NXRRSET", "YXRRSET", "NXDOMAIN", "YXDOMAIN"])
def test_a_signed_failed_prerequisite_asks_for_a_read_back(rcode):
    code = dns.rcode.from_text(rcode)
    with pytest.raises(RegistryRefused) as refusal:
        publish(lambda asked: iter([framed(response_to(asked, code, a_key()))]))

    assert refusal.value.rcode == rcode
    assert refusal.value.prerequisite_failed


@pytest.mark.parametrize("rcode", ["REFUSED", "NOTAUTH", "NOTZONE", "FORMERR"])
def test_a_signed_no_is_a_refusal_that_waiting_does_not_change(rcode):
    code = dns.rcode.from_text(rcode)
    with pytest.raises(RegistryRefused) as refusal:
        publish(lambda asked: iter([framed(response_to(asked, code, a_key()))]))

    assert not refusal.value.prerequisite_failed


def test_silence_is_an_unknown_outcome_within_the_patience():
    def silent(_asked: bytes):
        time.sleep(0.6)
        yield b""

    began = time.monotonic()
    with pytest.raises(OutcomeUnknown, match="out of time"):
        publish(silent, patience=0.2)
    assert time.monotonic() - began < 2


READS = {
    "a refusal": lambda a: framed(
        dns.message.make_response(dns.message.from_wire(a)).to_wire()[:3]
        + b"\x05"
        + dns.message.make_response(dns.message.from_wire(a)).to_wire()[4:]
    ),
    "no authority": lambda a: framed(
        dns.message.make_response(dns.message.from_wire(a)).to_wire()
    ),
    "garbage": lambda _a: framed(b"\x01" * 30),
    "nothing": lambda _a: b"",
}


@pytest.mark.parametrize("answer", READS.values(), ids=READS)
def test_a_read_back_without_a_usable_answer_is_unreachable(answer):
    with serving(lambda asked: iter([answer(asked)])) as server:
        client = DynamicUpdate(ZONE, server, a_key(), 0.5)
        with pytest.raises(RegistryUnreachable):
            client.read_back(CHANGE.child)
