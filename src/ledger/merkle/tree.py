"""The tree over the leaves of a batch.

    leaf    SHA-256(0x00 || digest)
    node    SHA-256(0x01 || left || right)

Level 0 is the leaves. Level k + 1 pairs the nodes of level k from the left, and an odd
last node is promoted: it stands unchanged one level higher. So level k of a tree of `size`
leaves has ceil(size / 2^k) nodes, and the one node of the last level is the root. This is
the tree of the RFC, which defines it from the top, built from below.

The two prefixes keep a leaf from being passed off as a node, and the other way round.

Source: RFC 9162 section 2.1.1.
"""

from collections.abc import Iterable
from hashlib import sha256 as _sha256
from typing import Final

from ledger.errors import MalformedInputError
from ledger.primitives import HASH_BYTES, Hash32, sha256

MAX_SIZE: Final = 2**48 - 1
"""The most leaves a batch can have: the registry keeps the size in 48 bits."""

MAX_PATH: Final = 48
"""The longest path a leaf can have, in a tree of `MAX_SIZE` leaves."""

_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


def leaf_hash(data: bytes) -> Hash32:
    """Return the leaf that stands for `data`, which for a batch is a digest."""
    return sha256(_LEAF + data)


def node_hash(left: Hash32, right: Hash32) -> Hash32:
    """Return the node above two neighbours."""
    return sha256(_NODE + left + right)


def parents(hashes: bytes) -> bytes:
    """Return the level above a level, both as nodes of 32 bytes one after the other.

    `hashes` may be a part of a level that starts at an even node; only at the end of the
    level may it have an odd number of nodes.
    """
    paired = len(hashes) - len(hashes) % (2 * HASH_BYTES)
    # A function call for each node would add a fifth to the time of sealing.
    above = [
        _sha256(_NODE + hashes[start : start + 2 * HASH_BYTES]).digest()
        for start in range(0, paired, 2 * HASH_BYTES)
    ]
    above.append(hashes[paired:])
    return b"".join(above)


def root_of(leaves: Iterable[Hash32]) -> Hash32:
    """Return the root over `leaves`, holding one node a level in memory.

    Raises:
        MalformedInputError: there is no leaf, or one is not 32 bytes.

    """
    complete: list[Hash32] = []  # The roots of complete subtrees, from the left.
    for index, leaf in enumerate(leaves):
        check_hash(leaf, "a leaf")
        node, position = leaf, index
        while position & 1:
            node, position = node_hash(complete.pop(), node), position >> 1
        complete.append(node)
    if not complete:
        raise empty_batch()
    root = complete.pop()
    while complete:
        root = node_hash(complete.pop(), root)
    return root


def check_size(size: int) -> None:
    """Return if a tree may have `size` leaves.

    Raises:
        MalformedInputError: it is not from 1 to `MAX_SIZE`.

    """
    if not 1 <= size <= MAX_SIZE:
        raise MalformedInputError(
            "bad-size", f"no tree has {size} leaves: a batch has from 1 to 2^48 - 1"
        )


def check_hash(value: bytes, what: str) -> None:
    """Return if `value`, called `what` in the message, has 32 bytes.

    Raises:
        MalformedInputError: it has more or fewer.

    """
    if len(value) != HASH_BYTES:
        raise MalformedInputError(
            "bad-hash-length", f"{what} has {len(value)} bytes: SHA-256 gives {HASH_BYTES}"
        )


def empty_batch() -> MalformedInputError:
    """Return the error that a tree without leaves is."""
    return MalformedInputError("empty-batch", "a batch without leaves has no root: add a digest")
