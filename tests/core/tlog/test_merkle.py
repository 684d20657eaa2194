"""RFC 6962, section 2.1: roots and proofs against the definition itself."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, strategies as st

from bootstrap.core.tlog import merkle, tiles
from bootstrap.core.tlog.merkle import Frontier, ProofWrong

LEAVES = [merkle.leaf_hash(bytes([n % 256, n // 256])) for n in range(700)]
NODES = merkle.in_memory(LEAVES)


def defined_root(leaves: list[bytes]) -> bytes:
    """MTH, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return merkle.node_hash(defined_root(leaves[:k]), defined_root(leaves[k:]))


def test_the_published_vectors_of_rfc_6962_hold():
    entries = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        bytes(range(0x50, 0x58)),
        bytes(range(0x60, 0x70)),
    ]
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    nodes = merkle.in_memory(leaves)
    assert merkle.root(8, nodes).hex() == (
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )
    assert merkle.root(0, nodes) == merkle.EMPTY_ROOT


@given(st.integers(0, 300))
def test_root_and_frontier_are_the_definition(size):
    frontier = Frontier()
    for leaf in LEAVES[:size]:
        frontier.append(leaf)

    assert merkle.root(size, NODES) == frontier.root() == defined_root(LEAVES[:size])
    assert Frontier.of(size, NODES) == frontier


@given(st.data())
def test_a_leaf_is_proven_and_only_that_leaf_at_that_place(data):
    size = data.draw(st.integers(1, 600))
    index = data.draw(st.integers(0, size - 1))
    root = merkle.root(size, NODES)
    proof = merkle.prove_inclusion(index, size, NODES)

    merkle.check_inclusion(LEAVES[index], index, size, proof, root)

    wrong = (
        data.draw(st.integers(0, size - 1).filter(lambda n: n != index))
        if size > 1
        else None
    )
    if wrong is not None:
        with pytest.raises(ProofWrong):
            merkle.check_inclusion(LEAVES[index], wrong, size, proof, root)
    for broken in ((*proof, root), proof[:-1] if proof else (root,)):
        with pytest.raises(ProofWrong):
            merkle.check_inclusion(LEAVES[index], index, size, broken, root)


@given(st.data())
def test_growth_is_proven_and_a_fork_is_not(data):
    new = data.draw(st.integers(1, 600))
    old = data.draw(st.integers(0, new))
    old_root, new_root = merkle.root(old, NODES), merkle.root(new, NODES)
    proof = merkle.prove_consistency(old, new, NODES)

    merkle.check_consistency(old, old_root, new, new_root, proof)

    other = hashlib.sha256(b"another history").digest()
    with pytest.raises(ProofWrong):
        merkle.check_consistency(old, other, new, new_root, proof)
    if 0 < old < new:
        for broken in ((*proof, other), proof[:-1], (other, *proof[1:])):
            with pytest.raises(ProofWrong):
                merkle.check_consistency(old, old_root, new, new_root, broken)
        with pytest.raises(ProofWrong):
            merkle.check_consistency(old, old_root, new, other, proof)


@pytest.mark.parametrize(("index", "size"), [(3, 3), (-1, 3), (0, 0)])
def test_no_proof_is_made_for_a_leaf_that_is_not_there(index, size):
    with pytest.raises(ValueError, match="no leaf"):
        merkle.prove_inclusion(index, size, NODES)
    with pytest.raises(ProofWrong):
        merkle.check_inclusion(LEAVES[0], index, size, (), LEAVES[0])


@pytest.mark.parametrize(("old", "new"), [(4, 3), (-1, 3)])
def test_a_tree_never_shrinks(old, new):
    with pytest.raises(ValueError, match="never was"):
        merkle.prove_consistency(old, new, NODES)
    with pytest.raises(ProofWrong):
        merkle.check_consistency(old, LEAVES[0], new, LEAVES[0], ())


@given(st.integers(1, 700))
def test_tiles_give_back_the_tree_that_was_cut_into_them(size):
    files = {tile.path: tile.data(NODES) for tile in tiles.tiles_for(0, size)}
    widths = {(t.level, t.number): t.path for t in tiles.tiles_for(0, size)}
    nodes = tiles.nodes_from(lambda level, number: files[widths[level, number]])

    assert merkle.root(size, nodes) == merkle.root(size, NODES)
    index = size // 2
    proof = merkle.prove_inclusion(index, size, nodes)
    merkle.check_inclusion(LEAVES[index], index, size, proof, merkle.root(size, NODES))


def test_bundles_follow_the_lowest_tiles():
    assert list(tiles.bundles_for(250, 520)) == [(0, 256), (1, 256), (2, 8)]


@pytest.mark.parametrize("size", [2, 4, 5])
def test_an_empty_proof_proves_no_growth(size):
    root = merkle.root(3, NODES)
    with pytest.raises(ProofWrong, match="too short"):
        merkle.check_consistency(3, root, size + 3, root, ())
    with pytest.raises(ProofWrong):
        merkle.check_consistency(4, root, size + 4, root, ())


@given(st.integers(0, 700), st.integers(0, 700))
def test_growing_in_two_steps_writes_the_same_files_at_the_end(first, second):
    first, second = sorted((first, second))
    written = {t.path: t.data(NODES) for t in tiles.tiles_for(0, first)}
    written |= {t.path: t.data(NODES) for t in tiles.tiles_for(first, second)}

    needed = {t.path: t.data(NODES) for t in tiles.tiles_for(0, second)}
    assert needed.items() <= written.items()


def test_paths_are_those_of_the_specification():
    assert tiles.Tile(0, 1234067).path == "tile/0/x001/x234/067"
    assert tiles.Tile(1, 0, 5).path == "tile/1/000.p/5"
    assert tiles.bundle_path(2) == "tile/entries/002"


def test_a_short_tile_is_refused():
    nodes = tiles.nodes_from(lambda level, number: b"\0" * 40)
    with pytest.raises(tiles.TileWrong):
        nodes(0, 0)


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_bundles_round_trip(entries):
    assert tiles.decode_bundle(tiles.encode_bundle(entries)) == tuple(entries)


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x05abc", b"\x00\x00" * 257])
def test_a_broken_bundle_is_refused(data):
    with pytest.raises(tiles.BundleWrong):
        tiles.decode_bundle(data)


@pytest.mark.parametrize("entries", [[b""] * 257, [b"x" * 65_536]])
def test_a_bundle_never_holds_too_much(entries):
    with pytest.raises(ValueError, match="256 entries"):
        tiles.encode_bundle(entries)
