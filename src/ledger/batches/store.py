"""Sealed batches and the transactions that serve them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import sqlalchemy as sa

from ledger.batches.events.store import note_final
from ledger.batches.status import ANCHORED, FOLLOWED, BatchStatus, check_move
from ledger.chain.registry.slots import AnchorRecord
from ledger.chain.store import Outcome, TransactionState, transactions
from ledger.credentials.store import COLUMNS, StoredCredential, credentials, stored_credential
from ledger.database import Id, metadata
from ledger.errors import ConflictError, NotFoundError
from ledger.primitives import Address, Hash32

PAGE_BATCHES: Final = 200
"""Batches read by one statement."""

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
    sa.Column("changed_at", sa.BigInteger),
    sa.Column("reason", sa.Text),
    sa.Column("operator", sa.LargeBinary(20)),
    sa.Column("anchored_at", sa.BigInteger),
    sa.Column("extra_leaves", sa.LargeBinary),
    sa.Column("leased_until", sa.BigInteger),
    sa.UniqueConstraint("issuer", "root"),
    sa.Index(None, "status"),
)

anchorings: Final = sa.Table(
    "anchorings",
    metadata,
    sa.Column("transaction_id", Id, sa.ForeignKey("transactions.id"), primary_key=True),
    sa.Column("batch_id", Id, sa.ForeignKey("batches.id"), nullable=False, index=True),
)

compromises: Final = sa.Table(
    "compromises",
    metadata,
    sa.Column("issuer", sa.BigInteger, sa.ForeignKey("issuers.number"), primary_key=True),
    sa.Column("operator", sa.LargeBinary(20), primary_key=True),
    sa.Column("since", sa.BigInteger, nullable=False),
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
    changed_at: int | None
    """When its status changed last; None while it has its first."""
    reason: str | None
    """Why it is held, waits, or was refused when it was last tried."""
    operator: Address | None
    """The key that anchored it, as the registry's record says."""
    anchored_at: int | None
    """The time in the registry's record, in Unix seconds."""
    extra_leaves: bytes | None
    """32 bytes for each time it was sealed again; their leaves follow its members'."""
    transaction_id: int | None
    """Of its newest transaction; None when it needed none."""
    transaction: Hash32 | None
    transaction_state: TransactionState | None
    outcome: Outcome | None
    block_number: int | None
    gas_used: int | None
    gas_price_wei: int | None


_COLUMNS: Final = (
    batches.c.id,
    batches.c.issuer,
    batches.c.root,
    batches.c.size,
    batches.c.status,
    batches.c.sealed_at,
    batches.c.delivered_at,
    batches.c.changed_at,
    batches.c.reason,
    batches.c.operator,
    batches.c.anchored_at,
    batches.c.extra_leaves,
    batches.c.transaction_id,
    transactions.c.hash.label("transaction"),
    transactions.c.state.label("transaction_state"),
    transactions.c.outcome,
    transactions.c.block_number,
    transactions.c.gas_used,
    transactions.c.gas_price_wei,
)
"""One for each member of `Batch`, in their order."""

_JOINED: Final = batches.outerjoin(transactions, batches.c.transaction_id == transactions.c.id)

_SELECT: Final = sa.select(*_COLUMNS).select_from(_JOINED)

_MEMBERS: Final = tuple(member.name for member in fields(Batch))


def _batch(row: Sequence[Any]) -> Batch:
    values = dict(zip(_MEMBERS, row, strict=True))
    values["status"] = BatchStatus(values["status"])
    if values["transaction_state"]:
        values["transaction_state"] = TransactionState(values["transaction_state"])
    values["outcome"] = Outcome(values["outcome"]) if values["outcome"] else None
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


_BATCH: Final = _SELECT.where(batches.c.id == sa.bindparam("batch"))


def get_batch(tx: sa.Connection, batch_id: int) -> Batch:
    """Return the batch of this id.

    Raises:
        NotFoundError: there is none.

    """
    # No column holds a larger number, and to ask for one is an error.
    found = tx.execute(_BATCH, {"batch": batch_id}) if batch_id < 2**63 else None
    row = found.one_or_none() if found else None
    if row is None:
        raise NotFoundError("no-batch", f"there is no batch {batch_id}")
    return _batch(row)


_PLACED: Final = (
    sa.select(*COLUMNS, *_COLUMNS)
    .select_from(credentials)
    .outerjoin(_JOINED, credentials.c.batch_id == batches.c.id)
    .where(credentials.c.public_id == sa.bindparam("public"))
)


def find_placed(tx: sa.Connection, public_id: str) -> tuple[StoredCredential, Batch | None] | None:
    """Return the credential of this public id and its batch, None while it waits for one."""
    row = tx.execute(_PLACED, {"public": public_id}).one_or_none()
    if row is None:
        return None
    credential = stored_credential(row[: len(COLUMNS)])
    return credential, None if credential.batch_id is None else _batch(row[len(COLUMNS) :])


