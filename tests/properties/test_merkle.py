"""Trees, tiles and proofs against the definitions of RFC 9162, written as they stand there."""

import hashlib
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import LedgerError
from ledger.merkle.inclusion import InclusionProof, path_length, verify
from ledger.merkle.tiles import TileBuilder, prove
from ledger.merkle.tree import MAX_SIZE, leaf_hash, root_of
from ledger.primitives import Hash32

DIGESTS = tuple(hashlib.sha256(number.to_bytes(8, "big")).digest() for number in range(70_000))
LEAVES = tuple(map(leaf_hash, DIGESTS))
BITS = st.integers(0, 255)


def split(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


@cache
def tree_hash(start: int, end: int) -> bytes:
    """MTH(D[start:end]) of section 2.1.1."""
    if end - start == 1:
        return hashlib.sha256(b"\x00" + DIGESTS[start]).digest()
    k = split(end - start)
    left, right = tree_hash(start, start + k), tree_hash(start + k, end)
    return hashlib.sha256(b"\x01" + left + right).digest()


def audit_path(m: int, start: int, end: int) -> tuple[bytes, ...]:
    """PATH(m, D[start:end]) of section 2.1.3.1."""
    if end - start == 1:
        return ()
    k = split(end - start)
    if m < k:
        return (*audit_path(m, start, start + k), tree_hash(start + k, end))
    return (*audit_path(m - k, start + k, end), tree_hash(start, start + k))


def build(size: int) -> tuple[Hash32, dict[tuple[int, int], bytes]]:
    tiles: dict[tuple[int, int], bytes] = {}
    builder = TileBuilder(lambda tile: tiles.update({(tile.level, tile.number): tile.hashes}))
    for leaf in LEAVES[:size]:
        builder.add(leaf)
    return builder.finish(), tiles


def check_leaf(index: int, size: int, root: Hash32, tiles: dict[tuple[int, int], bytes]) -> None:
    proof = prove(index, size, lambda level, number: tiles[level, number])
    assert proof == InclusionProof(index, tuple(map(Hash32, audit_path(index, 0, size))))
    verify(LEAVES[index], proof, size=size, anchored=root)


@pytest.mark.parametrize("first", range(1, 301, 50))
def test_every_leaf_of_every_small_batch_is_proved_as_the_rfc_proves_it(first: int) -> None:
    for size in range(first, first + 50):
        root, tiles = build(size)
        assert root == tree_hash(0, size) == root_of(LEAVES[:size])
        for index in range(size):
            check_leaf(index, size, root, tiles)


@pytest.mark.parametrize("size", [511, 513, 1000, 65_535, 65_536, 65_537, 65_792, 66_049, 70_000])
def test_leaves_of_greater_batches_are_proved_as_the_rfc_proves_them(size: int) -> None:
    root, tiles = build(size)
    assert root == tree_hash(0, size) == root_of(LEAVES[:size])
    edges = {0, 1, 255, 256, 257, size // 2, size - 257, size - 256, size - 2, size - 1}
    for index in edges | set(range(0, size, 997)):
        check_leaf(index, size, root, tiles)


@st.composite
def proved_leaves(draw: st.DrawFn) -> tuple[int, InclusionProof]:
    size = draw(st.integers(2, 300))
    index = draw(st.integers(0, size - 1))
    path = tuple(Hash32(sibling) for sibling in audit_path(index, 0, size))
    return size, InclusionProof(index, path)


def flipped(value: bytes, bit: int) -> Hash32:
    return Hash32((int.from_bytes(value, "big") ^ 1 << bit).to_bytes(32, "big"))


def is_refused(leaf: Hash32, proof: InclusionProof, size: int, root: Hash32) -> bool:
    try:
        verify(leaf, proof, size=size, anchored=root)
    except LedgerError:
        return True
    return False


@given(proved_leaves(), BITS, st.data())
def test_any_bit_flipped_in_leaf_path_index_or_root_is_refused(
    proved: tuple[int, InclusionProof], bit: int, data: st.DataObject
) -> None:
    size, proof = proved
    leaf, root = LEAVES[proof.index], Hash32(tree_hash(0, size))
    verify(leaf, proof, size=size, anchored=root)
    place = data.draw(st.integers(0, len(proof.path) - 1))
    path = tuple(
        flipped(sibling, bit) if number == place else sibling
        for number, sibling in enumerate(proof.path)
    )
    assert is_refused(flipped(leaf, bit), proof, size, root)
    assert is_refused(leaf, proof, size, flipped(root, bit))
    assert is_refused(leaf, InclusionProof(proof.index, path), size, root)
    other_index = proof.index ^ 1 << bit % 48
    assert is_refused(leaf, InclusionProof(other_index, proof.path), size, root)


@given(
    st.binary(max_size=40),
    st.integers(-(2**70), 2**70),
    st.lists(st.binary(max_size=40), max_size=60),
    st.integers(-(2**70), 2**70),
)
def test_garbage_is_refused_by_name(leaf: bytes, index: int, path: list[bytes], size: int) -> None:
    proof = InclusionProof(index, tuple(map(Hash32, path)))
    assert is_refused(Hash32(leaf), proof, size, LEAVES[0])


@given(st.data())
def test_the_path_length_is_that_of_the_rfc_at_every_size(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, MAX_SIZE))
    index = data.draw(st.integers(0, size - 1))
    start, end, depth = 0, size, 0
    while end - start > 1:  # PATH without its hashes
        middle = start + split(end - start)
        start, end = (start, middle) if index < middle else (middle, end)
        depth += 1
    assert path_length(index, size) == depth
