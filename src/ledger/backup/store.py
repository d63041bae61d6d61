"""Every table of a database, row by row, out and in.

Tables and columns are those that the database has, not those that the code describes:
nothing is forgotten because a module was not imported, and the rows of an older schema
fit into tables of that schema.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa

from ledger.database import insert_rows
from ledger.errors import ConflictError

Table = sa.Table
"""A table that was found in a database; named here for those who pass it on."""

_VERSIONS: Final = "alembic_version"
"""The table that says which schema it is; migrations write it, it is never copied."""

PAGE_ROWS: Final = 500


def schema_version(tx: sa.Connection) -> str:
    """Return the newest migration that this database went through."""
    version: str = tx.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    return version


def find_tables(tx: sa.Connection) -> list[Table]:
    """Return the tables, each after those that its rows refer to."""
    found = sa.MetaData()
    found.reflect(tx)
    return [table for table in found.sorted_tables if table.name != _VERSIONS]


def column_names(table: Table) -> list[str]:
    """Return the columns in the order in which `read_rows` gives them."""
    return [column.name for column in table.columns]


def read_rows(tx: sa.Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    """Give the rows of a table by primary key; a page of them is in memory at a time."""
    query = sa.select(table).order_by(*table.primary_key)
    with tx.execute(query.execution_options(yield_per=PAGE_ROWS)) as rows:
        for row in rows:
            yield tuple(row)


def write_rows(
    tx: sa.Connection, table: Table, columns: list[str], rows: Iterable[list[Any]]
) -> int:
    """Write rows of these columns into a table and return their number."""
    left, written = iter(rows), 0
    while page := list(islice(left, PAGE_ROWS)):
        insert_rows(tx, table, columns, [tuple(row) for row in page])
        written += len(page)
    if tx.dialect.name == "postgresql" and "id" in table.c:
        # The next number given out is one above the greatest; SQLite does that on its own.
        tx.execute(
            sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(table.name, "id"), table.c.id))
            .order_by(table.c.id.desc())
            .limit(1)
        )
    return written


def check_empty(tx: sa.Connection) -> None:
    """Return when the database has no table.

    Raises:
        ConflictError: it has.

    """
    if sa.inspect(tx).get_table_names():
        raise ConflictError("not-empty", "the database has tables: restore into an empty one")
