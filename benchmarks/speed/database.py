"""A database with one registered issuer and no chain."""

from pathlib import Path

from ledger.chain import store as chain_store
from ledger.chain.store import Purpose
from ledger.database import Database, migrate
from ledger.issuers import store as issuer_store
from ledger.issuers.store import Profile
from ledger.primitives import Address, Hash32

ISSUER = 1


def open_database(folder: Path) -> Database:
    """Return a new database in `folder`."""
    database = Database(f"sqlite:///{folder / 'ledger.db'}")
    migrate(database)
    with database.write() as tx:
        row = chain_store.add_transaction(
            tx,
            purpose=Purpose.REGISTER,
            sender=Address(bytes(20)),
            nonce=0,
            transaction_hash=Hash32(bytes(32)),
            raw=b"",
            now=1,
        )
        issuer_store.add_registration(tx, Profile("did:example:b", "B"), transaction_id=row)
        pending = issuer_store.find_registration(tx)
        if pending is not None:
            issuer_store.complete_registration(tx, pending, ISSUER)
    return database
