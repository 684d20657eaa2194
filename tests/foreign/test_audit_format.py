"""docs/audit-format.md is enough: its figures are computed anew from its own words.

Nothing of the product is used for that, only hashes, JSON and Ed25519.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.support.audit_example import PAGE, page

TEXT = PAGE.read_text()


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def shown() -> dict[str, str]:
    """What the example shows, by its titles."""
    example = TEXT.partition("<!-- example:begin -->")[2]
    return dict(
        re.findall(r"^([^\n]+):\n\n```\n(.*?)\n```$", example, re.DOTALL | re.MULTILINE)
    )


@pytest.fixture(scope="module")
def entries(shown) -> list[bytes]:
    return [shown[f"Entry {n} (leaf {n})"].encode() for n in range(3)]


@pytest.fixture(scope="module")
def public(shown) -> bytes:
    name, identifier, encoded = shown["The key, as it is handed out"].split("+", 2)
    key = base64.b64decode(encoded)
    assert sha256(name.encode(), b"\n", key)[:4].hex() == identifier
    assert key[0] == 1
    return key[1:]


def test_the_page_is_what_the_code_makes_of_it():
    assert page(TEXT) == TEXT, "python -m tests.support.audit_example"


def test_entries_are_canonical_and_follow_each_other(entries):
    told = [json.loads(entry) for entry in entries]
    for entry, value in zip(entries, told, strict=True):
        compact = json.dumps(value, sort_keys=True, separators=(",", ":"))
        assert compact.encode() == entry

    assert [value["prev"] for value in told] == [None, sha256(entries[0]).hex(), None]
    assert [value["n"] for value in told] == [1, 2, 1]
    fields = re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)
    assert set(told[0]) <= set(fields)


def test_leaves_nodes_and_root_are_those_of_the_page(shown, entries):
    leaves = [sha256(b"\0", entry) for entry in entries]
    node = sha256(b"\1", leaves[0], leaves[1])
    root = sha256(b"\1", node, leaves[2])

    title = "The three leaf hashes; joined they are `tile/0/000.p/3`"
    assert shown[title].split() == [leaf.hex() for leaf in leaves]
    told = shown["The node over leaves 0 and 1, and the root"].split()
    assert told == [node.hex(), root.hex()]
    bundle = b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)
    assert shown["The bundle `tile/entries/000.p/3`"] == (
        f"{len(bundle)} octets, the first two {bundle[:2].hex()}"
    )


def test_the_checkpoint_is_signed_over_its_three_lines(shown, public):
    text, _, lines = shown["The checkpoint"].partition("\n\n")
    message = f"{text}\n".encode()
    origin, size, root = text.split("\n")
    signed, cosigned = [line.split(" ")[2] for line in lines.split("\n")]
    key = Ed25519PublicKey.from_public_bytes(public)

    raw = base64.b64decode(signed)
    assert raw[:4] == sha256(origin.encode(), b"\n\x01", public)[:4]
    key.verify(raw[4:], message)
    raw = base64.b64decode(cosigned)
    assert raw[:4] == sha256(origin.encode(), b"\n\x04", public)[:4]
    seconds = int.from_bytes(raw[4:12], "big")
    key.verify(raw[12:], f"cosignature/v1\ntime {seconds}\n".encode() + message)
    assert size == "3"
    stated = shown["The node over leaves 0 and 1, and the root"].split()[1]
    assert base64.b64decode(root).hex() == stated


def test_the_proof_leads_from_entry_1_to_the_root(shown, entries):
    head, _, checkpoint = shown["The proof of entry 1"].partition("\n\n")
    kind, index, *path = head.split("\n")
    left, right = (base64.b64decode(line) for line in path)

    node = sha256(b"\1", left, sha256(b"\0", entries[1]))
    assert (kind, index) == ("c2sp.org/tlog-proof@v1", "index 1")
    assert base64.b64encode(sha256(b"\1", node, right)).decode() in checkpoint
    assert checkpoint == shown["The checkpoint"]


def test_the_digest_of_the_comment_is_in_its_entry(shown, entries):
    title = "The comment of entry 1: array, disclosure, digest"
    array, disclosure, digest = shown[title].split("\n")

    assert base64url(array.encode()) == disclosure
    assert base64url(sha256(disclosure.encode())) == digest
    assert json.loads(entries[1])["sd"] == [digest]
    assert len(json.loads(array)) == 3
