"""A real database of each kind, with the tables of this release and one registered issuer."""

from collections.abc import Iterator

import pytest

from ledger.chain import store as chain_store
from ledger.chain.store import Purpose
from ledger.database import Database
from ledger.issuers import store as issuer_store
from ledger.issuers.store import Profile
from ledger.primitives import Address, Hash32

ISSUER = 3


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
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
