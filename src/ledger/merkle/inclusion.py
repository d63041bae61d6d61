"""Whether a leaf is under a root, decided without believing the proof.

A proof is a position and the siblings met on the way up, lowest first. Which levels have a
sibling, and on which side it stands, follows from the position and the size of the tree:

    at level k the way passes node index >> k, and the last node there is (size - 1) >> k
    an odd node has its sibling on the left
    an even node has it on the right, unless it is the last: then it is promoted

So the length of the path is computed and compared, and nothing of the shape comes from
the proof.

Source: RFC 9162 sections 2.1.3.1 and 2.1.3.2.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.errors import MalformedInputError, RootMismatchError
from ledger.merkle.tree import check_hash, check_size, node_hash
from ledger.primitives import Hash32


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """The siblings that lead from one leaf to the root of its batch.

    There is no tree size here: a path of the same shape exists in trees of other
    sizes, so the size is believed only when it comes from the anchor.
    """

    index: int
    """The position of the leaf, from 0."""
    path: tuple[Hash32, ...]
    """The siblings, lowest first; empty in a batch of one leaf."""


def siblings(index: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield (level, position in the level) of each sibling on the way up, lowest first.

    Raises:
        MalformedInputError: the size is not from 1 to `MAX_SIZE` (`bad-size`), or there is
            no such leaf (`bad-index`).

    """
    check_size(size)
    if not 0 <= index < size:
        raise MalformedInputError(
            "bad-index", f"there is no leaf {index} in a tree of {size}: leaves count from 0"
        )
    node, last, level = index, size - 1, 0
    while last:
        if node & 1 or node < last:
            yield level, node ^ 1
        node, last, level = node >> 1, last >> 1, level + 1


def path_length(index: int, size: int) -> int:
    """Return how many siblings the path of a leaf has; at most 48.

    Raises:
        MalformedInputError: as `siblings`.

    """
    return sum(1 for _ in siblings(index, size))


def root_from(leaf: Hash32, proof: InclusionProof, size: int) -> Hash32:
    """Return the root that `proof` leads to from `leaf` in a tree of `size` leaves.

    Raises:
        MalformedInputError: as `siblings`; the path is longer or shorter than that of this
            index in this tree (`bad-path-length`); a hash is not 32 bytes (`bad-hash-length`).

    """
    places = tuple(siblings(proof.index, size))
    if len(proof.path) != len(places):
        raise MalformedInputError(
            "bad-path-length",
            f"the path has {len(proof.path)} hashes: leaf {proof.index} of {size} "
            f"has {len(places)} siblings on its way up",
        )
    check_hash(leaf, "the leaf")
    node = leaf
    for (level, position), sibling in zip(places, proof.path, strict=True):
        check_hash(sibling, f"the sibling at level {level}")
        node = node_hash(node, sibling) if position & 1 else node_hash(sibling, node)
    return node


def verify(leaf: Hash32, proof: InclusionProof, *, size: int, anchored: Hash32) -> None:
    """Return if `leaf` is under the `anchored` root of `size` leaves, else raise.

    There is no boolean to forget to look at. `size` and `anchored` are the registry's.

    Raises:
        MalformedInputError: as `root_from`, or `anchored` is not 32 bytes.
        RootMismatchError: the path is well-formed and leads elsewhere.

    """
    check_hash(anchored, "the anchored root")
    computed = root_from(leaf, proof, size)
    if computed != anchored:
        raise RootMismatchError(computed=computed, anchored=anchored)
