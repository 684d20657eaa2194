"""A stranger's reader of evidence, written from docs/evidence-format.md alone.

    python read_bundle.py FILE

Standard library only, nothing of the product. It checks the seal, the order and
the digests of the packets, and that every reference is found; then it prints
delegation, packets and verdict. It does not judge.
"""

from __future__ import annotations

import hashlib
import sys
from datetime import UTC, datetime, timedelta

FIELDS = ("sent", "received")


class Wrong(Exception):
    """The file is not of the documented form."""


class Cbor:
    """One item of the subset of RFC 8949 that the format uses."""

    def __init__(self, octets):
        self.octets, self.at = octets, 0

    def take(self, count):
        taken = self.octets[self.at : self.at + count]
        if len(taken) != count:
            raise Wrong("ends in the middle of an item")
        self.at += count
        return taken

    def head(self):
        first = self.take(1)[0]
        kind, short = first >> 5, first & 31
        if short < 24:
            return kind, short
        if short > 27:
            raise Wrong("an indefinite or reserved length")
        size = 1 << short - 24
        value = int.from_bytes(self.take(size), "big")
        if value < 24 or (size > 1 and value < 1 << 4 * size):
            raise Wrong("not the shortest form")
        return kind, value

    def item(self, depth=0):
        if depth > 24:
            raise Wrong("nested too deep")
        kind, value = self.head()
        if kind == 4:
            return [self.item(depth + 1) for _ in range(value)]
        if kind == 5:
            return self.map(value, depth)
        return self.plain(kind, value)

    def plain(self, kind, value):
        match kind:
            case 0:
                return value
            case 1:
                return -1 - value
            case 2:
                return self.take(value)
            case 3:
                return self.take(value).decode("utf-8")
            case 7 if value in (20, 21, 22):
                return {20: False, 21: True, 22: None}[value]
        raise Wrong(f"a type that the format does not use: {kind}/{value}")

    def map(self, count, depth):
        found, last = {}, b""
        for _ in range(count):
            start = self.at
            key = self.item(depth + 1)
            encoded = self.octets[start : self.at]
            if not isinstance(key, str) or encoded <= last:
                raise Wrong("a map's keys are not texts in order")
            found[key], last = self.item(depth + 1), encoded
        return found


def read(octets):
    """Return (content address, bundle with packets put in), or raise Wrong."""
    manifest, packets = opened(octets)
    digests = [hashlib.sha256(packet).digest() for packet in packets]
    if digests != sorted(set(digests)):
        raise Wrong("packets out of order, or twice")
    put_in(manifest, dict(zip(digests, packets, strict=True)))
    return hashlib.sha256(octets).hexdigest(), manifest


def opened(octets):
    """Check the frame; return manifest and packets."""
    if len(octets) > 16 * 1024 * 1024:
        raise Wrong("more than 16 MiB")
    if hashlib.sha256(octets[:-32]).digest() != octets[-32:]:
        raise Wrong("the seal is of other octets")
    reader = Cbor(octets)
    whole = reader.item()
    if reader.at != len(octets) or not isinstance(whole, list) or len(whole) != 5:
        raise Wrong("not one array of five")
    if whole[0] != "dnssec-bootstrap-evidence" or whole[1] != 1:
        raise Wrong("another format, or another version")
    return whole[2], whole[3]


def put_in(manifest, packets):
    """Replace each digest by its packet; all are found, and all are used."""
    used = set()
    for observation in manifest["case"].get("observations", []):
        for field in {"sent", "received"} & observation.keys():
            digest = observation[field]
            if digest not in packets:
                raise Wrong("a packet is missing")
            used.add(digest)
            observation[field] = packets[digest]
    if used != set(packets):
        raise Wrong("a packet that nothing refers to")


def dns_name(wire):
    labels = []
    while wire[0]:
        labels.append(wire[1 : 1 + wire[0]].decode("ascii", "backslashreplace"))
        wire = wire[1 + wire[0] :]
    return ".".join(labels) + "."


def moment(microseconds):
    then = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return then.isoformat().replace("+00:00", "Z")


def ds_text(ds):
    return (
        f"{ds.get('key_tag', 0)} {ds.get('algorithm', 0)} {ds.get('digest_type', 0)}"
        f" {ds.get('digest', b'').hex().upper()}"
    )


def lines(octets):
    """Yield what the file says, a line each."""
    address, bundle = read(octets)
    yield f"address {address}"
    yield from delegation_lines(bundle["case"]["delegation"])
    yield f"judged {moment(bundle['case']['now'])}"
    for observation in bundle["case"].get("observations", []):
        yield packet_line(observation)
    yield from verdict_lines(bundle["verdict"])
    yield from input_lines(bundle)
    for name, version in bundle.get("made_by", []):
        yield f"made by {name} {version}"


def delegation_lines(delegation):
    yield f"child {dns_name(delegation['child'])}"
    yield f"parent {dns_name(delegation['parent'])}"
    for host in delegation.get("nameservers", []):
        yield f"nameserver {dns_name(host)}"
    for host, glue in delegation.get("glue", []):
        yield f"glue {dns_name(host)} {glue}"
    for ds in delegation.get("ds", []):
        yield f"ds {ds_text(ds)}"


def packet_line(observation):
    query = observation["query"]
    answer = observation.get("received", b"")
    said = f"trouble {observation.get('trouble', '-')}"
    if len(answer) >= 12:
        said = f"rcode {answer[3] & 15}"
    return (
        f"packet {dns_name(query['name'])} type {query.get('rdtype', 0)} to"
        f" {query.get('server', '-')}: sent {len(observation.get('sent', b''))},"
        f" received {len(answer)}, {said}"
    )


def input_lines(bundle):
    """Say by hash which messages each check rests on, where the file says it."""
    seen = bundle["case"].get("observations", [])
    checks = bundle["verdict"].get("checks", [])
    for check, bits in zip(checks, bundle.get("inputs", []), strict=False):
        chosen = [each for place, each in enumerate(seen) if bit_of(bits, place)]
        packets = {each.get(field, b"") for each in chosen for field in FIELDS} - {b""}
        digests = sorted(hashlib.sha256(packet).hexdigest() for packet in packets)
        yield " ".join(["rests", check.get("id", "-"), *digests])


def bit_of(bits, place):
    return place < 8 * len(bits) and bits[place // 8] >> place % 8 & 1


def verdict_lines(verdict):
    yield f"path {verdict.get('path') or '-'}"
    yield f"outcome {verdict['outcome']}"
    yield f"primary {verdict['primary']}"
    for ds in verdict.get("candidate", []):
        yield f"candidate {ds_text(ds)}"


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as bundle_file:  # noqa: PTH123 - as simple as it gets
        content = bundle_file.read()
    for line in lines(content):
        print(line)
