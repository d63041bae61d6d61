"""The transactions of this installation: every one that was ever signed.

A transaction is one nonce of one key and what it is for. Its attempts are the bytes
that were signed for it: the first, and replacements with higher fees or an empty one
that cancels it. An attempt is written before its bytes leave the process, and nothing
else is ever sent for its nonce. Which nonce comes next is in `ledger.chain.nonces`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from ledger.database import Id, metadata
from ledger.primitives import Address, Hash32, format_address


class TransactionState(StrEnum):
    """How far a signed transaction has come."""

    STORED = "stored"
    """Signed and stored; it was, or will be, broadcast."""
    INCLUDED = "included"
    """In a block that may still be reorganised away."""
    FINAL = "final"
    """Its nonce is used in a block at or below the finalized one."""


class Outcome(StrEnum):
    """What came of a transaction that is in a block."""

    DONE = "done"
    """The call ran."""
    REVERTED = "reverted"
    """The chain took the fee and undid the rest."""
    CANCELLED = "cancelled"
    """Its empty attempt won the nonce: nothing was done."""
    FOREIGN = "foreign"
    """A transaction that this database did not sign won the nonce: nothing was done."""


class Purpose(StrEnum):
    """What a transaction is for."""

    DEPLOY = "deploy"
    REGISTER = "register"
    OPERATOR = "operator"
    ANCHOR = "anchor"
    STATUS = "status"


transactions: Final = sa.Table(
    "transactions",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("sender", sa.LargeBinary(20), nullable=False),
    sa.Column("nonce", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("stored_at", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Column("block_number", sa.BigInteger),
    sa.Column("block_hash", sa.LargeBinary(32)),
    sa.Column("gas_used", sa.BigInteger),
    sa.Column("gas_price_wei", sa.BigInteger),
    sa.UniqueConstraint("sender", "nonce"),
    sa.Index(None, "state"),
)

attempts: Final = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("transaction_id", Id, sa.ForeignKey("transactions.id"), nullable=False, index=True),
    sa.Column("hash", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    sa.Column("is_empty", sa.Boolean, nullable=False),
    sa.Column("stored_at", sa.BigInteger, nullable=False),
    sa.Column("sent_at", sa.BigInteger),
)

checkpoints: Final = sa.Table(
    "checkpoints",
    metadata,
    sa.Column("chain", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Signed bytes for a nonce, one of perhaps several."""

    id: int
    hash: Hash32
    raw: bytes
    is_empty: bool
    """It sends nothing to its own sender: it cancels the transaction."""
    stored_at: int
    sent_at: int | None
    """When it was last broadcast; None when it never was, or nobody lived to note it."""


@dataclass(frozen=True, slots=True)
class StoredTransaction:
    """One nonce of one key, and what the chain says of it."""

    id: int
    purpose: Purpose
    sender: Address
    nonce: int
    hash: Hash32
    """Of the attempt that is in a block, else of the newest."""
    stored_at: int
    state: TransactionState
    outcome: Outcome | None
    """None until it is in a block."""
    block_number: int | None
    block_hash: Hash32 | None
    gas_used: int | None
    gas_price_wei: int | None
    attempts: tuple[Attempt, ...]
    """Oldest first; at least one."""

    @property
    def name(self) -> str:
        """Return what alarms call it, whichever of its attempts is the newest."""
        return f"{format_address(self.sender)} {self.nonce}"


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Where the chain has one attempt of a transaction, and what came of it."""

    hash: Hash32
    outcome: Outcome
    block_number: int
    block_hash: Hash32
    gas_used: int
    gas_price_wei: int


def list_by_nonce(
    tx: sa.Connection, sender: Address, *, after: int, limit: int
) -> list[StoredTransaction]:
    """Return the first transactions of a key with a nonce above `after`."""
    found = (
        sa.select(transactions.c.id)
        .where(transactions.c.sender == sender, transactions.c.nonce > after)
        .order_by(transactions.c.nonce)
        .limit(limit)
    )
    return _read(tx, transactions.c.id.in_(found))


def add_transaction(
    tx: sa.Connection,
    *,
    purpose: Purpose,
    sender: Address,
    nonce: int,
    transaction_hash: Hash32,
    raw: bytes,
    now: int,
) -> int:
    """Store signed bytes and return their row's id; they may be sent once `tx` has committed."""
    row: int = tx.execute(
        sa.insert(transactions)
        .values(
            purpose=purpose,
            sender=sender,
            nonce=nonce,
            hash=transaction_hash,
            stored_at=now,
            state=TransactionState.STORED,
        )
        .returning(transactions.c.id)
    ).scalar_one()
    add_attempt(tx, row, transaction_hash=transaction_hash, raw=raw, is_empty=False, now=now)
    return row


def add_attempt(
    tx: sa.Connection,
    transaction_id: int,
    *,
    transaction_hash: Hash32,
    raw: bytes,
    is_empty: bool,
    now: int,
) -> None:
    """Store other bytes for a nonce; they may be sent once `tx` has committed."""
    tx.execute(
        sa.insert(attempts).values(
            transaction_id=transaction_id,
            hash=transaction_hash,
            raw=raw,
            is_empty=is_empty,
            stored_at=now,
        )
    )
    tx.execute(
        sa.update(transactions)
        .where(transactions.c.id == transaction_id)
        .values(hash=transaction_hash)
    )