def find_batches(tx: sa.Connection, ids: Collection[int]) -> list[Batch]:
    """Return the batches of these ids that there are, oldest first."""
    rows = tx.execute(_SELECT.where(batches.c.id.in_(ids)).order_by(batches.c.id))
    return [_batch(row) for row in rows]


def list_batches(
    tx: sa.Connection, issuer: int, statuses: Iterable[BatchStatus] = tuple(BatchStatus)
) -> list[Batch]:
    """Return the issuer's batches of these statuses, oldest first."""
    rows = tx.execute(
        _SELECT.where(batches.c.issuer == issuer, batches.c.status.in_(list(statuses))).order_by(
            batches.c.id
        )
    )
    return [_batch(row) for row in rows]


def page_of_batches(
    tx: sa.Connection, issuer: int, *, before: int | None, limit: int
) -> list[Batch]:
    """Return up to `limit` of the issuer's batches, newest first, of ids below `before`."""
    query = _SELECT.where(batches.c.issuer == issuer)
    if before is not None:
        query = query.where(batches.c.id < before)
    rows = tx.execute(query.order_by(batches.c.id.desc()).limit(limit))
    return [_batch(row) for row in rows]


def read_batches(
    tx: sa.Connection, statuses: Iterable[BatchStatus] = tuple(BatchStatus)
) -> Iterator[Batch]:
    """Give the batches of every issuer that have these statuses, oldest first, page by page."""
    last, wanted = 0, list(statuses)
    while page := list_page(tx, wanted, after=last):
        yield from page
        last = page[-1].id


def list_page(tx: sa.Connection, statuses: Iterable[BatchStatus], *, after: int) -> list[Batch]:
    """Return the oldest batches of these statuses, of every issuer, with ids above `after`."""
    query = _SELECT.where(batches.c.status.in_(list(statuses)), batches.c.id > after)
    rows = tx.execute(query.order_by(batches.c.id).limit(PAGE_BATCHES))
    return [_batch(row) for row in rows]


def has_root(tx: sa.Connection, issuer: int, root: Hash32) -> bool:
    """Return whether a batch of the issuer has this root."""
    query = sa.select(batches.c.id).where(batches.c.issuer == issuer, batches.c.root == root)
    return tx.execute(query).one_or_none() is not None


def count_batches(tx: sa.Connection, issuer: int) -> dict[BatchStatus, int]:
    """Return how many of the issuer's batches stand where; none left out."""
    query = sa.select(batches.c.status, sa.func.count()).where(batches.c.issuer == issuer)
    found = {row[0]: int(row[1]) for row in tx.execute(query.group_by(batches.c.status))}
    return {status: found.get(status, 0) for status in BatchStatus}


def find_oldest_unfinished(tx: sa.Connection) -> int | None:
    """Return when the oldest batch that is not final was sealed; None when all are."""
    query = sa.select(sa.func.min(batches.c.sealed_at))
    found: int | None = tx.execute(query.where(batches.c.status != BatchStatus.FINAL)).scalar_one()
    return found


def lock_batch(tx: sa.Connection, batch_id: int) -> Batch:
    """Return the batch and keep every other writer from it until `tx` ends."""
    tx.execute(sa.select(batches.c.id).where(batches.c.id == batch_id).with_for_update())
    return get_batch(tx, batch_id)


def list_followed(tx: sa.Connection) -> list[Batch]:
    """Return the batches of every issuer that the chain alone may move, oldest first."""
    rows = tx.execute(_SELECT.where(batches.c.status.in_(FOLLOWED)).order_by(batches.c.id))
    return [_batch(row) for row in rows]


def submit_batch(
    tx: sa.Connection, batch_id: int, transaction_id: int, *, root: Hash32, now: int
) -> None:
    """Note that a stored transaction anchors this batch under `root`.

    Raises:
        ConflictError: the batch is not at a point from which it may be submitted, or was
            sealed again meanwhile.

    """
    batch = lock_batch(tx, batch_id)
    if batch.root != root:
        raise ConflictError("sealed-again", f"batch {batch_id} was sealed again meanwhile")
    move_batch(tx, batch, BatchStatus.SUBMITTED, now=now)
    tx.execute(
        sa.update(batches).where(batches.c.id == batch_id).values(transaction_id=transaction_id)
    )
    tx.execute(sa.insert(anchorings).values(transaction_id=transaction_id, batch_id=batch_id))


def move_batch(
    tx: sa.Connection, batch: Batch, after: BatchStatus, *, now: int, reason: str | None = None
) -> None:
    """Move a locked batch to another status; a lease on what it waited for ends.

    That it is final is an event, noted in this same `tx`.

    Raises:
        ConflictError: there is no such arrow.

    """
    check_move(batch.status, after)
    tx.execute(
        sa.update(batches)
        .where(batches.c.id == batch.id)
        .values(status=after, changed_at=now, reason=reason, leased_until=None)
    )
    if after is BatchStatus.FINAL:
        note_final(tx, batch.id, now=now)


