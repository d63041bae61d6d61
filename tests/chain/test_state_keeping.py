"""Keeping the state of final batches of a real chain, and proving leaves when it is gone."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from ledger.batches import store
from ledger.batches.states import store as state_store
from ledger.batches.states.keeping import StateSource, keep_states, prove_leaf
from ledger.batches.status import BatchStatus
from ledger.batches.store import Batch, batches
from ledger.chain.devchain import free_port
from ledger.chain.header import parse_header
from ledger.chain.outbox import Outbox
from ledger.chain.registry.lookup import LeafSlots
from ledger.chain.registry.slots import AnchorRecord, has_bit
from ledger.chain.rpc import Rpc
from ledger.chain.store import transactions
from ledger.errors import ChainError, ConflictError, NotFoundError
from ledger.issuers.store import issuers
from ledger.primitives import sha256
from ledger.proofs.file import StateProof
from ledger.proofs.state import RegistryState, verify_state
from tests.unit.verification_world import STRANGERS_KEY

from .conftest import Chain
from .test_rpc import Issuer


class Keeper:
    """An issuer, on the chain and in the database, whose batches are anchored with no leaves."""

    def __init__(self, chain: Chain, outbox: Outbox) -> None:
        self.chain, self.outbox, self.database = chain, outbox, outbox.database
        self.issuer = Issuer(chain, outbox)
        self.believed: list[int] = []
        self.source = self.at(chain.rpc)
        with self.database.write() as tx:
            row = tx.execute(sa.select(sa.func.min(transactions.c.id))).scalar_one()
            number = self.issuer.number
            values = {"number": number, "did": "did:example:x", "name": "X", "transaction_id": row}
            tx.execute(sa.insert(issuers).values(**values))

    def at(self, rpc: Rpc) -> StateSource:
        return StateSource(
            rpc=rpc,
            chain=self.chain.chain_id,
            registry=self.chain.registry,
            finality="finalized",
            accreditors_of=lambda _issuer: self.believed,
        )

    @property
    def down(self) -> StateSource:
        """The same source while the chain does not answer."""
        return self.at(Rpc(f"http://127.0.0.1:{free_port()}"))

    def send(self, function: str, *arguments: object) -> int:
        """Send a transaction of the issuer's key; return its row when it is final."""
        sent = self.issuer.send(self.issuer.key, function, self.issuer.number, *arguments)
        with self.database.read() as tx:
            row: int = tx.execute(
                sa.select(transactions.c.id).where(transactions.c.hash == sent)
            ).scalar_one()
        return row

    def batch(self, size: int, *, anchored: bool = True) -> Batch:
        """Return a batch that the database says is final."""
        root = sha256(b"root of %d on %d" % (size, self.issuer.number))
        row = self.send("anchor", root, size) if anchored else None
        with self.database.write() as tx:
            number = store.add_batch(tx, self.issuer.number, now=1)
            store.set_root(tx, number, root, size)
            tx.execute(
                sa.update(batches)
                .where(batches.c.id == number)
                .values(status=BatchStatus.FINAL, transaction_id=row)
            )
            return store.get_batch(tx, number)

    def leaf(self, batch: Batch, index: int) -> LeafSlots:
        return LeafSlots(batch.issuer, batch.root, index)

    def read(self, state: StateProof, batch: Batch, index: int) -> RegistryState:
        """Verify a state proof at its own block, which is known to be the chain's."""
        header = parse_header(state.header)
        block = self.chain.web3.eth.get_block(header.number)
        assert bytes(block["hash"]) == header.hash
        leaf = self.leaf(batch, index)
        registry = self.chain.registry
        _, shown = verify_state(state, trusted=[header.hash], registry=registry, leaf=leaf)
        return shown

    def is_revoked(self, state: StateProof, batch: Batch, index: int) -> bool:
        return has_bit(self.read(state, batch, index).word(self.leaf(batch, index).revoked), index)


