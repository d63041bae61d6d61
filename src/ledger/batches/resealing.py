"""Seal a batch again under another root, because the registry has its root already.

Somebody else's key anchored the very root for this issuer, so ours can never be. One
random extra leaf after the members' gives another root; the members keep their places,
and the extra leaf is no credential. One database transaction holds all of it: a process
that dies in it has changed nothing.
"""

import secrets
from typing import Final

from ledger.batches import store
from ledger.batches.status import SUBMITTABLE, BatchStatus
from ledger.batches.store import Batch
from ledger.batches.trees import store as trees
from ledger.chain.store import TransactionState
from ledger.credentials.store import read_batch
from ledger.database import Database
from ledger.errors import ConflictError
from ledger.merkle.tiles import Tile, TileBuilder
from ledger.merkle.tree import leaf_hash
from ledger.primitives import HASH_BYTES, Hash32

_PENDING: Final = (TransactionState.STORED, TransactionState.INCLUDED)


def reseal(database: Database, batch: Batch, *, now: int) -> None:
    """Give a batch one random extra leaf, and so another root.

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
        extra = (current.extra_leaves or b"") + secrets.token_bytes(HASH_BYTES)
        trees.drop_tiles(tx, batch.id)
        store.add_extra_leaf(tx, current, extra[-HASH_BYTES:])

        def keep(tile: Tile) -> None:
            trees.add_tile(tx, batch.id, tile.level, tile.number, tile.hashes)

        builder, size = TileBuilder(keep), 0
        for credential in read_batch(tx, batch.id):
            builder.add(leaf_hash(credential.digest))
            size += 1
        for digest in extra_digests(extra):
            builder.add(leaf_hash(digest))
            size += 1
        store.set_root(tx, batch.id, builder.finish(), size)
        if current.status is BatchStatus.HELD:
            store.move_batch(tx, current, BatchStatus.SEALED, now=now)


def extra_digests(extra_leaves: bytes | None) -> list[Hash32]:
    """Return what stands in for digests after a batch's members."""
    extra = extra_leaves or b""
    return [Hash32(extra[at : at + HASH_BYTES]) for at in range(0, len(extra), HASH_BYTES)]
