"""The tiles of the trees of sealed batches.

A tree is written once, in the database transaction that seals its batch, and read a tile
at a time. Only a batch that is sealed again gets other tiles.
"""

from typing import Final

import sqlalchemy as sa

from ledger.database import Id, metadata
from ledger.errors import NotFoundError

tiles: Final = sa.Table(
    "tiles",
    metadata,
    sa.Column("batch_id", Id, sa.ForeignKey("batches.id"), primary_key=True),
    sa.Column("level", sa.SmallInteger, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("hashes", sa.LargeBinary, nullable=False),
)


def add_tile(tx: sa.Connection, batch_id: int, level: int, number: int, hashes: bytes) -> None:
    """Store one tile of a batch's tree."""
    tx.execute(
        sa.insert(tiles).values(batch_id=batch_id, level=level, number=number, hashes=hashes)
    )


_TILE: Final = sa.select(tiles.c.hashes).where(
    tiles.c.batch_id == sa.bindparam("batch"),
    tiles.c.level == sa.bindparam("at_level"),
    tiles.c.number == sa.bindparam("at_number"),
)
"""Made once: for one row, making a statement takes longer than running it."""


def read_tile(tx: sa.Connection, batch_id: int, level: int, number: int) -> bytes:
    """Return the node hashes of one tile.

    Raises:
        NotFoundError: there is no such tile: the database is damaged.

    """
    hashes = tx.execute(
        _TILE, {"batch": batch_id, "at_level": level, "at_number": number}
    ).scalar_one_or_none()
    if hashes is None:
        raise NotFoundError(
            "no-tile", f"batch {batch_id} has no tile {level}/{number}: the database is damaged"
        )
    return bytes(hashes)


def count_tiles(tx: sa.Connection, batch_id: int) -> int:
    """Return how many tiles of a batch are stored."""
    query = sa.select(sa.func.count()).select_from(tiles).where(tiles.c.batch_id == batch_id)
    return tx.execute(query).scalar_one()


def drop_tiles(tx: sa.Connection, batch_id: int) -> None:
    """Take away the tree of a batch that is sealed again; another follows in the same `tx`."""
    tx.execute(sa.delete(tiles).where(tiles.c.batch_id == batch_id))