@pytest.fixture
def keeper(chain: Chain, outbox: Outbox) -> Keeper:
    return Keeper(chain, outbox)


def block_of(state: StateProof) -> int:
    return parse_header(state.header).number


def count_nodes(keeper: Keeper) -> int:
    with keeper.database.read() as tx:
        query = sa.select(sa.func.count()).select_from(state_store.state_nodes)
        return int(tx.execute(query).scalar_one())


def test_every_leaf_of_a_final_batch_can_be_proved_when_the_chain_is_gone(keeper: Keeper) -> None:
    batch = keeper.batch(1_000)
    assert keep_states(keeper.database, keeper.source) == [batch.id]
    assert keep_states(keeper.database, keeper.source) == []
    for index in (0, 1, 255, 256, 511, 512, 999):
        state = prove_leaf(keeper.database, keeper.down, batch, index)
        assert not keeper.is_revoked(state, batch, index)


def test_a_batch_of_a_million_keeps_no_million_proofs(keeper: Keeper) -> None:
    batch = keeper.batch(1_000_000)
    assert keep_states(keeper.database, keeper.source) == [batch.id]
    assert count_nodes(keeper) < 1_000_000 / 256
    for index in (0, 123_456, 999_999):
        keeper.read(prove_leaf(keeper.database, keeper.down, batch, index), batch, index)


def test_a_fresh_proof_comes_before_the_kept_one(keeper: Keeper, chain: Chain) -> None:
    batch = keeper.batch(5)
    keep_states(keeper.database, keeper.source)
    kept = prove_leaf(keeper.database, keeper.down, batch, 3)
    chain.mine(5)
    fresh = prove_leaf(keeper.database, keeper.source, batch, 3)
    assert block_of(fresh) > block_of(kept)
    assert not keeper.is_revoked(fresh, batch, 3)


def test_a_node_that_lags_does_not_bring_an_older_state(keeper: Keeper, chain: Chain) -> None:
    batch = keeper.batch(5)
    chain.mine(5)
    keep_states(keeper.database, keeper.source)
    kept = prove_leaf(keeper.database, keeper.down, batch, 3)
    lagging = replace(keeper.source, finality=hex(block_of(kept) - 1))
    assert prove_leaf(keeper.database, lagging, batch, 3) == kept


def test_a_chain_that_is_down_is_no_error_and_keeping_goes_on_later(keeper: Keeper) -> None:
    batch = keeper.batch(5)
    assert keep_states(keeper.database, keeper.down) == []
    with pytest.raises(ChainError) as caught:
        prove_leaf(keeper.database, keeper.down, batch, 0)
    assert caught.value.code == "rpc-unreachable"
    assert keep_states(keeper.database, keeper.source) == [batch.id]


def test_a_batch_that_the_final_block_lacks_holds_up_no_other(keeper: Keeper) -> None:
    missing = keeper.batch(5, anchored=False)
    other = keeper.batch(6)
    assert keep_states(keeper.database, keeper.source) == [other.id]
    with pytest.raises(ChainError) as caught:
        prove_leaf(keeper.database, keeper.source, missing, 0)
    assert caught.value.code == "not-final-there"


def test_what_is_kept_is_not_given_out_once_we_change_it(keeper: Keeper) -> None:
    batch = keeper.batch(5)
    keep_states(keeper.database, keeper.source)
    row = keeper.send("revoke", batch.root, 0, 0b1000, 1)
    with keeper.database.write() as tx:
        state_store.note_change(tx, batch.id, row)
    with pytest.raises(ConflictError) as caught:
        prove_leaf(keeper.database, keeper.down, batch, 3)
    assert caught.value.code == "state-outdated"
    assert keep_states(keeper.database, keeper.source) == [batch.id]
    assert keep_states(keeper.database, keeper.source) == []
    kept = prove_leaf(keeper.database, keeper.down, batch, 3)
    assert keeper.is_revoked(kept, batch, 3)
    assert not keeper.is_revoked(kept, batch, 2)


