"""The transactions of this installation: every one that was ever signed.

A row is written before its bytes leave the process, and its bytes are the only
ones that are ever sent for its nonce. A key's next nonce stands in its own row,
which whoever signs must lock: one nonce is given out once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from ledger.database import Id, metadata
from ledger.errors import ConflictError
from ledger.primitives import Address, Hash32, format_address


class TransactionState(StrEnum):
    """How far a signed transaction has come."""

    STORED = "stored"
    """Signed and stored; it was, or will be, broadcast."""
    INCLUDED = "included"
    """In a block that may still be reorganised away."""
    FINAL = "final"
    """In a block at or below the finalized one."""


class Purpose(StrEnum):
    """What a transaction is for."""

    DEPLOY = "deploy"
    REGISTER = "register"
    OPERATOR = "operator"
    ANCHOR = "anchor"
    STATUS = "status"


senders: Final = sa.Table(
    "senders",
    metadata,
    sa.Column("address", sa.LargeBinary(20), primary_key=True),
    sa.Column("next_nonce", sa.BigInteger, nullable=False),
)

transactions: Final = sa.Table(
    "transactions",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("sender", sa.LargeBinary(20), nullable=False),
    sa.Column("nonce", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    sa.Column("stored_at", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("succeeded", sa.Boolean),
    sa.Column("block_number", sa.BigInteger),
    sa.Column("block_hash", sa.LargeBinary(32)),
    sa.Column("gas_used", sa.BigInteger),
    sa.Column("gas_price_wei", sa.BigInteger),
    sa.UniqueConstraint("sender", "nonce"),
    sa.Index(None, "state"),
)


@dataclass(frozen=True, slots=True)
class StoredTransaction:
    """A signed transaction and what the chain says of it."""

    id: int
    purpose: Purpose
    sender: Address
    nonce: int
    hash: Hash32
    raw: bytes
    stored_at: int
    state: TransactionState
    succeeded: bool | None
    """None until it is in a block."""
    block_number: int | None
    block_hash: Hash32 | None
    gas_used: int | None
    gas_price_wei: int | None


def take_nonce(tx: sa.Connection, sender: Address, *, chain_nonce: int) -> int:
    """Give out the next nonce of `sender`; the caller stores what it signs in this same `tx`.

    Raises:
        ConflictError: the chain has seen more transactions of this key than this database
            ever signed: the key is shared or stolen, or the database is an old copy.

    """
    # One statement on both databases, so that two first users of a key do not collide.
    tx.execute(
        sa.text(
            "INSERT INTO senders (address, next_nonce) VALUES (:address, :nonce) "
            "ON CONFLICT DO NOTHING"
        ),
        {"address": sender, "nonce": chain_nonce},
    )
    nonce: int = tx.execute(
        sa.select(senders.c.next_nonce).where(senders.c.address == sender).with_for_update()
    ).scalar_one()
    if chain_nonce > nonce:
        raise ConflictError(
            "nonce-ahead",
            f"the chain has {chain_nonce} transactions of {format_address(sender)}, this database "
            f"signed {nonce}: the key is shared or stolen, or the database is an old copy. "
            "Nothing was sent",
        )
    tx.execute(sa.update(senders).where(senders.c.address == sender).values(next_nonce=nonce + 1))
    return nonce


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
            raw=raw,
            stored_at=now,
            state=TransactionState.STORED,
        )
        .returning(transactions.c.id)
    ).scalar_one()
    return row


def _transaction(row: sa.RowMapping) -> StoredTransaction:
    values = dict(row)
    values["purpose"] = Purpose(values["purpose"])
    values["state"] = TransactionState(values["state"])
    return StoredTransaction(**values)


def get_transaction(tx: sa.Connection, transaction_id: int) -> StoredTransaction:
    """Return the transaction of this row."""
    query = sa.select(transactions).where(transactions.c.id == transaction_id)
    return _transaction(tx.execute(query).mappings().one())


def list_unfinished(
    tx: sa.Connection, purposes: Iterable[Purpose] = tuple(Purpose)
) -> list[StoredTransaction]:
    """Return the transactions of these purposes that are not final, by sender and nonce."""
    rows = tx.execute(
        sa.select(transactions)
        .where(
            transactions.c.state != TransactionState.FINAL,
            transactions.c.purpose.in_(list(purposes)),
        )
        .order_by(transactions.c.sender, transactions.c.nonce)
    )
    return [_transaction(row) for row in rows.mappings()]


def record_receipt(  # noqa: PLR0913 - a receipt's fields
    tx: sa.Connection,
    transaction_id: int,
    *,
    state: TransactionState,
    succeeded: bool,
    block_number: int,
    block_hash: Hash32,
    gas_used: int,
    gas_price_wei: int,
) -> None:
    """Write where the chain has a transaction."""
    tx.execute(
        sa.update(transactions)
        .where(transactions.c.id == transaction_id)
        .values(
            state=state,
            succeeded=succeeded,
            block_number=block_number,
            block_hash=block_hash,
            gas_used=gas_used,
            gas_price_wei=gas_price_wei,
        )
    )


def forget_receipt(tx: sa.Connection, transaction_id: int) -> None:
    """Take back what `record_receipt` wrote: the block it named is no more."""
    tx.execute(
        sa.update(transactions)
        .where(transactions.c.id == transaction_id)
        .values(
            state=TransactionState.STORED,
            succeeded=None,
            block_number=None,
            block_hash=None,
            gas_used=None,
            gas_price_wei=None,
        )
    )
