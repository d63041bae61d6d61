"""One database of one installation: SQLite in a file, or PostgreSQL.

A transaction either reads (`read`) or writes (`write`).

              SQLite                             PostgreSQL
    read      sees one moment                    the same: REPEATABLE READ, READ ONLY
    write     alone: BEGIN IMMEDIATE             beside others: READ COMMITTED

So on SQLite whatever a writer read is still so when it writes. On PostgreSQL it is so
only for rows that it locked (`with_for_update`), or for what it took a turn at
(`take_turn`), or when the UPDATE names what it expects. No transaction has to be run
again: none uses a level at which PostgreSQL would refuse it for what others did.

Every store hangs its tables on `metadata`; `migrate` brings a database to them.
Times are whole Unix seconds, hashes and addresses are bytes. What a driver raises
leaves here as one of our errors, without statement, values, password or address
(`ledger.database_errors`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, Final

import sqlalchemy as sa

from ledger.database_errors import parse_database_url, translated
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
"""How long a writer waits for another to finish."""

CONNECT_TIMEOUT_SECONDS: Final = 10

STATEMENT_TIMEOUT_SECONDS: Final = 300
"""No statement of ours comes near it: what is long is done page by page."""


class Turn(IntEnum):
    """Work that two writers must not do side by side, although they share no row."""

    MIGRATING = 1
    ACCEPTING = 2
    """Looking which credentials an issuer has, and adding those it has not."""
    SEALING = 3
    """Placing what waits for an issuer in a batch."""
    ANSWERING = 4
    """Looking whether a request was answered before, and answering it."""


class Database:
    """A pool of connections to one database."""

    def __init__(self, url: str) -> None:
        """Open nothing yet.

        Raises:
            MalformedInputError: `url` names no database that we know how to use.

        """
        parsed = parse_database_url(url)
        self.is_postgresql: Final = parsed.get_backend_name() == "postgresql"
        # Parameters are what people are given: they must not be in a traceback.
        if self.is_postgresql:
            parsed = parsed.update_query_dict(
                {"connect_timeout": str(CONNECT_TIMEOUT_SECONDS)} | dict(parsed.query)
            )
            self.engine = sa.create_engine(parsed, hide_parameters=True, pool_pre_ping=True)
            sa.event.listen(self.engine, "connect", _prepare_postgresql)
            self._reading = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        else:
            self.engine = sa.create_engine(parsed, hide_parameters=True)
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
            self._reading = {}

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Run a transaction that changes nothing and sees one moment of the database.

        Raises:
            StorageError, ConflictError, DeniedError, NotFoundError: as `translated`.

        """
        with (
            translated(),
            self.engine.connect().execution_options(**self._reading) as tx,
            tx.begin(),
        ):
            yield tx

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Run a transaction that is committed when the block ends, rolled back if it raises.

        Raises:
            StorageError, ConflictError, DeniedError, NotFoundError: as `translated`.

        """
        with (
            translated(),
            self.engine.connect().execution_options(ledger_writes=True) as tx,
            tx.begin(),
        ):
            yield tx

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def take_turn(tx: sa.Connection, turn: Turn, number: int = 0) -> None:
    """Wait until no other transaction has this turn for `number`; have it until `tx` ends.

    On SQLite a writer is alone anyway.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock((turn << 48) + number)))


def _prepare_postgresql(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
    connection.autocommit = True
    connection.execute(
        f"SET lock_timeout = '{BUSY_TIMEOUT_SECONDS}s';"
        f"SET statement_timeout = '{STATEMENT_TIMEOUT_SECONDS}s'"
    )
    connection.autocommit = False


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
        take_turn(tx, Turn.MIGRATING)
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
