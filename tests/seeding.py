"""An issuer in a database that knows no chain, for tests and benchmarks."""

from ledger.chain import store as chain_store
from ledger.chain.store import Purpose
from ledger.database import Database
from ledger.issuers import store as issuer_store
from ledger.issuers.store import Profile
from ledger.primitives import Address, Hash32

DID = "did:example:a"


def register_issuer(database: Database, number: int) -> None:
    """Add an issuer that is registered under this number, in a migrated database."""
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
        issuer_store.add_registration(tx, Profile(DID, "A"), transaction_id=row)
        pending = issuer_store.find_registration(tx)
        assert pending is not None
        issuer_store.complete_registration(tx, pending, number)
