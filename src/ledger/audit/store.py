"""What an issuer's database says of itself, read for an audit and never written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from ledger.batches.status_changes.store import status_changes
from ledger.batches.store import anchorings, batches
from ledger.chain.nonces.store import senders
from ledger.chain.store import Outcome, attempts, checkpoints, transactions
from ledger.credentials.store import credentials
from ledger.issuers.store import issuers
from ledger.primitives import Address, Hash32

PAGE_ROWS: Final = 500
"""Rows asked for, or parameters given, by one statement."""


@dataclass(frozen=True, slots=True)
class RecordedBatch:
    """A batch, and what was noted of its transaction."""

    id: int
    issuer: int
    root: Hash32
    size: int
    sealed_at: int
    delivered_at: int | None
    anchored_at: int | None
    """The time of its anchor, once it was seen on chain."""
    extra_leaves: bytes | None
    stored_at: int | None
    """When its transaction was signed; None before, and when it needed none."""
    block_number: int | None
    """The block that included it, when it succeeded."""
    gas_used: int | None
    gas_price_wei: int | None

    @property
    def is_known(self) -> bool:
        """Return whether the database sent it, or saw that a key of its own had."""
        return self.stored_at is not None or self.anchored_at is not None


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """A change of one credential's status, in the order in which they were signed."""

    batch_id: int
    leaf_index: int
    action: str
    block_number: int | None
    """The block that included it; None before."""
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Spending:
    """What the transactions of one purpose cost, those up to one block."""

    purpose: str
    transactions: int
    gas: int
    fees_wei: int


def list_batches(tx: sa.Connection, issuer: int) -> list[RecordedBatch]:
    """Return the issuer's batches, oldest first."""
    signed = transactions.alias()
    is_done = transactions.c.outcome == Outcome.DONE
    succeeded = sa.case((is_done, transactions.c.block_number))
    first_signed = (
        # A batch that was sealed again has no transaction for now; that it had one counts.
        sa.select(sa.func.min(signed.c.stored_at))
        .select_from(anchorings.join(signed, anchorings.c.transaction_id == signed.c.id))
        .where(anchorings.c.batch_id == batches.c.id)
        .scalar_subquery()
    )
    rows = tx.execute(
        sa.select(
            batches.c.id,
            batches.c.issuer,
            batches.c.root,
            batches.c.size,
            batches.c.sealed_at,
            batches.c.delivered_at,
            batches.c.anchored_at,
            batches.c.extra_leaves,
            first_signed.label("stored_at"),
            succeeded.label("block_number"),
            transactions.c.gas_used,
            transactions.c.gas_price_wei,
        )
        .select_from(batches.outerjoin(transactions, batches.c.transaction_id == transactions.c.id))
        .where(batches.c.issuer == issuer)
        .order_by(batches.c.id)
    )
    return [RecordedBatch(**row) for row in rows.mappings()]


def read_leaves(tx: sa.Connection, batch_id: int) -> Iterator[tuple[int, Hash32]]:
    """Give (index, digest) of the batch's credentials, by index."""
    query = (
        sa.select(credentials.c.leaf_index, credentials.c.digest)
        .where(credentials.c.batch_id == batch_id)
        .order_by(credentials.c.leaf_index)
        .execution_options(yield_per=PAGE_ROWS)
    )
    with tx.execute(query) as rows:
        for row in rows:
            yield row.leaf_index, Hash32(bytes(row.digest))


def read_changes(tx: sa.Connection, issuer: int) -> Iterator[RecordedChange]:
    """Give the changes of the status of the issuer's credentials, in the order of signing."""
    query = (
        sa.select(
            credentials.c.batch_id,
            credentials.c.leaf_index,
            status_changes.c.action,
            transactions.c.block_number,
            transactions.c.outcome,
        )
        .select_from(
            status_changes.join(
                credentials, status_changes.c.credential_id == credentials.c.id
            ).join(transactions, status_changes.c.transaction_id == transactions.c.id)
        )
        .where(credentials.c.issuer == issuer)
        .order_by(transactions.c.id, status_changes.c.id)
        .execution_options(yield_per=PAGE_ROWS)
    )
    with tx.execute(query) as rows:
        for row in rows.mappings():
            outcome = Outcome(row["outcome"]) if row["outcome"] else None
            yield RecordedChange(**(dict(row) | {"outcome": outcome}))


def find_signed(tx: sa.Connection, hashes: Iterable[Hash32]) -> set[Hash32]:
    """Return which of these transactions this installation signed."""
    wanted = list(set(hashes))
    found: set[Hash32] = set()
    for at in range(0, len(wanted), PAGE_ROWS):
        page = wanted[at : at + PAGE_ROWS]
        query = sa.select(attempts.c.hash).where(attempts.c.hash.in_(page))
        found.update(Hash32(bytes(value)) for value in tx.execute(query).scalars())
    return found


def count_records(tx: sa.Connection, through: int) -> tuple[int, ...]:
    """Return numbers that change whenever something is added that an audit compares.

    They count what the blocks up to `through` hold, and all that is signed.
    """
    included = transactions.c.block_number <= through
    counted = (
        sa.select(sa.func.count()).select_from(issuers),
        sa.select(sa.func.max(batches.c.id)),
        sa.select(sa.func.count(batches.c.anchored_at)),
        sa.select(sa.func.count(batches.c.delivered_at)),
        sa.select(sa.func.max(attempts.c.id)),
        sa.select(sa.func.count()).select_from(transactions).where(included),
        sa.select(sa.func.count(status_changes.c.transaction_id)),
    )
    row = tx.execute(sa.select(*(query.scalar_subquery() for query in counted))).one()
    return tuple(number or 0 for number in row)


def list_final_blocks(tx: sa.Connection) -> dict[int, tuple[int, Hash32]]:
    """Return number and hash of the newest block that the worker saw final, by chain."""
    rows = tx.execute(sa.select(checkpoints))
    return {row.chain: (row.number, Hash32(bytes(row.hash))) for row in rows}


def list_senders(tx: sa.Connection) -> set[Address]:
    """Return the addresses of the keys that this installation ever sent with."""
    return {Address(bytes(value)) for value in tx.execute(sa.select(senders.c.address)).scalars()}


def sum_spending(tx: sa.Connection, through: int) -> list[Spending]:
    """Return what the transactions in blocks up to `through` cost, by purpose."""
    # Summed here: wei by gas overflows the integers of both databases.
    rows = tx.execute(
        sa.select(
            transactions.c.purpose, transactions.c.gas_used, transactions.c.gas_price_wei
        ).where(transactions.c.block_number <= through)
    )
    spent: dict[str, list[int]] = {}
    for row in rows:
        sums = spent.setdefault(row.purpose, [0, 0, 0])
        sums[0] += 1
        sums[1] += row.gas_used
        sums[2] += row.gas_used * row.gas_price_wei
    return [Spending(purpose, *sums) for purpose, sums in sorted(spent.items())]
