"""A real database in a file, with the tables of this release and one registered issuer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.chain import store as chain_store
from ledger.chain.store import Purpose
from ledger.database import Database, migrate
from ledger.issuers import store as issuer_store
from ledger.issuers.store import Profile
from ledger.primitives import Address, Hash32

ISSUER = 3


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(database)
    with database.write() as tx:
        row = chain_store.add_transaction(
            tx,
            purpose=Purpose.REGISTER,
            sender=Address(bytes(20)),
            nonce=0,
            transaction_hash=Hash32(bytes(32)),
            raw=b"signed",
            now=1,
        )
        issuer_store.add_registration(tx, Profile("did:example:a", "A"), transaction_id=row)
        pending = issuer_store.find_registration(tx)
        assert pending is not None
        issuer_store.complete_registration(tx, pending, ISSUER)
    yield database
    database.close()
