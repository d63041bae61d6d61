"""What is done at every round, and by a person who resumes, does not load all that ever was."""

from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from ledger.batches import anchoring, store
from ledger.batches.states import keeping
from ledger.batches.states import store as state_store
from ledger.batches.states.keeping import StateSource, keep_states
from ledger.batches.status import BatchStatus
from ledger.chain import settlement
from ledger.chain import store as chain_store
from ledger.chain.artifact import registry_address
from ledger.chain.outbox import Outbox
from ledger.chain.store import Inclusion, Outcome, Purpose
from ledger.database import Database
from ledger.errors import ChainError
from ledger.primitives import Address, Hash32, sha256
from tests.simulated_chain import CHAIN, SimulatedChain

from .conftest import ISSUER, counted

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

COUNT, PAGE = 25, 4
KEY = Address(b"k" * 20)


def add_final_batches(database: Database, count: int) -> None:
    with database.write() as tx:
        for number in range(count):
            row = store.add_batch(tx, ISSUER, now=1)
            store.set_root(tx, row, sha256(b"root %d" % number), 3)
        tx.execute(sa.update(store.batches).values(status=BatchStatus.FINAL, delivered_at=2))


def add_final_transactions(database: Database, chain: SimulatedChain, lost: int) -> None:
    """Store one a block of the chain, of which the newest `lost` name blocks it does not have."""
    chain.mine(COUNT)
    with database.write() as tx:
        for nonce, block in enumerate(chain.blocks[:COUNT]):
            row = chain_store.add_transaction(
                tx,
                purpose=Purpose.ANCHOR,
                sender=KEY,
                nonce=nonce,
                transaction_hash=sha256(b"hash %d" % nonce),
                raw=b"signed %d" % nonce,
                now=1,
            )
            is_there = nonce < COUNT - lost
            block_hash = block.hash if is_there else Hash32(bytes(32))
            found = Inclusion(
                sha256(b"hash %d" % nonce), Outcome.DONE, block.number, block_hash, 1, 1
            )
            chain_store.record_inclusion(tx, row, found, is_final=True)


class Watched(SimulatedChain):
    """Counts what it is asked at once."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def batch(self, calls: Sequence[Any]) -> list[Any]:
        self.asked.append(len(calls))
        return super().batch(calls)


@pytest.mark.parametrize(("lost", "pages"), [(0, 1), (1, 1), (PAGE, 2), (COUNT, 8)])
def test_resuming_looks_at_the_newest_transactions_until_one_is_still_there(
    database: Database, lost: int, pages: int
) -> None:
    chain = Watched()
    add_final_transactions(database, chain, lost)
    outbox = Outbox(database, chain, (chain,), CHAIN)
    newest = chain_store.list_newest_final
    with (
        patch.object(settlement, "PAGE_TRANSACTIONS", PAGE),
        patch.object(chain_store, "list_newest_final", wraps=newest) as looks,
    ):
        chain.asked.clear()
        outbox.accept_chain()
    assert looks.call_count == pages
    assert max(chain.asked) <= PAGE + 1
    with database.read() as tx:
        forgotten = [t.nonce for t in chain_store.list_unfinished(tx) if t.sender == KEY]
    assert forgotten == list(range(COUNT - lost, COUNT))


def test_resuming_reviews_final_batches_page_by_page(database: Database) -> None:
    chain = Watched()
    add_final_batches(database, COUNT)
    outbox = Outbox(database, chain, (chain,), CHAIN)
    with patch.object(store, "PAGE_BATCHES", PAGE):
        moves = anchoring.review_final(outbox, registry_address())
    assert len(moves) == COUNT  # the chain has none of them
    assert max(chain.asked) <= PAGE


def no_answer(code: str) -> Callable[..., Any]:
    def fail(*_arguments: object) -> Any:
        raise ChainError(code, "not now")

    return fail


@pytest.mark.parametrize(("code", "tried"), [("rpc-unreachable", 1), ("not-final-there", COUNT)])
def test_states_are_kept_page_by_page_and_a_dead_chain_is_asked_once(
    database: Database, code: str, tried: int
) -> None:
    add_final_batches(database, COUNT)
    chain = SimulatedChain()
    source = StateSource(chain, CHAIN, registry_address(), "finalized", lambda _issuer: ())
    loaded = state_store.list_batches_without
    sizes: list[int] = []

    def watched(tx: sa.Connection, **named: int) -> list[int]:
        found = loaded(tx, after=named["after"], limit=named["limit"])
        sizes.append(len(found))
        return found

    with (
        patch.object(keeping, "PAGE_BATCHES", PAGE),
        patch.object(state_store, "list_batches_without", watched),
        patch.object(keeping, "_fetch", side_effect=no_answer(code)) as fetches,
    ):
        assert keep_states(database, source) == []
    assert fetches.call_count == tried
    assert max(sizes) == PAGE


def test_a_follower_reads_what_is_under_way_and_not_what_is_done(database: Database) -> None:
    chain = SimulatedChain()
    add_final_batches(database, COUNT)
    outbox = Outbox(database, chain, (chain,), CHAIN)
    made = store._batch
    with patch.object(store, "_batch", wraps=made) as rows:
        assert anchoring.follow(outbox, registry_address(), ISSUER, timeout_seconds=1) == []
    assert rows.call_count == 0


def test_no_round_looks_at_every_transaction_for_every_batch(database: Database) -> None:
    """After two years of hourly batches that took half a minute, at every round."""
    with counted(database) as statements, database.read() as tx:
        state_store.list_batches_without(tx, limit=PAGE)
        (asked,) = [one for one in statements if one.startswith("SELECT")]
        plan = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", (None,) * asked.count("?"))
        steps = [row[3] for row in plan]
    looks = [step for step in steps if " transactions" in step]
    assert looks
    assert all("PRIMARY KEY" in look for look in looks), looks
