"""Seal waiting credentials into a batch: fix their leaves, their order and their root.

One database transaction places the credentials, stores the tiles of their tree and
the batch with its root. A process that dies in it has sealed nothing.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from ledger.batches import store
from ledger.batches.schedules.schedule import Waiting
from ledger.batches.store import Batch
from ledger.batches.trees import store as trees
from ledger.chain.alarms.store import check_replayed
from ledger.credentials.store import (
    PAGE_ROWS,
    count_waiting,
    find_oldest_waiting,
    place_in_batch,
    read_waiting,
)
from ledger.database import Connection, Database, Turn, take_turn
from ledger.merkle.tiles import Tile, TileBuilder
from ledger.merkle.tree import leaf_hash, root_of
from ledger.primitives import Hash32


def seal(
    database: Database,
    issuer: int,
    *,
    now: int,
    on_leaves: Callable[[int], None] = lambda _count: None,
) -> Batch | None:
    """Seal all that waits for `issuer` into one batch; None when nothing waits.

    Leaves stand in the order in which their credentials were accepted. Memory does not
    grow with the batch. `on_leaves` is told of every page of leaves.

    Raises:
        ConflictError: the installation was restored, and the chain was not asked yet.

    """
    with database.write() as tx:
        check_replayed(tx)
        take_turn(tx, Turn.SEALING, issuer)
        return _seal(tx, issuer, read_waiting(tx, issuer), now=now, on_leaves=on_leaves)


def seal_as_anchored(
    database: Database, issuer: int, *, root: Hash32, size: int, now: int
) -> Batch | None:
    """Seal the `size` credentials that wait longest, if `root` is theirs; else change nothing.

    For what a restored database does not know that it sealed.
    """
    with database.write() as tx:
        take_turn(tx, Turn.SEALING, issuer)
        if not 0 < size <= count_waiting(tx, issuer):
            return None
        oldest = islice(read_waiting(tx, issuer), size)
        if root_of(leaf_hash(digest) for _, digest in oldest) != root:
            return None
        return _seal(tx, issuer, islice(read_waiting(tx, issuer), size), now=now)


def _seal(
    tx: Connection,
    issuer: int,
    waiting: Iterator[tuple[int, Hash32]],
    *,
    now: int,
    on_leaves: Callable[[int], None] = lambda _count: None,
) -> Batch | None:
    batch_id = store.add_batch(tx, issuer, now=now)

    def keep(tile: Tile) -> None:
        trees.add_tile(tx, batch_id, tile.level, tile.number, tile.hashes)

    size, builder = 0, TileBuilder(keep)
    page: list[int] = []
    for credential_id, digest in waiting:
        builder.add(leaf_hash(digest))
        page.append(credential_id)
        if len(page) == PAGE_ROWS:
            size += _place(tx, batch_id, page, size)
            on_leaves(PAGE_ROWS)
            page = []
    size += _place(tx, batch_id, page, size)
    on_leaves(len(page))
    if size == 0:
        store.drop_batch(tx, batch_id)
        return None
    store.set_root(tx, batch_id, builder.finish(), size)
    return store.get_batch(tx, batch_id)


def _place(tx: Connection, batch_id: int, page: list[int], first_index: int) -> int:
    if page:
        place_in_batch(tx, batch_id, page, first_index=first_index)
    return len(page)


def find_waiting(tx: Connection, issuer: int) -> Waiting | None:
    """Return how much waits for `issuer` and since when; None when nothing does."""
    oldest = find_oldest_waiting(tx, issuer)
    return None if oldest is None else Waiting(count_waiting(tx, issuer), oldest)
