"""What has come about, noted in the transaction that makes it so, until somebody tells it.

    batch.final        noted with the move of the batch; it is so at once
    credential.status  noted with the signed transaction that changes the status; it is so when
                       that transaction is final, and never when something else took its nonce

A process may die at any line: an event is in the database if and only if what it is about
is. Who tells of it takes it out in the transaction that stores what is to be told.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from ledger.chain.store import Outcome, TransactionState, transactions
from ledger.database import Id, metadata

events: Final = sa.Table(
    "events",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("batch_id", Id, sa.ForeignKey("batches.id"), nullable=False),
    sa.Column("transaction_id", Id, sa.ForeignKey("transactions.id")),
    sa.Column("action", sa.Text),
    sa.Column("reason", sa.SmallInteger),
    sa.Column("noted_at", sa.BigInteger, nullable=False),
)


class EventKind(StrEnum):
    """What can come about."""

    BATCH_FINAL = "batch.final"
    CREDENTIAL_STATUS = "credential.status"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that has come about."""

    kind: EventKind
    batch_id: int
    transaction_id: int | None
    """The transaction that changed the status; None for a batch."""
    action: str | None
    reason: int | None
    noted_at: int


def note_final(tx: sa.Connection, batch_id: int, *, now: int) -> None:
    """Note that a batch is final, in the `tx` that makes it so."""
    tx.execute(
        sa.insert(events).values(kind=EventKind.BATCH_FINAL, batch_id=batch_id, noted_at=now)
    )


def note_status(
    tx: sa.Connection, batch_id: int, transaction_id: int, *, action: str, reason: int, now: int
) -> None:
    """Note that a transaction, stored in this same `tx`, changes statuses in a batch."""
    tx.execute(
        sa.insert(events).values(
            kind=EventKind.CREDENTIAL_STATUS,
            batch_id=batch_id,
            transaction_id=transaction_id,
            action=action,
            reason=reason,
            noted_at=now,
        )
    )


_IS_SO: Final = sa.or_(
    events.c.transaction_id.is_(None), transactions.c.state == TransactionState.FINAL
)
_FROM: Final = events.outerjoin(transactions, events.c.transaction_id == transactions.c.id)


def has_event(tx: sa.Connection) -> bool:
    """Return whether there is one to take."""
    query = sa.select(events.c.id).select_from(_FROM).where(_IS_SO).limit(1)
    return tx.execute(query).first() is not None


def take_event(tx: sa.Connection) -> Event | None:
    """Take the oldest event out of the table; None when nothing has come about.

    What a transaction was to change and did not is dropped on the way. Two workers never take
    the same one: PostgreSQL skips what another transaction has locked, and SQLite lets one
    writer in at a time.
    """
    oldest = (
        sa.select(events.c.id)
        .select_from(_FROM)
        .where(_IS_SO)
        .order_by(events.c.id)
        .limit(1)
        .with_for_update(of=events, skip_locked=True)
    )
    taking = (
        sa.delete(events)
        .where(events.c.id == oldest.scalar_subquery())
        .returning(
            events.c.kind,
            events.c.batch_id,
            events.c.transaction_id,
            events.c.action,
            events.c.reason,
            events.c.noted_at,
        )
    )
    while row := tx.execute(taking).one_or_none():
        event = Event(EventKind(row.kind), *row[1:])
        if event.transaction_id is None or _is_done(tx, event.transaction_id):
            return event
    return None


def _is_done(tx: sa.Connection, transaction_id: int) -> bool:
    query = sa.select(transactions.c.outcome).where(transactions.c.id == transaction_id)
    return bool(tx.execute(query).scalar_one() == Outcome.DONE)