def test_what_is_kept_is_not_given_out_once_its_key_was_stolen(keeper: Keeper) -> None:
    batch = keeper.batch(5)
    keep_states(keeper.database, keeper.source)
    thief = keeper.issuer.key.address
    with keeper.database.write() as tx:
        store.note_record(tx, batch.id, AnchorRecord(thief, 1_000, 5, batch_revoked=False))
        noted = store.get_batch(tx, batch.id)
    prove_leaf(keeper.database, keeper.down, noted, 0)
    with keeper.database.write() as tx:
        store.write_compromises(tx, batch.issuer, {thief: 1_000})
    with pytest.raises(ConflictError) as caught:
        prove_leaf(keeper.database, keeper.down, noted, 0)
    assert caught.value.code == "state-outdated"


@pytest.fixture
def accreditor(keeper: Keeper) -> Issuer:
    found = Issuer(keeper.chain, keeper.outbox, did=STRANGERS_KEY.did)
    found.send(found.owner, "accredit", found.number, keeper.issuer.number, 0)
    return found


def vouches(keeper: Keeper, state: StateProof, batch: Batch, accreditor: int) -> bool:
    """Return whether the proof shows that the accreditor vouched; an error when it is not shown."""
    shown, leaf = keeper.read(state, batch, 0), keeper.leaf(batch, 0)
    anchor = shown.anchor_of(leaf)
    assert anchor is not None
    return shown.vouches(leaf, accreditor, anchor.time)


def test_accreditations_are_found_and_kept(keeper: Keeper, accreditor: Issuer) -> None:
    batch = keeper.batch(5)
    keep_states(keeper.database, keeper.source)
    for source in (keeper.down, keeper.source):
        state = prove_leaf(keeper.database, source, batch, 0)
        assert vouches(keeper, state, batch, accreditor.number)


def test_an_accreditation_that_came_later_is_left_out(keeper: Keeper) -> None:
    batch = keeper.batch(5)
    keeper.chain.rpc.call("evm_increaseTime", ["0x1"])
    late = Issuer(keeper.chain, keeper.outbox, did=STRANGERS_KEY.did)
    late.send(late.owner, "accredit", late.number, keeper.issuer.number, 0)
    keeper.believed = [late.number]
    keep_states(keeper.database, keeper.source)
    with keeper.database.read() as tx:
        kept = state_store.find_state(tx, batch.id)
    assert kept is not None
    assert kept.accreditors == []


class WithoutLogs(Rpc):
    """A node that searches no logs, as many do."""

    def batch(self, calls: Sequence[Any]) -> list[Any]:
        if any(method == "eth_getLogs" for method, _ in calls):
            raise ChainError("rpc-error", "block range too wide")
        return super().batch(calls)


@pytest.fixture
def without_logs(chain: Chain) -> Iterator[Rpc]:
    with WithoutLogs(chain.rpc_url) as rpc:
        yield rpc


def test_where_no_logs_are_searched_those_of_the_policy_remain(
    keeper: Keeper, accreditor: Issuer, without_logs: Rpc
) -> None:
    batch = keeper.batch(5)
    source = keeper.at(without_logs)
    plain = prove_leaf(keeper.database, source, batch, 0)
    keeper.believed = [10**9, accreditor.number]
    assert vouches(keeper, prove_leaf(keeper.database, source, batch, 0), batch, accreditor.number)
    assert len(plain.nodes) < len(prove_leaf(keeper.database, source, batch, 0).nodes)


def test_a_node_that_was_damaged_in_the_database_is_noticed(keeper: Keeper) -> None:
    batch = keeper.batch(5)
    keep_states(keeper.database, keeper.source)
    with keeper.database.write() as tx:
        tx.execute(sa.update(state_store.state_nodes).values(node=b"\xc0"))
    with pytest.raises(NotFoundError) as caught:
        prove_leaf(keeper.database, keeper.down, batch, 0)
    assert caught.value.code == "bad-kept-state"
