"""What an inclusion proof shows, and every way in which it can fail to."""

import pytest

from ledger.errors import LedgerError, MalformedInputError, RootMismatchError
from ledger.merkle import inclusion
from ledger.merkle.inclusion import InclusionProof, path_length, root_from, siblings, verify
from ledger.merkle.tree import MAX_PATH, MAX_SIZE, leaf_hash, node_hash, root_of
from ledger.primitives import Hash32

LEAVES = tuple(leaf_hash(bytes([n]) * 32) for n in range(7))
ROOT = root_of(LEAVES)
PROOF = InclusionProof(
    index=5, path=(LEAVES[4], LEAVES[6], node_hash(root_of(LEAVES[:2]), root_of(LEAVES[2:4])))
)


def refusal(leaf: Hash32, proof: InclusionProof, size: int, anchored: Hash32 = ROOT) -> str:
    with pytest.raises(LedgerError) as caught:
        verify(leaf, proof, size=size, anchored=anchored)
    return caught.value.code


def test_a_leaf_is_proved_by_its_siblings() -> None:
    verify(LEAVES[5], PROOF, size=7, anchored=ROOT)


def test_the_only_leaf_of_a_batch_is_proved_by_nothing() -> None:
    verify(LEAVES[0], InclusionProof(0, ()), size=1, anchored=LEAVES[0])


def test_the_siblings_of_a_leaf_are_named_by_level_and_position() -> None:
    assert list(siblings(5, 7)) == [(0, 4), (1, 3), (2, 0)]
    assert list(siblings(6, 7)) == [(1, 2), (2, 0)]
    assert list(siblings(0, 1)) == []


@pytest.mark.parametrize("index", [-1, 7, 8, 2**64])
def test_an_index_beyond_the_size_is_refused(index: int) -> None:
    assert refusal(LEAVES[5], InclusionProof(index, PROOF.path), 7) == "bad-index"


@pytest.mark.parametrize("path", [(), PROOF.path[:2], (*PROOF.path, LEAVES[0])])
def test_a_path_of_another_length_is_refused(path: tuple[Hash32, ...]) -> None:
    assert refusal(LEAVES[5], InclusionProof(5, path), 7) == "bad-path-length"


@pytest.mark.parametrize("size", [-1, 0, MAX_SIZE + 1])
def test_a_size_that_no_batch_has_is_refused(size: int) -> None:
    assert refusal(LEAVES[5], PROOF, size) == "bad-size"


@pytest.mark.parametrize("length", [0, 31, 33])
@pytest.mark.parametrize("place", ["leaf", "sibling", "root"])
def test_a_hash_of_another_length_is_refused(place: str, length: int) -> None:
    odd = Hash32(bytes(length))
    leaf = odd if place == "leaf" else LEAVES[5]
    path = (PROOF.path[0], odd, PROOF.path[2]) if place == "sibling" else PROOF.path
    root = odd if place == "root" else ROOT
    assert refusal(leaf, InclusionProof(5, path), 7, root) == "bad-hash-length"


def test_another_leaf_leads_to_another_root_and_the_error_has_both() -> None:
    with pytest.raises(RootMismatchError) as caught:
        verify(LEAVES[4], PROOF, size=7, anchored=ROOT)
    assert caught.value.anchored == ROOT
    assert caught.value.computed == root_from(LEAVES[4], PROOF, 7)


def test_the_same_siblings_in_another_order_are_refused() -> None:
    swapped = InclusionProof(5, (PROOF.path[1], PROOF.path[0], PROOF.path[2]))
    assert refusal(LEAVES[5], swapped, 7) == "root-mismatch"


def test_a_node_cannot_be_passed_off_as_a_leaf() -> None:
    # The sizes are the anchor's, so a shorter tree over the same root is not on offer.
    node = node_hash(LEAVES[4], LEAVES[5])
    assert refusal(node, InclusionProof(2, PROOF.path[1:]), 7) == "bad-path-length"


def test_one_path_fits_trees_of_several_sizes_so_the_proof_must_not_choose() -> None:
    proof = InclusionProof(0, (LEAVES[1], root_of(LEAVES[2:4]), root_of(LEAVES[4:])))
    assert {size for size in range(1, 20) if path_length(0, size) == 3} == {5, 6, 7, 8}
    for size in (5, 6, 7, 8):
        assert root_from(LEAVES[0], proof, size) == ROOT


def test_a_path_costs_one_hash_a_sibling(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(left: Hash32, right: Hash32) -> Hash32:
        calls.append((left, right))
        return node_hash(left, right)

    monkeypatch.setattr(inclusion, "node_hash", counted)
    verify(LEAVES[5], PROOF, size=7, anchored=ROOT)
    assert len(calls) == len(PROOF.path)


def test_the_longest_path_belongs_to_the_first_leaf_of_the_greatest_batch() -> None:
    assert path_length(0, MAX_SIZE) == MAX_PATH
    # The last leaf of 2^48 - 1 is promoted once and then always on the right.
    assert path_length(MAX_SIZE - 1, MAX_SIZE) == MAX_PATH - 1


def test_a_refused_size_has_no_path_length() -> None:
    with pytest.raises(MalformedInputError):
        path_length(0, 0)
