"""What a database held before attempts had rows of their own is still there after it."""

import sqlalchemy as sa

from ledger.batches.store import cost_wei, get_batch, lock_batch
from ledger.chain.store import Outcome, TransactionState, get_transaction, list_unfinished
from ledger.database import Database, _alembic, check_migrated, migrate
from tests.postgres import PostgresServer

TRANSACTIONS = """
INSERT INTO transactions
    (id, purpose, sender, nonce, hash, raw, stored_at, state, succeeded,
     block_number, block_hash, gas_used, gas_price_wei)
VALUES (1, 'register', :key, 0, :h1, :raw, 5, 'final', TRUE, 7, :h1, 100, 2),
       (2, 'anchor', :key, 1, :h2, :raw, 6, 'included', FALSE, 8, :h2, 200, 3),
       (3, 'status', :key, 2, :h3, :raw, 7, 'stored', NULL, NULL, NULL, NULL, NULL)
"""
ISSUERS = "INSERT INTO issuers (id, number, did, name, transaction_id) VALUES (1, 3, 'd:x', 'X', 1)"
BATCHES = """
INSERT INTO batches (id, issuer, root, size, status, sealed_at, transaction_id)
VALUES (1, 3, :h1, 2, 'held', 9, 2), (2, 3, :h2, 2, 'sealed', 9, NULL)
"""


def older_tables(database: Database) -> None:
    from alembic import command

    parameters = {"key": bytes(20), "raw": b"signed"}
    parameters |= {f"h{n}": bytes([n]) * 32 for n in (1, 2, 3)}
    with database.write() as tx:
        command.upgrade(_alembic(tx), "0004")
        for statement in (TRANSACTIONS, ISSUERS, BATCHES):
            known = {k: v for k, v in parameters.items() if f":{k}" in statement}
            tx.execute(sa.text(statement), known)


def check_rows(database: Database) -> None:
    migrate(database)
    check_migrated(database)
    with database.read() as tx:
        assert [t.id for t in list_unfinished(tx)] == [2, 3]
        first, second, third = (get_transaction(tx, row) for row in (1, 2, 3))
        assert [t.outcome for t in (first, second, third)] == [
            Outcome.DONE,
            Outcome.REVERTED,
            None,
        ]
        assert third.state is TransactionState.STORED
        assert [(a.hash, a.raw, a.is_empty) for a in third.attempts] == [
            (third.hash, b"signed", False)
        ]
        held = get_batch(tx, 1)
        assert (held.transaction_id, held.changed_at, held.outcome) == (2, 9, Outcome.REVERTED)
        assert (cost_wei(tx, 1), cost_wei(tx, 2)) == (600, 0)
    with database.write() as tx:
        assert lock_batch(tx, 2).transaction is None


def test_sqlite(tmp_path: object) -> None:
    database = Database(f"sqlite:///{tmp_path}/ledger.db")
    older_tables(database)
    check_rows(database)
    database.close()


def test_postgresql(postgres: PostgresServer) -> None:
    with postgres.database(empty=True) as url:
        database = Database(url)
        older_tables(database)
        check_rows(database)
        database.close()
