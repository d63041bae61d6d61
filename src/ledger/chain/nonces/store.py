"""The keys that ever signed here, and the next nonce of each.

A key has a row of its own, which whoever signs must lock: one nonce is given out once.
"""

from typing import Final

import sqlalchemy as sa

from ledger.database import metadata
from ledger.errors import ConflictError
from ledger.primitives import Address, format_address

senders: Final = sa.Table(
    "senders",
    metadata,
    sa.Column("address", sa.LargeBinary(20), primary_key=True),
    sa.Column("next_nonce", sa.BigInteger, nullable=False),
    # Nonces below it that are not in `transactions` were used elsewhere, and a person knows.
    sa.Column("accepted_nonce", sa.BigInteger, nullable=False, server_default="0"),
)


def take_nonce(tx: sa.Connection, sender: Address, *, chain_nonce: int) -> int:
    """Give out the next nonce of `sender`; the caller stores what it signs in this same `tx`.

    Until `tx` ends nobody else gets a nonce of this key.

    Raises:
        ConflictError: the chain has seen more transactions of this key than this database
            ever signed: the key is shared or stolen, or the database is an old copy.

    """
    add_sender(tx, sender, nonce=chain_nonce)
    nonce = lock_sender(tx, sender)
    if chain_nonce > nonce:
        raise ConflictError(
            "nonce-ahead",
            f"the chain has {chain_nonce} transactions of {format_address(sender)}, this database "
            f"signed {nonce}: the key is shared or stolen, or the database is an old copy. "
            "Nothing was sent; `ledger resume` accepts it when you know why",
        )
    set_next_nonce(tx, sender, nonce + 1)
    return nonce


def add_sender(tx: sa.Connection, sender: Address, *, nonce: int) -> None:
    """Make a key one of ours, whose first nonce here is `nonce`; nothing when it is already."""
    # One statement on both databases, so that two first users of a key do not collide.
    tx.execute(
        sa.text(
            "INSERT INTO senders (address, next_nonce) VALUES (:address, :nonce) "
            "ON CONFLICT DO NOTHING"
        ),
        {"address": sender, "nonce": nonce},
    )


def lock_sender(tx: sa.Connection, sender: Address) -> int:
    """Keep every other signer from this key until `tx` ends, and return its next nonce."""
    nonce: int = tx.execute(
        sa.select(senders.c.next_nonce).where(senders.c.address == sender).with_for_update()
    ).scalar_one()
    return nonce


def set_next_nonce(tx: sa.Connection, sender: Address, nonce: int) -> None:
    """Write which nonce of `sender` is given out next."""
    tx.execute(sa.update(senders).where(senders.c.address == sender).values(next_nonce=nonce))


def accept_nonce(tx: sa.Connection, sender: Address, nonce: int) -> None:
    """Go on from `nonce`: what is missing below it was used elsewhere, and a person knows."""
    tx.execute(
        sa.update(senders)
        .where(senders.c.address == sender)
        .values(next_nonce=nonce, accepted_nonce=nonce)
    )


def list_accepted(tx: sa.Connection) -> dict[Address, int]:
    """Return for every key the nonce below which gaps are accepted."""
    return {Address(row.address): row.accepted_nonce for row in tx.execute(sa.select(senders))}


def list_senders(tx: sa.Connection) -> dict[Address, int]:
    """Return every key that ever signed here, with its next nonce."""
    rows = tx.execute(sa.select(senders).order_by(senders.c.address))
    return {Address(row.address): row.next_nonce for row in rows}
