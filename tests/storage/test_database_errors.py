"""What goes wrong with a database is one line of ours, and never shows a secret."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.database import Database, check_migrated, migrate
from ledger.errors import (
    ConflictError,
    DeniedError,
    LedgerError,
    MalformedInputError,
    NotFoundError,
    StorageError,
)
from tests.postgres import PASSWORD_ROLE, PostgresServer

SECRET = "hunter2"


def failure(url: str, work: Callable[[Database], object] = check_migrated) -> LedgerError:
    database = Database(url)
    try:
        with pytest.raises(LedgerError) as raised:
            work(database)
    finally:
        database.close()
    assert "\n" not in raised.value.message
    assert SECRET not in raised.value.message
    assert "SELECT" not in raised.value.message
    assert raised.value.__cause__ is None
    return raised.value


def changed(url: str, **parts: str) -> str:
    return sa.make_url(url).set(**parts).render_as_string(hide_password=False)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        "ledger.db",
        "mysql://u:hunter2@host/db",
        "postgres://u:hunter2@host/db",
        "postgresql+asyncpg://u:hunter2@host/db",
        "postgresql://u:hunter2@host:port/db",
        "sqlite://",
        "sqlite:///:memory:",
        "",
    ],
)
def test_a_url_of_no_database_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(MalformedInputError) as raised:
        Database(url)
    assert raised.value.code == "bad-database-url"
    assert SECRET not in raised.value.message


def test_an_option_that_the_driver_does_not_know_is_refused() -> None:
    error = failure(f"postgresql://u:{SECRET}@127.0.0.1:1/x?colour={SECRET}")
    assert (type(error), error.code) == (MalformedInputError, "bad-database-url")


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        error = failure(f"postgresql://u:{SECRET}@127.0.0.1:{port}/x")
    assert (type(error), error.code, error.exit_code) == (StorageError, "database-unreachable", 3)


def test_a_wrong_password_is_denied(postgres: PostgresServer) -> None:
    error = failure(changed(postgres.url, username=PASSWORD_ROLE, password=SECRET))
    assert (type(error), error.code, error.exit_code) == (DeniedError, "database-denied", 6)
    assert "password" in error.message


def test_a_user_that_the_server_does_not_know_is_denied(postgres: PostgresServer) -> None:
    error = failure(changed(postgres.url, username="nobody_here", password=SECRET))
    assert (type(error), error.code) == (DeniedError, "database-denied")


def test_a_password_comes_from_the_password_file(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"*:*:*:{PASSWORD_ROLE}:{PASSWORD_ROLE}\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    url = sa.make_url(postgres.url)._replace(username=PASSWORD_ROLE, password=None)
    database = Database(url.render_as_string())
    with database.read() as tx:
        assert tx.execute(sa.select(sa.literal(1))).scalar_one() == 1
    database.close()


def test_a_database_that_is_not_there_says_to_make_it(postgres: PostgresServer) -> None:
    error = failure(changed(postgres.url, database="no_such_database"))
    assert (type(error), error.code, error.exit_code) == (NotFoundError, "no-database", 4)
    assert "no_such_database" in error.message


def test_a_user_without_rights_is_denied(postgres: PostgresServer) -> None:
    with postgres.database(empty=True) as url:
        mine = changed(url, username=PASSWORD_ROLE, password=PASSWORD_ROLE)
        error = failure(mine, migrate)
    assert (type(error), error.code) == (DeniedError, "database-denied")


def test_a_folder_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    error = failure(f"sqlite:///{tmp_path}/nowhere/ledger.db")
    assert (type(error), error.code) == (StorageError, "database-unreachable")


def test_a_file_that_is_no_database_is_damaged(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    file.write_bytes(b"not a database" * 1000)
    error = failure(f"sqlite:///{file}")
    assert (type(error), error.code) == (StorageError, "database-damaged")


def test_a_full_sqlite_says_so_and_wrote_nothing(tmp_path: Path) -> None:
    def fill(database: Database) -> None:
        with database.write() as tx:
            pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
            tx.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            tx.exec_driver_sql("CREATE TABLE filler (bytes BLOB)")
            tx.exec_driver_sql("INSERT INTO filler VALUES (zeroblob(100000))")

    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    database = Database(url)
    migrate(database)
    database.close()
    error = failure(url, fill)
    assert (type(error), error.code) == (StorageError, "database-full")


@pytest.mark.parametrize("timeout", ["lock_timeout", "statement_timeout"])
def test_a_lock_that_is_not_given_in_time_is_busy(postgres: PostgresServer, timeout: str) -> None:
    def wait(database: Database) -> None:
        with database.write() as holder, database.write() as waiter:
            holder.exec_driver_sql("SELECT pg_advisory_xact_lock(1)")
            waiter.exec_driver_sql(f"SET LOCAL {timeout} = '10ms'")
            waiter.exec_driver_sql("SELECT pg_advisory_xact_lock(1)")

    error = failure(postgres.url, wait)
    assert (type(error), error.code, error.exit_code) == (ConflictError, "database-busy", 5)


def test_two_sqlite_writers_do_not_write_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.database.BUSY_TIMEOUT_SECONDS", 0.01)

    def wait(database: Database) -> None:
        with database.write(), database.write():
            raise AssertionError("both are writing")

    file = tmp_path / "ledger.db"
    error = failure(f"sqlite:///{file}", wait)
    assert (type(error), error.code) == (ConflictError, "database-busy")


def test_a_server_that_restarts_is_used_again(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        database = Database(url)
        check_migrated(database)
        end_sessions = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

        def be_cut_off() -> None:
            with database.write() as tx:
                postgres.execute(url, end_sessions)
                tx.execute(sa.select(sa.literal(1)))

        with pytest.raises(StorageError) as raised:
            be_cut_off()
        assert raised.value.code == "database-unreachable"
        check_migrated(database)
        database.close()


def test_a_reading_transaction_cannot_write_on_postgresql(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        database = Database(url)
        with pytest.raises(sa.exc.InternalError), database.read() as tx:
            tx.exec_driver_sql("DELETE FROM senders")
        database.close()
