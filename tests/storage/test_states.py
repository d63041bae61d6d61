"""What is kept of a batch's state, on both databases."""

import pytest
import sqlalchemy as sa

from ledger.batches import store as batch_store
from ledger.batches.states import store
from ledger.batches.states.store import KeptState
from ledger.batches.status import BatchStatus
from ledger.chain.store import TransactionState, transactions
from ledger.database import Database
from ledger.primitives import Hash32, keccak256

from .conftest import ISSUER

NODES = {keccak256(node): node for node in (b"one", b"two", b"three")}
STATE = KeptState(block_number=10, header=b"header", accreditors=[2, 2**60])
TRANSACTION = 1
"""The row that the database begins with; it stands for whatever transaction is meant."""


@pytest.fixture
def batch(database: Database) -> int:
    """A final batch, anchored in block 7."""
    with database.write() as tx:
        number = batch_store.add_batch(tx, ISSUER, now=1)
        batch_store.set_root(tx, number, Hash32(bytes(range(32))), 3)
        tx.execute(sa.update(batch_store.batches).values(status=BatchStatus.FINAL))
    include(database, 7)
    return number


def include(database: Database, block: int | None, *, final: bool = True) -> None:
    state = TransactionState.FINAL if final else TransactionState.STORED
    with database.write() as tx:
        tx.execute(sa.update(transactions).values(state=state, block_number=block))


def missing(database: Database) -> list[int]:
    with database.read() as tx:
        return store.list_batches_without(tx, limit=9)


def keep(database: Database, batch: int, state: KeptState = STATE) -> None:
    with database.write() as tx:
        store.put_state(tx, batch, state, NODES)


def test_what_is_kept_is_found_again(database: Database, batch: int) -> None:
    assert missing(database) == [batch]
    keep(database, batch)
    assert missing(database) == []
    with database.read() as tx:
        assert store.find_state(tx, batch) == STATE
        assert store.find_state(tx, batch + 1) is None
        for name, node in NODES.items():
            assert store.find_node(tx, batch, name) == node
        assert store.find_node(tx, batch, keccak256(b"four")) is None
        assert store.find_node(tx, batch + 1, keccak256(b"one")) is None


def test_a_newer_state_takes_the_place_of_the_older(database: Database, batch: int) -> None:
    keep(database, batch)
    later = KeptState(block_number=20, header=b"later", accreditors=[])
    with database.write() as tx:
        store.put_state(tx, batch, later, {keccak256(b"four"): b"four"})
    with database.read() as tx:
        assert store.find_state(tx, batch) == later
        assert store.find_node(tx, batch, keccak256(b"one")) is None
        assert store.find_node(tx, batch, keccak256(b"four")) == b"four"


@pytest.mark.parametrize(
    ("block", "final", "is_outdated", "is_missing"),
    [
        (None, False, True, False),  # sent, and in no block yet
        (11, False, True, False),  # in a block that is not final
        (11, True, True, True),
        (10, True, False, False),  # the state has it
        (None, True, False, False),  # it never came to be, and never will
    ],
)
def test_a_change_outdates_what_was_kept_before_it(
    database: Database,
    batch: int,
    block: int | None,
    final: bool,  # noqa: FBT001 - a parameter of the test
    is_outdated: bool,  # noqa: FBT001
    is_missing: bool,  # noqa: FBT001
) -> None:
    keep(database, batch)
    with database.write() as tx:
        assert not store.is_outdated(tx, batch)
        store.note_change(tx, batch, TRANSACTION)
    include(database, block, final=final)
    with database.read() as tx:
        assert store.is_outdated(tx, batch) is is_outdated
    assert missing(database) == ([batch] if is_missing else [])


def test_an_anchor_made_again_outdates_what_was_kept(database: Database, batch: int) -> None:
    keep(database, batch)
    with database.write() as tx:
        tx.execute(sa.update(batch_store.batches).values(transaction_id=TRANSACTION))
    assert missing(database) == []
    include(database, 11)
    assert missing(database) == [batch]


def test_a_batch_that_is_not_final_is_not_asked_for(database: Database, batch: int) -> None:
    with database.write() as tx:
        tx.execute(sa.update(batch_store.batches).values(status=BatchStatus.CONFIRMED))
    assert batch
    assert missing(database) == []
