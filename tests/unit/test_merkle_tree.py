"""The tree over a batch, on cases small enough to write down."""

import hashlib

import pytest

from ledger.errors import MalformedInputError
from ledger.merkle.tree import (
    MAX_PATH,
    MAX_SIZE,
    check_size,
    leaf_hash,
    node_hash,
    parents,
    root_of,
)
from ledger.primitives import Hash32

A, B, C = (leaf_hash(bytes([n]) * 32) for n in range(3))


def test_a_leaf_is_not_the_hash_of_its_digest_but_of_zero_and_its_digest() -> None:
    assert leaf_hash(b"digest") == hashlib.sha256(b"\x00digest").digest()


def test_a_node_is_the_hash_of_one_and_its_children() -> None:
    assert node_hash(A, B) == hashlib.sha256(b"\x01" + A + B).digest()


def test_the_root_of_one_leaf_is_the_leaf() -> None:
    assert root_of([A]) == A


def test_a_lone_last_node_is_promoted_and_not_paired_with_itself() -> None:
    assert root_of([A, B, C]) == node_hash(node_hash(A, B), C)
    assert root_of([A, B, C]) != root_of([A, B, C, C])


def test_the_order_of_leaves_matters() -> None:
    assert root_of([A, B]) != root_of([B, A])


def test_leaves_may_come_one_by_one() -> None:
    assert root_of(iter([A, B, C])) == root_of([A, B, C])


def test_a_batch_without_leaves_has_no_root() -> None:
    with pytest.raises(MalformedInputError) as caught:
        root_of([])
    assert caught.value.code == "empty-batch"


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_leaf_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(MalformedInputError) as caught:
        root_of([A, Hash32(bytes(length))])
    assert caught.value.code == "bad-hash-length"


def test_the_level_above_has_half_the_nodes_rounded_up() -> None:
    assert parents(A) == A
    assert parents(A + B) == node_hash(A, B)
    assert parents(A + B + C) == node_hash(A, B) + C
    assert parents(b"") == b""


@pytest.mark.parametrize("size", [-1, 0, MAX_SIZE + 1])
def test_a_size_that_the_registry_cannot_hold_is_refused(size: int) -> None:
    with pytest.raises(MalformedInputError) as caught:
        check_size(size)
    assert caught.value.code == "bad-size"


def test_the_greatest_size_fills_the_registrys_field_and_the_longest_path() -> None:
    check_size(1)
    check_size(MAX_SIZE)
    assert MAX_SIZE.bit_length() == MAX_PATH == 48
