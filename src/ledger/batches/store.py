"""Sealed batches, the tiles of their trees, and the transactions that serve them."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

import sqlalchemy as sa

from ledger.batches.schedule import Schedule
from ledger.batches.status import BatchStatus, check_move
from ledger.chain.store import TransactionState, transactions
from ledger.database import Id, metadata
from ledger.errors import NotFoundError
from ledger.primitives import Hash32

batches: Final = sa.Table(
    "batches",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("issuer", sa.BigInteger, sa.ForeignKey("issuers.number"), nullable=False),
    sa.Column("root", sa.LargeBinary(32), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("sealed_at", sa.BigInteger, nullable=False),
    sa.Column("transaction_id", Id, sa.ForeignKey("transactions.id")),
    sa.Column("delivered_at", sa.BigInteger),
    sa.UniqueConstraint("issuer", "root"),
    sa.Index(None, "status"),
)

tiles: Final = sa.Table(
    "tiles",
    metadata,
    sa.Column("batch_id", Id, sa.ForeignKey("batches.id"), primary_key=True),
    sa.Column("level", sa.SmallInteger, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("hashes", sa.LargeBinary, nullable=False),
)

status_changes: Final = sa.Table(
    "status_changes",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("credential_id", Id, sa.ForeignKey("credentials.id"), nullable=False, index=True),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("reason", sa.SmallInteger, nullable=False),
    sa.Column("transaction_id", Id, sa.ForeignKey("transactions.id"), nullable=False),
)

schedules: Final = sa.Table(
    "schedules",
    metadata,
    sa.Column("issuer", sa.BigInteger, sa.ForeignKey("issuers.number"), primary_key=True),
    sa.Column("set_at", sa.BigInteger, nullable=False),
    sa.Column("cron", sa.Text),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("every_seconds", sa.BigInteger),
    sa.Column("at_waiting", sa.BigInteger),
    sa.Column("max_age_seconds", sa.BigInteger),
)


@dataclass(frozen=True, slots=True)
class Batch:
    """A sealed batch and, once it was submitted, what the chain says of its anchor."""

    id: int
    issuer: int
    root: Hash32
    size: int
    status: BatchStatus
    sealed_at: int
    delivered_at: int | None
    """When its badges had all been written; None before."""
    transaction_id: int | None
    transaction: Hash32 | None
    block_number: int | None
    gas_used: int | None
    gas_price_wei: int | None


_SELECT: Final = sa.select(
    batches.c.id,
    batches.c.issuer,
    batches.c.root,
    batches.c.size,
    batches.c.status,
    batches.c.sealed_at,
    batches.c.delivered_at,
    batches.c.transaction_id,
    transactions.c.hash.label("transaction"),
    transactions.c.block_number,
    transactions.c.gas_used,
    transactions.c.gas_price_wei,
).select_from(batches.outerjoin(transactions, batches.c.transaction_id == transactions.c.id))


def _batch(row: sa.RowMapping) -> Batch:
    values = dict(row)
    values["status"] = BatchStatus(values["status"])
    return Batch(**values)


def add_batch(tx: sa.Connection, issuer: int, *, now: int) -> int:
    """Make a batch and return its id; `set_root` follows in the same `tx`."""
    batch_id: int = tx.execute(
        sa.insert(batches)
        .values(issuer=issuer, root=b"", size=0, status=BatchStatus.SEALED, sealed_at=now)
        .returning(batches.c.id)
    ).scalar_one()
    return batch_id


def set_root(tx: sa.Connection, batch_id: int, root: Hash32, size: int) -> None:
    """Give a new batch the root and the size of its tree."""
    tx.execute(sa.update(batches).where(batches.c.id == batch_id).values(root=root, size=size))


def drop_batch(tx: sa.Connection, batch_id: int) -> None:
    """Take back `add_batch` in the same `tx`, before anything was placed in the batch."""
    tx.execute(sa.delete(batches).where(batches.c.id == batch_id))


def add_tile(tx: sa.Connection, batch_id: int, level: int, number: int, hashes: bytes) -> None:
    """Store one tile of a batch's tree."""
    tx.execute(
        sa.insert(tiles).values(batch_id=batch_id, level=level, number=number, hashes=hashes)
    )


def read_tile(tx: sa.Connection, batch_id: int, level: int, number: int) -> bytes:
    """Return the node hashes of one tile.

    Raises:
        NotFoundError: there is no such tile: the database is damaged.

    """
    hashes = tx.execute(
        sa.select(tiles.c.hashes).where(
            tiles.c.batch_id == batch_id, tiles.c.level == level, tiles.c.number == number
        )
    ).scalar_one_or_none()
    if hashes is None:
        raise NotFoundError(
            "no-tile", f"batch {batch_id} has no tile {level}/{number}: the database is damaged"
        )
    return bytes(hashes)


