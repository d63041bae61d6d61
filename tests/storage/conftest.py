"""A real database of each kind, with the tables of this release and one registered issuer."""

from collections.abc import Iterator

import pytest

from ledger.database import Database
from tests.seeding import register_issuer

ISSUER = 3


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    register_issuer(database, ISSUER)
    yield database
    database.close()
