"""Seal a batch again under another root, because the registry has its root already.

Somebody else's key anchored the very root for this issuer, so ours can never be. One
extra leaf after the members' gives another root; the members keep their places, and the
extra leaf is no credential. One database transaction holds all of it: a process that dies
in it has changed nothing.

Extra leaf n of a batch stands for

    SHA-256("ledger extra leaf" || n as 4 bytes || the members' public ids, in leaf order)

Whoever cannot know the members cannot foresee it and take the next root, too. Whoever has
them makes the same again: a backup that is older than the sealing leads to the root that
the chain has, and the members are not anchored under yet another one.
"""

import hashlib
from collections.abc import Callable
from typing import Final

from ledger.batches import store
from ledger.batches.status import SUBMITTABLE, BatchStatus
from ledger.batches.store import Batch
from ledger.batches.trees import store as trees
from ledger.chain.store import TransactionState
from ledger.credentials.store import read_batch
from ledger.database import Connection, Database
from ledger.errors import ConflictError
from ledger.merkle.tiles import Tile, TileBuilder
from ledger.merkle.tree import leaf_hash
from ledger.primitives import HASH_BYTES, Hash32

_PENDING: Final = (TransactionState.STORED, TransactionState.INCLUDED)
_PREFIX: Final = b"ledger extra leaf"

MAX_TRIED: Final = 8
"""How many extra leaves `reseal_as_anchored` tries: nobody takes root after root for ever."""


def reseal(database: Database, batch: Batch, *, now: int) -> None:
    """Give a batch one extra leaf, and so another root.

    Raises:
        ConflictError: its last transaction is not final: under another branch of the chain
            it could still anchor the old root.

    """
    with database.write() as tx:
        current = store.lock_batch(tx, batch.id)
        if current.root != batch.root or current.status not in SUBMITTABLE:
            return
        if current.transaction_state in _PENDING:
            raise ConflictError(
                "not-final",
                f"batch {batch.id} must be sealed again, and its reverted transaction is not "
                "final yet: run `ledger anchor` again later",
            )
        _add_leaves(tx, current, 1, now=now)


def reseal_as_anchored(
    database: Database, batch: Batch, *, root: Hash32, size: int, now: int
) -> bool:
    """Seal a waiting batch again if that leads to `root`, and return whether it did.

    For what a restored database does not know that it sealed again.
    """
    count = size - batch.size
    if not 0 < count <= MAX_TRIED:
        return False
    with database.write() as tx:
        current = store.lock_batch(tx, batch.id)
        if current != batch or current.status not in SUBMITTABLE:
            return False
        if current.transaction_state in _PENDING:
            return False
        if _grow(tx, current, count, keep=lambda _tile: None)[0] != root:
            return False
        _add_leaves(tx, current, count, now=now)
        return True


def _add_leaves(tx: Connection, batch: Batch, count: int, *, now: int) -> None:
    def keep(tile: Tile) -> None:
        trees.add_tile(tx, batch.id, tile.level, tile.number, tile.hashes)

    trees.drop_tiles(tx, batch.id)
    root, added = _grow(tx, batch, count, keep=keep)
    store.add_extra_leaves(tx, batch, added)
    store.set_root(tx, batch.id, root, batch.size + count)
    if batch.status is BatchStatus.HELD:
        store.move_batch(tx, batch, BatchStatus.SEALED, now=now)


def _grow(
    tx: Connection, batch: Batch, count: int, *, keep: Callable[[Tile], None]
) -> tuple[Hash32, bytes]:
    """Make the tree of a batch with so many more extra leaves; return its root and them."""
    before = extra_digests(batch.extra_leaves)
    numbers = range(len(before), len(before) + count)
    drawn = [hashlib.sha256(_PREFIX + number.to_bytes(4, "big")) for number in numbers]
    builder = TileBuilder(keep)
    for credential in read_batch(tx, batch.id):
        builder.add(leaf_hash(credential.digest))
        for extra in drawn:
            extra.update(credential.public_id.encode())
    added = [Hash32(extra.digest()) for extra in drawn]
    for digest in [*before, *added]:
        builder.add(leaf_hash(digest))
    return builder.finish(), b"".join(added)


def extra_digests(extra_leaves: bytes | None) -> list[Hash32]:
    """Return what stands in for digests after a batch's members."""
    extra = extra_leaves or b""
    return [Hash32(extra[at : at + HASH_BYTES]) for at in range(0, len(extra), HASH_BYTES)]
