"""The state that is kept of each final batch: one header, and trie nodes under their hashes.

`state_changes` lists the transactions after which a batch's state is another one. Its
anchoring belongs to them and is not repeated there: the batch names it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

import sqlalchemy as sa

from ledger.batches.status import BatchStatus
from ledger.batches.store import batches
from ledger.chain.store import TransactionState, transactions
from ledger.database import Id, metadata
from ledger.primitives import Hash32

state_proofs: Final = sa.Table(
    "state_proofs",
    metadata,
    sa.Column("batch_id", Id, sa.ForeignKey("batches.id"), primary_key=True),
    sa.Column("block_number", sa.BigInteger, nullable=False),
    sa.Column("header", sa.LargeBinary, nullable=False),
    sa.Column("accreditors", sa.JSON, nullable=False),
)

state_nodes: Final = sa.Table(
    "state_nodes",
    metadata,
    sa.Column("batch_id", Id, sa.ForeignKey("batches.id"), primary_key=True),
    sa.Column("hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("node", sa.LargeBinary, nullable=False),
)

state_changes: Final = sa.Table(
    "state_changes",
    metadata,
    sa.Column("batch_id", Id, sa.ForeignKey("batches.id"), primary_key=True),
    sa.Column("transaction_id", Id, sa.ForeignKey("transactions.id"), primary_key=True),
)


@dataclass(frozen=True, slots=True)
class KeptState:
    """What is kept of a batch besides the nodes, which are read one by one."""

    block_number: int
    header: bytes
    accreditors: list[int]
    """Who had accredited the issuer when the batch was anchored."""


def _is_later(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return whether a transaction of a batch, of which `conditions` hold, is not in its state."""
    is_anchoring = transactions.c.id == batches.c.transaction_id
    is_change = sa.and_(
        state_changes.c.batch_id == batches.c.id,
        state_changes.c.transaction_id == transactions.c.id,
    )
    # Two questions, each of which an index answers: asked as one, every transaction that ever
    # was is looked at for every batch.
    return sa.or_(
        sa.exists().where(is_anchoring, *conditions).correlate(batches, state_proofs),
        sa.exists().where(is_change, *conditions).correlate(batches, state_proofs),
    )


_CAME_LATER: Final = transactions.c.block_number > state_proofs.c.block_number
_IS_FINAL: Final = transactions.c.state == TransactionState.FINAL


def list_batches_without(tx: sa.Connection, *, after: int = 0, limit: int) -> list[int]:
    """Return the oldest final batches with ids above `after` whose final state is not kept."""
    is_missing = state_proofs.c.batch_id.is_(None)
    return list(
        tx.execute(
            sa.select(batches.c.id)
            .outerjoin(state_proofs, batches.c.id == state_proofs.c.batch_id)
            .where(
                batches.c.status == BatchStatus.FINAL,
                batches.c.id > after,
                sa.or_(is_missing, _is_later(_IS_FINAL, _CAME_LATER)),
            )
            .order_by(batches.c.id)
            .limit(limit)
        ).scalars()
    )


def note_change(tx: sa.Connection, batch_id: int, transaction_id: int) -> None:
    """Note that a stored transaction changes the state of a batch."""
    tx.execute(sa.insert(state_changes).values(batch_id=batch_id, transaction_id=transaction_id))


def put_state(
    tx: sa.Connection, batch_id: int, state: KeptState, nodes: Mapping[Hash32, bytes]
) -> None:
    """Store the state of a batch, in place of an older one."""
    # Two processes may have fetched it: the second waits here, and then replaces.
    tx.execute(sa.select(batches.c.id).where(batches.c.id == batch_id).with_for_update())
    for table in (state_nodes, state_proofs):
        tx.execute(sa.delete(table).where(table.c.batch_id == batch_id))
    tx.execute(sa.insert(state_proofs).values(batch_id=batch_id, **asdict(state)))
    tx.execute(
        sa.insert(state_nodes),
        [{"batch_id": batch_id, "hash": name, "node": node} for name, node in nodes.items()],
    )


def find_state(tx: sa.Connection, batch_id: int) -> KeptState | None:
    """Return the state that is kept of a batch, if any is."""
    columns = [state_proofs.c.block_number, state_proofs.c.header, state_proofs.c.accreditors]
    row = tx.execute(sa.select(*columns).where(state_proofs.c.batch_id == batch_id)).one_or_none()
    return None if row is None else KeptState(*row)


def is_outdated(tx: sa.Connection, batch_id: int) -> bool:
    """Return whether a transaction of ours is, or may come to be, later than the kept state."""
    may_come = transactions.c.block_number.is_(None) & ~_IS_FINAL
    query = (
        sa.select(batches.c.id)
        .join(state_proofs, batches.c.id == state_proofs.c.batch_id)
        .where(batches.c.id == batch_id, _is_later(sa.or_(_CAME_LATER, may_come)))
    )
    return tx.execute(query).one_or_none() is not None


def find_node(tx: sa.Connection, batch_id: int, name: Hash32) -> bytes | None:
    """Return one trie node of a batch's state by its hash."""
    return tx.execute(
        sa.select(state_nodes.c.node).where(
            state_nodes.c.batch_id == batch_id, state_nodes.c.hash == name
        )
    ).scalar_one_or_none()