def note_record(tx: sa.Connection, batch_id: int, record: AnchorRecord) -> None:
    """Write who anchored a batch, and when, as the registry says."""
    tx.execute(
        sa.update(batches)
        .where(batches.c.id == batch_id)
        .values(operator=record.operator, anchored_at=record.time)
    )


def note_reason(tx: sa.Connection, batch: Batch, reason: str) -> None:
    """Write why a batch waits or could not be submitted, unless it was moved meanwhile."""
    is_still_there = sa.and_(batches.c.id == batch.id, batches.c.status == batch.status)
    tx.execute(sa.update(batches).where(is_still_there).values(reason=reason))


def add_extra_leaves(tx: sa.Connection, batch: Batch, extra: bytes) -> None:
    """Add to a batch's extra leaves, 32 bytes each; the root that follows comes in `tx`."""
    tx.execute(
        sa.update(batches)
        .where(batches.c.id == batch.id)
        .values(extra_leaves=(batch.extra_leaves or b"") + extra, transaction_id=None)
    )


def cost_wei(tx: sa.Connection, batch_id: int) -> int:
    """Return what every transaction that was ever made for a batch has cost so far."""
    query = (
        sa.select(transactions.c.gas_used, transactions.c.gas_price_wei)
        .join(anchorings, anchorings.c.transaction_id == transactions.c.id)
        .where(anchorings.c.batch_id == batch_id)
    )
    # Summed here: wei by gas may overflow the integers of both databases.
    return sum((row.gas_used or 0) * (row.gas_price_wei or 0) for row in tx.execute(query))


def write_compromises(tx: sa.Connection, issuer: int, since: Mapping[Address, int]) -> None:
    """Replace what is known of the issuer's compromised keys: since when each is."""
    tx.execute(sa.delete(compromises).where(compromises.c.issuer == issuer))
    if since:
        tx.execute(
            sa.insert(compromises),
            [{"issuer": issuer, "operator": key, "since": at} for key, at in since.items()],
        )


def list_compromised(tx: sa.Connection) -> set[Address]:
    """Return the keys that are known to be compromised, for whichever issuer."""
    return {Address(key) for key in tx.execute(sa.select(compromises.c.operator)).scalars()}


def list_untrusted(tx: sa.Connection, issuer: int) -> list[Batch]:
    """Return the anchored batches whose anchor a compromised key made, oldest first."""
    is_its_key = sa.and_(
        compromises.c.issuer == batches.c.issuer,
        compromises.c.operator == batches.c.operator,
        compromises.c.since <= batches.c.anchored_at,
    )
    rows = tx.execute(
        _SELECT.join(compromises, is_its_key)
        .where(batches.c.issuer == issuer, batches.c.status.in_(ANCHORED))
        .order_by(batches.c.id)
    )
    return [_batch(row) for row in rows]


def list_undelivered(tx: sa.Connection, issuer: int) -> list[Batch]:
    """Return the issuer's final batches of which not every badge has been written, oldest first."""
    is_waiting = sa.and_(batches.c.status == BatchStatus.FINAL, batches.c.delivered_at.is_(None))
    rows = tx.execute(_SELECT.where(batches.c.issuer == issuer, is_waiting).order_by(batches.c.id))
    return [_batch(row) for row in rows]


def mark_delivered(tx: sa.Connection, batch_id: int, *, now: int) -> None:
    """Note that every badge of a batch has been written."""
    tx.execute(sa.update(batches).where(batches.c.id == batch_id).values(delivered_at=now))


def lease_next(
    tx: sa.Connection, issuer: int, status: BatchStatus, *, now: int, seconds: int
) -> Batch | None:
    """Lease the oldest batch of a status that waits for a worker, and that no worker has.

    A sealed batch waits to be submitted, a final one for its badges to be written. Two workers
    never have the same one: PostgreSQL skips rows that another transaction has locked, and
    SQLite lets one writer in at a time. A lease ends when the batch moves, else when it runs
    out, as that of a worker that died; one that takes longer than `seconds` may be joined by
    another, which does no harm and no good.
    """
    until = batches.c.leased_until
    # Nobody leases for longer: a time beyond is that of a clock that was set back since.
    is_free = sa.or_(until.is_(None), until <= now, until > now + seconds)
    is_waiting = sa.or_(
        batches.c.status == BatchStatus.SEALED,
        sa.and_(batches.c.status == BatchStatus.FINAL, batches.c.delivered_at.is_(None)),
    )
    due = (
        sa.select(batches.c.id)
        .where(batches.c.issuer == issuer, batches.c.status == status, is_waiting, is_free)
        .order_by(batches.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    leased = tx.execute(
        sa.update(batches)
        .where(batches.c.id == due.scalar_subquery())
        .values(leased_until=now + seconds)
        .returning(batches.c.id)
    ).scalar_one_or_none()
    return None if leased is None else get_batch(tx, leased)
