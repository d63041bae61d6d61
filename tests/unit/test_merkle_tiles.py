"""The stored form of a tree: which tiles there are and what a proof reads of them."""

import hashlib

import pytest

from ledger.errors import MalformedInputError
from ledger.merkle import tiles as tiles_module
from ledger.merkle import tree
from ledger.merkle.inclusion import verify
from ledger.merkle.tiles import TILE_WIDTH, Prover, Tile, TileBuilder, prove
from ledger.merkle.tree import MAX_SIZE, leaf_hash, root_of
from ledger.primitives import Hash32


def make_leaves(size: int) -> list[Hash32]:
    return [leaf_hash(number.to_bytes(32, "big")) for number in range(size)]


def build(leaves: list[Hash32]) -> tuple[Hash32, list[Tile]]:
    tiles: list[Tile] = []
    builder = TileBuilder(tiles.append)
    for leaf in leaves:
        builder.add(leaf)
    return builder.finish(), tiles


def places(tiles: list[Tile]) -> list[tuple[int, int, int]]:
    """Level, number and nodes of each tile, in the order in which they came."""
    return [(tile.level, tile.number, len(tile.hashes) // 32) for tile in tiles]


def test_the_root_of_one_leaf_is_the_leaf_and_needs_no_tile() -> None:
    leaves = make_leaves(1)
    assert build(leaves) == (leaves[0], [])


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (2, [(0, 0, 2)]),
        (256, [(0, 0, 256)]),
        (257, [(0, 0, 256), (0, 1, 1), (1, 0, 2)]),
        (600, [(0, 0, 256), (0, 1, 256), (0, 2, 88), (1, 0, 3)]),
    ],
)
def test_a_tree_has_these_tiles(size: int, expected: list[tuple[int, int, int]]) -> None:
    root, tiles = build(make_leaves(size))
    assert places(tiles) == expected
    assert root == root_of(make_leaves(size))


def test_the_lowest_tiles_are_the_leaves() -> None:
    leaves = make_leaves(600)
    _, tiles = build(leaves)
    lowest = b"".join(tile.hashes for tile in tiles if tile.level == 0)
    assert lowest == b"".join(leaves)


def test_a_higher_tile_holds_the_incomplete_last_node_too() -> None:
    leaves = make_leaves(600)
    _, tiles = build(leaves)
    nodes = [root_of(leaves[start : start + 256]) for start in (0, 256, 512)]
    assert tiles[-1].hashes == b"".join(nodes)


def test_a_tile_is_given_out_as_soon_as_it_is_complete() -> None:
    given: list[Tile] = []
    builder = TileBuilder(given.append)
    counts = []
    for leaf in make_leaves(TILE_WIDTH**2):
        builder.add(leaf)
        counts.append(len(given))
    assert [counts[254], counts[255], counts[256]] == [0, 1, 1]
    assert [counts[-2], counts[-1]] == [255, 257]


def test_a_tree_costs_one_hash_less_than_it_has_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    leaves, calls = make_leaves(70_000), []

    def counted(data: bytes) -> "hashlib._Hash":
        calls.append(len(data))
        return hashlib.sha256(data)

    monkeypatch.setattr(tree, "_sha256", counted)
    tiles_module._levels_within.cache_clear()
    build(leaves)
    assert calls == [65] * (len(leaves) - 1)


def test_a_batch_without_leaves_has_no_tiles_and_no_root() -> None:
    with pytest.raises(MalformedInputError) as caught:
        build([])
    assert caught.value.code == "empty-batch"


def test_a_leaf_of_another_length_is_refused() -> None:
    with pytest.raises(MalformedInputError) as caught:
        build([Hash32(bytes(31))])
    assert caught.value.code == "bad-hash-length"


@pytest.mark.parametrize("index", [0, 1, 255, 256, 65_535, 65_536, 66_000, 69_999])
def test_a_proof_from_stored_tiles_leads_to_the_root(index: int) -> None:
    leaves = make_leaves(70_000)
    root, tiles = build(leaves)
    stored = {(tile.level, tile.number): tile.hashes for tile in tiles}
    proof = prove(index, len(leaves), lambda level, number: stored[level, number])
    verify(leaves[index], proof, size=len(leaves), anchored=root)


def tiles_read(index: int, size: int) -> list[tuple[int, int]]:
    """Which tiles the proof of a leaf reads, in that order."""
    read = []

    def recorded(level: int, number: int) -> bytes:
        read.append((level, number))
        nodes = ((size - 1) >> (8 * level)) + 1
        return bytes(32 * min(256, nodes - 256 * number))

    prove(index, size, recorded)
    return read


@pytest.mark.parametrize(
    ("size", "most"),
    [(1, 0), (2, 1), (256, 1), (257, 2), (65_536, 2), (10**6, 3), (2**32, 4), (MAX_SIZE, 6)],
)
def test_a_proof_reads_at_most_one_tile_for_every_eight_levels(size: int, most: int) -> None:
    samples = {0, size // 3, size // 2, max(size - 257, 0), max(size - 2, 0), size - 1}
    reads = [tiles_read(index, size) for index in samples]
    assert max(map(len, reads)) == most
    for read in reads:
        levels = [level for level, _ in read]
        assert levels == sorted(set(levels))


def test_the_tiles_of_a_proof_lie_over_its_leaf() -> None:
    assert tiles_read(66_000, 10**6) == [(0, 66_000 >> 8), (1, 66_000 >> 16), (2, 0)]


def test_a_promoted_leaf_does_not_read_the_tile_in_which_it_stands_alone() -> None:
    assert tiles_read(256, 257) == [(1, 0)]


def test_a_tile_of_another_length_is_reported_as_damage() -> None:
    hashes = build(make_leaves(7))[1][0].hashes
    for damaged in (b"", hashes[:-1], hashes[:-32], hashes + bytes(32)):
        with pytest.raises(MalformedInputError) as caught:
            prove(0, 7, lambda _level, _number, damaged=damaged: damaged)  # type: ignore[misc]
        assert caught.value.code == "bad-tile"


def test_a_leaf_that_is_not_there_has_no_proof() -> None:
    with pytest.raises(MalformedInputError) as caught:
        prove(7, 7, lambda _level, _number: b"")
    assert caught.value.code == "bad-index"


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 258, 512, 513, 600, 65_537])
def test_proofs_in_any_order_are_those_made_one_by_one(size: int) -> None:
    _, tiles = build(make_leaves(size))
    stored = {(tile.level, tile.number): tile.hashes for tile in tiles}

    def read(level: int, number: int) -> bytes:
        return stored[level, number]

    step = max(size // 700, 1)
    prover = Prover(size, read)
    some = [*range(0, size, step), size - 1]
    for index in (*some, *reversed(some), *some[::3]):
        assert prover.prove(index) == prove(index, size, read)


def test_a_prover_refuses_a_leaf_that_is_not_there() -> None:
    for index in (-1, 7):
        with pytest.raises(MalformedInputError) as caught:
            Prover(7, lambda _level, _number: b"").prove(index)
        assert caught.value.code == "bad-index"
