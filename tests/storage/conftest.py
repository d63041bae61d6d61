"""A real database of each kind, with the tables of this release and one registered issuer."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.config import Settings
from ledger.database import Database
from ledger.primitives import Address
from ledger.verification.policy import parse_policy
from ledger.web.limits import RateLimiter
from ledger.web.service import Service
from tests.seeding import register_issuer

ISSUER = 3


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    register_issuer(database, ISSUER)
    yield database
    database.close()


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that are sent while the block runs."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(database.engine, "before_cursor_execute", note)


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Service:
    """What the routes of a service without keys and chain work with."""
    url = str(database.engine.url)
    return Service(
        settings=Settings(tmp_path, 1, ("http://127.0.0.1:1",), Address(bytes(20)), url),
        database=database,
        policy=lambda: parse_policy(""),
        now=lambda: 10,
        rates=RateLimiter(per_second=1, burst=100),
    )
