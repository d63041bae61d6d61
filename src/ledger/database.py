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

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, Final

import sqlalchemy as sa

from ledger.database_errors import busy, parse_database_url, translated
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

CACHE_KIB: Final = 65_536
"""What a SQLite connection may keep of its file in memory."""

WAL_PAGES: Final = 16_384
"""What SQLite lets its log grow to, 64 MiB, before it writes the pages where they belong. Random
digests change the same pages of the index again and again; in between each is written once."""

COPIED_ROWS: Final = 10
"""From so many on COPY is faster than INSERT: it asks PostgreSQL twice before the first row."""

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
        self._writing = threading.Lock()
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
            self._queue(),
            translated(),
            self.engine.connect().execution_options(ledger_writes=True) as tx,
            tx.begin(),
        ):
            yield tx

    @contextmanager
    def _queue(self) -> Iterator[None]:
        """Let this process's writers wait in a queue.

        SQLite lets one writer in, and the others sleep and try again, ever longer: eight threads
        that write at once leave each other waiting for a third of a second.
        """
        if self.is_postgresql:
            yield
            return
        if not self._writing.acquire(timeout=BUSY_TIMEOUT_SECONDS):
            raise busy("another writer did not finish")
        try:
            yield
        finally:
            self._writing.release()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def take_turn(tx: sa.Connection, turn: Turn, number: int = 0) -> None:
    """Wait until no other transaction has this turn for `number`; have it until `tx` ends.

    On SQLite a writer is alone anyway.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock((turn << 48) + number)))


def insert_rows(
    tx: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows that are known to be new: the fastest way that the database has.

    On PostgreSQL that is COPY: a tenth of this process's work for a row, half of the time.
    """
    if not rows:
        return
    # COPY does not write JSON as SQLAlchemy reads it.
    has_json = any(isinstance(table.c[column].type, sa.JSON) for column in columns)
    if has_json or (tx.dialect.name == "postgresql" and len(rows) < COPIED_ROWS):
        tx.execute(sa.insert(table), [dict(zip(columns, row, strict=True)) for row in rows])
        return
    names = ", ".join(tx.dialect.identifier_preparer.quote(column) for column in columns)
    quoted = tx.dialect.identifier_preparer.format_table(table)
    if tx.dialect.name != "postgresql":
        # The driver takes these values as they are.
        places = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {quoted} ({names}) VALUES ({places})"  # noqa: S608 - our names
        tx.exec_driver_sql(statement, list(rows))
        return
    cursor: Any = tx.connection.cursor()
    types = [table.c[column].type.compile(tx.dialect).lower() for column in columns]
    driver: Any = tx.dialect.dbapi
    try:
        with cursor.copy(f"COPY {quoted} ({names}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
    except driver.Error as error:
        # What every other statement of ours raises, without the values.
        raise sa.exc.DBAPIError.instance("COPY", None, error, driver.Error, True) from None


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
    # A hundred thousand credentials touch their indexes at random places: within the default
    # of 2 MiB each would cost more than one of the first thousand.
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("ledger_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def migrate(database: Database) -> None:
    """Bring the tables to this release, or do nothing when they are there already."""
    with database.write() as tx:
        upgrade(tx)


def upgrade(tx: sa.Connection, version: str = "head") -> None:
    """Bring the tables to one of `schema_versions`, by default the newest, in this `tx`."""
    from alembic import command

    take_turn(tx, Turn.MIGRATING)
    command.upgrade(_alembic(tx), version)


def schema_versions() -> list[str]:
    """Return every version of the tables that this release can make, newest first."""
    from alembic.script import ScriptDirectory

    return [s.revision for s in ScriptDirectory.from_config(_alembic()).walk_revisions()]


def check_migrated(database: Database) -> None:
    """Return when the tables are those of this release.

    Raises:
        NotFoundError: the database is empty.
        ConflictError: it was made by another release.

    """
    with database.read() as tx:
        if not sa.inspect(tx).has_table("alembic_version"):
            raise NotFoundError("no-database", "the database is empty: run `ledger init`")
        found = tx.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    expected = schema_versions()[0]
    if found != expected:
        raise ConflictError(
            "other-schema",
            f"the database is at version {found}, this release needs {expected}: "
            "run `ledger init` again, it brings the tables up and keeps what is in them",
        )


def _alembic(tx: sa.Connection | None = None) -> Any:  # noqa: ANN401 - alembic is imported where it is used
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "ledger:migrations")
    config.attributes["connection"] = tx
    return config


def find_damage(tx: sa.Connection) -> Iterator[str]:
    """Give what the database itself finds wrong in its file.

    Only SQLite has such a check: indexes against tables, references, unreadable pages.
    PostgreSQL has `amcheck`, for its administrators.
    """
    if tx.dialect.name == "sqlite":
        for (line,) in tx.exec_driver_sql("PRAGMA integrity_check(100)"):
            if line != "ok":
                yield line
        for table, row, parent, _ in tx.exec_driver_sql("PRAGMA foreign_key_check"):
            yield f"row {row} of {table} refers to a row of {parent} that is not there"
