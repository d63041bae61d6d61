"""One database of one installation: SQLite in a file, or PostgreSQL.

A transaction either reads (`read`) or writes (`write`). On SQLite a writer takes
the write lock when it begins, not when it first writes: a transaction that read
something and then writes can therefore never find that it must start over.

Every store hangs its tables on `metadata`; `migrate` brings a database to them.
Times are whole Unix seconds, hashes and addresses are bytes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa

from ledger.errors import ConflictError, NotFoundError

metadata: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

Connection = sa.Connection
"""One running transaction; named here for those who pass it on and write no SQL."""

Id: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A number the database gives out. SQLite counts only in columns of type INTEGER."""

BUSY_TIMEOUT_SECONDS: Final = 30
"""How long a SQLite writer waits for another to finish."""


class Database:
    """A pool of connections to one database."""

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url)
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Run a transaction that changes nothing."""
        with self.engine.connect() as tx, tx.begin():
            yield tx

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Run a transaction that is committed when the block ends, rolled back if it raises."""
        with self.engine.connect().execution_options(ledger_writes=True) as tx, tx.begin():
            yield tx

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
    # The driver must not begin transactions on its own: `_begin_sqlite` does.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    # With WAL, NORMAL may lose the last commits when power fails; a signed transaction
    # must be on disk before it is sent, so every commit is synced.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("ledger_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def migrate(database: Database) -> None:
    """Bring the tables to this release, or do nothing when they are there already."""
    from alembic import command

    with database.write() as tx:
        command.upgrade(_alembic(tx), "head")


def check_migrated(database: Database) -> None:
    """Return when the tables are those of this release.

    Raises:
        NotFoundError: the database is empty.
        ConflictError: it was made by another release.

    """
    from alembic.script import ScriptDirectory

    with database.read() as tx:
        if not sa.inspect(tx).has_table("alembic_version"):
            raise NotFoundError("no-database", "the database is empty: run `ledger init`")
        found = tx.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
        expected = ScriptDirectory.from_config(_alembic(tx)).get_current_head()
    if found != expected:
        raise ConflictError(
            "other-schema",
            f"the database is at version {found}, this release needs {expected}: "
            "run `ledger init` again, it brings the tables up and keeps what is in them",
        )


def _alembic(tx: sa.Connection) -> Any:  # noqa: ANN401 - alembic is imported where it is used
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "ledger:migrations")
    config.attributes["connection"] = tx
    return config