def get_batch(tx: sa.Connection, batch_id: int) -> Batch:
    """Return the batch of this id.

    Raises:
        NotFoundError: there is none.

    """
    row = tx.execute(_SELECT.where(batches.c.id == batch_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("no-batch", f"there is no batch {batch_id}")
    return _batch(row)


def list_batches(
    tx: sa.Connection, issuer: int, statuses: Iterable[BatchStatus] = tuple(BatchStatus)
) -> list[Batch]:
    """Return the issuer's batches of these statuses, oldest first."""
    rows = tx.execute(
        _SELECT.where(batches.c.issuer == issuer, batches.c.status.in_(list(statuses))).order_by(
            batches.c.id
        )
    )
    return [_batch(row) for row in rows.mappings()]


def page_of_batches(
    tx: sa.Connection, issuer: int, *, before: int | None, limit: int
) -> list[Batch]:
    """Return up to `limit` of the issuer's batches, newest first, of ids below `before`."""
    query = _SELECT.where(batches.c.issuer == issuer)
    if before is not None:
        query = query.where(batches.c.id < before)
    rows = tx.execute(query.order_by(batches.c.id.desc()).limit(limit))
    return [_batch(row) for row in rows.mappings()]


def lock_batch(tx: sa.Connection, batch_id: int) -> Batch:
    """Return the batch and keep every other writer from it until `tx` ends."""
    tx.execute(sa.select(batches.c.id).where(batches.c.id == batch_id).with_for_update())
    return get_batch(tx, batch_id)


def submit_batch(tx: sa.Connection, batch_id: int, transaction_id: int) -> None:
    """Note that a stored transaction anchors this batch.

    Raises:
        ConflictError: the batch is not at a point from which it may be submitted.

    """
    check_move(lock_batch(tx, batch_id).status, BatchStatus.SUBMITTED)
    tx.execute(
        sa.update(batches)
        .where(batches.c.id == batch_id)
        .values(status=BatchStatus.SUBMITTED, transaction_id=transaction_id)
    )


def follow_transactions(tx: sa.Connection) -> list[tuple[int, BatchStatus]]:
    """Move every batch to where its transaction stands; return the moves that were made."""
    rows = tx.execute(
        sa.select(batches.c.id, batches.c.status, transactions.c.state, transactions.c.succeeded)
        .join(transactions, batches.c.transaction_id == transactions.c.id)
        .where(batches.c.status != BatchStatus.FINAL)
        .order_by(batches.c.id)
    ).all()
    moves = []
    for row in rows:
        before = BatchStatus(row.status)
        after = _standing(TransactionState(row.state), succeeded=row.succeeded)
        if after is not before:
            check_move(before, after)
            tx.execute(sa.update(batches).where(batches.c.id == row.id).values(status=after))
            moves.append((row.id, after))
    return moves


def _standing(state: TransactionState, *, succeeded: bool | None) -> BatchStatus:
    if state is TransactionState.STORED:
        return BatchStatus.SUBMITTED
    if not succeeded:
        return BatchStatus.HELD
    return BatchStatus.FINAL if state is TransactionState.FINAL else BatchStatus.CONFIRMED


def mark_delivered(tx: sa.Connection, batch_id: int, *, now: int) -> None:
    """Note that every badge of a batch has been written."""
    tx.execute(sa.update(batches).where(batches.c.id == batch_id).values(delivered_at=now))


def add_status_changes(
    tx: sa.Connection,
    credential_ids: Iterable[int],
    *,
    action: str,
    reason: int,
    transaction_id: int,
) -> None:
    """Note which credentials a stored transaction changes the status of."""
    tx.execute(
        sa.insert(status_changes),
        [
            {
                "credential_id": credential_id,
                "action": action,
                "reason": reason,
                "transaction_id": transaction_id,
            }
            for credential_id in credential_ids
        ],
    )


def set_schedule(tx: sa.Connection, issuer: int, schedule: Schedule | None) -> None:
    """Give the issuer this schedule in place of the one it had; None: none."""
    tx.execute(sa.delete(schedules).where(schedules.c.issuer == issuer))
    if schedule is not None:
        tx.execute(sa.insert(schedules).values(issuer=issuer, **asdict(schedule)))


def find_schedule(tx: sa.Connection, issuer: int) -> Schedule | None:
    """Return the issuer's schedule, if it has one."""
    query = sa.select(schedules).where(schedules.c.issuer == issuer)
    row = tx.execute(query).mappings().one_or_none()
    return Schedule(**{name: row[name] for name in row if name != "issuer"}) if row else None
