"""What a database says, in our words: one line, a class, a stable code.

    cannot be reached, too many connections, shut down    StorageError    database-unreachable
    disk full                                             StorageError    database-full
    the file is damaged, or no database                   StorageError    database-damaged
    another writer did not finish, or a deadlock          ConflictError   database-busy
    password, user, rights                                DeniedError     database-denied
    no such database                                      NotFoundError   no-database

Nothing of a statement, a value or a password is in a message. What is none of these is
a bug of ours and passes as it is.

Source: PostgreSQL, appendix A; SQLite, "Result and Error Codes".
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa

from ledger.errors import (
    ConflictError,
    DeniedError,
    LedgerError,
    MalformedInputError,
    NotFoundError,
    StorageError,
)

DRIVERS: Final = ("sqlite", "postgresql", "postgresql+psycopg")


def parse_database_url(url: str) -> sa.URL:
    """Read the URL of a database; the message never repeats it, a password may be in it.

    Raises:
        MalformedInputError: it is no URL, or of another kind of database.

    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise _bad_url() from None
    # A database in memory would be another one for every connection.
    in_memory = parsed.drivername == "sqlite" and parsed.database in {None, "", ":memory:"}
    if parsed.drivername not in DRIVERS or in_memory:
        raise _bad_url()
    return parsed


def _bad_url() -> MalformedInputError:
    return MalformedInputError(
        "bad-database-url",
        "the database is named by sqlite:////PATH or postgresql://USER@HOST:PORT/NAME",
    )


@contextmanager
def translated() -> Iterator[None]:
    """Raise what a driver raises in this block as one of our errors.

    Raises:
        StorageError, ConflictError, DeniedError, NotFoundError: as the table above.
        MalformedInputError: the URL has an option that the driver does not know.

    """
    try:
        yield
    except sa.exc.TimeoutError:
        raise busy("every connection of this process is in use") from None
    except sa.exc.DBAPIError as error:
        ours = _explain(error.orig)
        if ours is None:
            raise
        raise ours from None


def busy(reason: str) -> LedgerError:
    """Return the error that somebody else is writing."""
    return ConflictError(
        "database-busy", f"the database is busy: {reason}. Nothing was written; try again"
    )


def _full(reason: str) -> LedgerError:
    return StorageError(
        "database-full", f"the database has no room: {reason}. Nothing was written; make room"
    )


def _damaged(reason: str) -> LedgerError:
    return StorageError("database-damaged", f"the database is damaged: {reason}; restore a backup")


def _denied(reason: str) -> LedgerError:
    return DeniedError("database-denied", f"the database refused: {reason}")


def _unreachable(reason: str) -> LedgerError:
    return StorageError("database-unreachable", f"the database cannot be reached: {reason}")


def _missing(reason: str) -> LedgerError:
    return NotFoundError("no-database", f"{reason}: make it, empty, then run `ledger init`")


_SQLITE: Final[dict[int, Callable[[str], LedgerError]]] = {
    sqlite3.SQLITE_BUSY: busy,
    sqlite3.SQLITE_LOCKED: busy,
    sqlite3.SQLITE_FULL: _full,
    sqlite3.SQLITE_CORRUPT: _damaged,
    sqlite3.SQLITE_NOTADB: _damaged,
    sqlite3.SQLITE_READONLY: _denied,
    sqlite3.SQLITE_PERM: _denied,
    sqlite3.SQLITE_AUTH: _denied,
    sqlite3.SQLITE_CANTOPEN: _unreachable,
    sqlite3.SQLITE_IOERR: _unreachable,
    sqlite3.SQLITE_NOMEM: _unreachable,
}
"""By the low byte of the result code; what is above it says more than we need."""

_POSTGRESQL: Final[dict[str, Callable[[str], LedgerError]]] = {
    "55P03": busy,  # lock_timeout
    "57014": busy,  # statement_timeout
    "40P01": busy,  # deadlock
    "53100": _full,
    "42501": _denied,
    "08": _unreachable,
    "53": _unreachable,  # too many connections, out of memory
    "57": _unreachable,  # shut down
    "XX": _damaged,
}
"""By SQLSTATE, else by its class."""


def _explain(error: BaseException | None) -> LedgerError | None:
    if isinstance(error, sqlite3.Error):
        make = _SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        return make(str(error)) if make else None
    state = getattr(error, "sqlstate", None)
    if state is None:
        return _explain_connecting(error)
    make = _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])
    # The further lines name values.
    return make(str(error).partition("\n")[0]) if make else None


def _explain_connecting(error: BaseException | None) -> LedgerError | None:
    """Explain what has no SQLSTATE: libpq gives none before it is connected, only words."""
    kind, words = type(error).__name__, " ".join(str(error).split())
    if kind == "ProgrammingError" and "connection option" in words:
        return _bad_url()
    if kind not in {"OperationalError", "ConnectionTimeout"}:
        return None
    reason = words.rpartition("FATAL: ")[2].strip()
    if any(word in words for word in ("password", "authentication", "pg_hba.conf")):
        return _denied(reason)
    if reason.endswith("does not exist"):
        return _missing(reason) if reason.startswith("database ") else _denied(reason)
    return _unreachable(reason)