def mark_sent(tx: sa.Connection, attempt_ids: Iterable[int], *, now: int) -> None:
    """Note that an endpoint took these attempts."""
    tx.execute(sa.update(attempts).where(attempts.c.id.in_(list(attempt_ids))).values(sent_at=now))


def get_transaction(tx: sa.Connection, transaction_id: int) -> StoredTransaction:
    """Return the transaction of this row."""
    (found,) = _read(tx, transactions.c.id == transaction_id)
    return found


def list_unfinished(
    tx: sa.Connection, purposes: Iterable[Purpose] = tuple(Purpose)
) -> list[StoredTransaction]:
    """Return the transactions of these purposes that are not final, by sender and nonce."""
    return _read(
        tx,
        sa.and_(
            transactions.c.state != TransactionState.FINAL,
            transactions.c.purpose.in_(list(purposes)),
        ),
    )


def list_newest_final(tx: sa.Connection, *, limit: int) -> list[StoredTransaction]:
    """Return final transactions of ours, those in the highest blocks."""
    found = (
        sa.select(transactions.c.id)
        .where(
            transactions.c.state == TransactionState.FINAL,
            transactions.c.block_number.is_not(None),
        )
        .order_by(transactions.c.block_number.desc(), transactions.c.id.desc())
        .limit(limit)
    )
    return _read(tx, transactions.c.id.in_(found))


def _read(tx: sa.Connection, condition: sa.ColumnElement[bool]) -> list[StoredTransaction]:
    bytes_of: dict[int, list[Attempt]] = {}
    rows = tx.execute(
        sa.select(attempts)
        .join(transactions, attempts.c.transaction_id == transactions.c.id)
        .where(condition)
        .order_by(attempts.c.id)
    )
    for row in rows.mappings():
        values = dict(row)
        bytes_of.setdefault(values.pop("transaction_id"), []).append(Attempt(**values))
    found = tx.execute(
        sa.select(transactions)
        .where(condition)
        .order_by(transactions.c.sender, transactions.c.nonce)
    )
    return [_transaction(row, bytes_of[row["id"]]) for row in found.mappings()]


def _transaction(row: sa.RowMapping, signed: list[Attempt]) -> StoredTransaction:
    values = dict(row)
    values["purpose"] = Purpose(values["purpose"])
    values["state"] = TransactionState(values["state"])
    values["outcome"] = Outcome(values["outcome"]) if values["outcome"] else None
    return StoredTransaction(**values, attempts=tuple(signed))


def record_inclusion(
    tx: sa.Connection, transaction_id: int, inclusion: Inclusion, *, is_final: bool
) -> None:
    """Write where the chain has a transaction."""
    state = TransactionState.FINAL if is_final else TransactionState.INCLUDED
    _update(
        tx,
        transaction_id,
        state=state,
        hash=inclusion.hash,
        outcome=inclusion.outcome,
        block_number=inclusion.block_number,
        block_hash=inclusion.block_hash,
        gas_used=inclusion.gas_used,
        gas_price_wei=inclusion.gas_price_wei,
    )


def record_foreign_winner(tx: sa.Connection, transaction_id: int) -> None:
    """Write that somebody else's transaction has the nonce, for ever."""
    _forget(tx, transaction_id, state=TransactionState.FINAL, outcome=Outcome.FOREIGN)


def forget_inclusion(tx: sa.Connection, transaction_id: int) -> None:
    """Take back what was recorded: the block it named is no more, and its bytes may be lost."""
    _forget(tx, transaction_id, state=TransactionState.STORED, outcome=None)
    is_of_it = attempts.c.transaction_id == transaction_id
    tx.execute(sa.update(attempts).where(is_of_it).values(sent_at=None))


def _forget(
    tx: sa.Connection, transaction_id: int, *, state: TransactionState, outcome: Outcome | None
) -> None:
    _update(
        tx,
        transaction_id,
        state=state,
        outcome=outcome,
        block_number=None,
        block_hash=None,
        gas_used=None,
        gas_price_wei=None,
    )


def _update(tx: sa.Connection, transaction_id: int, **values: object) -> None:
    tx.execute(sa.update(transactions).where(transactions.c.id == transaction_id).values(values))


def read_checkpoint(tx: sa.Connection, chain: int) -> tuple[int, Hash32] | None:
    """Return number and hash of the newest block that was ever seen final."""
    row = tx.execute(sa.select(checkpoints).where(checkpoints.c.chain == chain)).one_or_none()
    return (row.number, Hash32(row.hash)) if row else None


def write_checkpoint(tx: sa.Connection, chain: int, number: int, block_hash: Hash32) -> None:
    """Keep number and hash of a final block, in place of the one before."""
    tx.execute(
        sa.text(
            "INSERT INTO checkpoints (chain, number, hash) VALUES (:chain, :number, :hash) "
            "ON CONFLICT (chain) DO UPDATE SET number = excluded.number, hash = excluded.hash"
        ),
        {"chain": chain, "number": number, "hash": block_hash},
    )
