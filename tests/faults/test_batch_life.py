"""Every way a batch can go other than straight on, on a real chain."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

import pytest

from ledger.batches import anchoring, store
from ledger.batches.compromise import find_untrusted
from ledger.batches.delivery import ProofWriter
from ledger.batches.resealing import extra_digests
from ledger.batches.status import BatchStatus
from ledger.batches.trees import store as trees
from ledger.chain import outbox as outbox_module
from ledger.chain import store as chain_store
from ledger.chain.alarms.store import list_alarms
from ledger.chain.broadcasting import broadcast
from ledger.chain.fees import FeeLimits, raise_by_tenth
from ledger.chain.registry import calls
from ledger.chain.registry.slots import Role
from ledger.chain.sender import Sender, fees_of
from ledger.chain.store import Outcome, Purpose, StoredTransaction, TransactionState
from ledger.chain.transaction import Call
from ledger.credentials.store import read_batch
from ledger.errors import ConflictError
from ledger.issuers.registration import give_roles, report_compromise
from ledger.merkle import inclusion
from ledger.merkle.tree import leaf_hash, root_of
from ledger.primitives import Address, Home, format_address
from tests.chain.conftest import Chain

from .invariants import findings
from .test_anchoring import Crash, Setup, _die, after, mined, setup

__all__ = ["setup"]

DAY = 86_400


@contextmanager
def no_blocks(chain: Chain) -> Iterator[None]:
    """Make blocks only when asked to."""
    chain.rpc.call("evm_setIntervalMining", [0])
    try:
        yield
    finally:
        chain.rpc.call("evm_setIntervalMining", [1])


def later(setup: Setup, seconds: int = DAY) -> None:
    """Let time pass for the outbox."""
    now = setup.outbox.clock()
    setup.outbox = replace(setup.outbox, clock=lambda: now + seconds)


def transaction_of(setup: Setup) -> StoredTransaction:
    row = setup.load().transaction_id
    assert row is not None
    with setup.outbox.database.read() as tx:
        return chain_store.get_transaction(tx, row)


def other_operator(setup: Setup) -> Sender:
    """Return a key with the ANCHOR role that this installation does not have."""
    other = setup.chain.sender()
    with mined(setup.chain):
        give_roles(
            setup.outbox,
            setup.owner,
            setup.chain.registry,
            setup.issuer.number,
            other.address,
            Role.ANCHOR,
        )
    return other


def send_past_the_database(setup: Setup, sender: Sender, data: bytes, nonce: int) -> None:
    signed = sender.sign(sender.prepare(Call(setup.chain.registry, data)), nonce=nonce)
    broadcast([setup.chain.rpc], signed.raw)
    setup.chain.mine(3)


def check_proofs(setup: Setup) -> None:
    """Check that every member of the batch is proved by it, in its place."""
    batch = setup.load()
    with setup.outbox.database.read() as tx:
        writer = ProofWriter(tx, batch, Home(31337, Address(bytes(20)), batch.issuer))
        for member in read_batch(tx, batch.id):
            proof = writer.proof(member)
            inclusion.verify(
                leaf_hash(member.digest), proof.inclusion, size=batch.size, anchored=batch.root
            )


def alarms(setup: Setup) -> list[str]:
    with setup.outbox.database.read() as tx:
        return [alarm.code for alarm in list_alarms(tx)]


# ------------------------------------------------------------------------ anchored already


def test_what_an_own_key_anchored_already_needs_no_transaction(setup: Setup) -> None:
    """As after a restore from a backup that was older than the anchor."""
    batch = setup.batch
    data = calls.anchor(batch.issuer, batch.root, batch.size)
    # The database knows the key and the nonce, and nothing of the batch.
    setup.outbox.submit(setup.sender, Call(setup.chain.registry, data), Purpose.OPERATOR)
    setup.chain.mine(1)
    assert setup.submit() is None
    assert setup.load().status is BatchStatus.CONFIRMED
    setup.run_to_the_end()
    setup.check()
    final = setup.load()
    assert final.transaction_id is None
    assert final.operator == setup.sender.address
    assert final.anchored_at is not None


def test_a_root_that_a_strangers_key_anchored_is_sealed_again(setup: Setup) -> None:
    other, batch = other_operator(setup), setup.batch
    data = calls.anchor(batch.issuer, batch.root, batch.size)
    send_past_the_database(setup, other, data, nonce=0)
    assert setup.submit() is None
    again = setup.load()
    assert again.status is BatchStatus.SEALED
    assert again.root != batch.root
    assert again.size == batch.size + 1
    with setup.outbox.database.read() as tx:
        digests = [member.digest for member in read_batch(tx, batch.id)]
    leaves = [leaf_hash(digest) for digest in digests + extra_digests(again.extra_leaves)]
    assert root_of(leaves) == again.root
    setup.run_to_the_end()
    setup.check()
    check_proofs(setup)


def test_a_root_anchored_at_another_size_is_sealed_again(setup: Setup) -> None:
    other, batch = other_operator(setup), setup.batch
    data = calls.anchor(batch.issuer, batch.root, batch.size + 5)
    send_past_the_database(setup, other, data, nonce=0)
    setup.run_to_the_end()
    setup.check()
    check_proofs(setup)
    assert setup.load().size == batch.size + 1


def test_a_batch_is_not_sealed_again_before_its_reverted_transaction_is_final(
    setup: Setup,
) -> None:
    """Under another branch of the chain it could still anchor the old root."""
    chain, batch, other = setup.chain, setup.batch, other_operator(setup)
    data = calls.anchor(batch.issuer, batch.root, batch.size)
    with no_blocks(chain):
        setup.submit()
        (raw,) = [a.raw for a in transaction_of(setup).attempts]
        chain.rpc.call("anvil_dropAllTransactions", [])
        signed = other.sign(other.prepare(Call(chain.registry, data)), nonce=0)
        broadcast([chain.rpc], signed.raw)
        chain.mine()
        broadcast([chain.rpc], raw)
        chain.mine()
        setup.advance()
        held = setup.load()
        assert held.status is BatchStatus.HELD
        assert "AlreadyAnchored" in (held.reason or "")
        with pytest.raises(ConflictError) as raised:
            setup.submit()
        assert raised.value.code == "not-final"
        assert setup.load().root == batch.root
        chain.mine(3)
        setup.advance()
        assert setup.submit() is None
    assert setup.load().root != batch.root
    setup.run_to_the_end()
    setup.check()
    check_proofs(setup)


RESEALING: list[tuple[object, str]] = [
    (trees, "drop_tiles"),
    (store, "add_extra_leaves"),
    (trees, "add_tile"),
    (store, "set_root"),
]


@pytest.mark.parametrize(("owner", "step"), RESEALING, ids=[step for _, step in RESEALING])
def test_a_crash_while_sealing_again_changes_nothing(
    setup: Setup, owner: object, step: str
) -> None:
    other, batch = other_operator(setup), setup.batch
    data = calls.anchor(batch.issuer, batch.root, batch.size)
    send_past_the_database(setup, other, data, nonce=0)
    with patch.object(owner, step, after(getattr(owner, step))), pytest.raises(Crash):
        setup.submit()
    assert setup.load().root == batch.root
    check_proofs(setup)
    setup.run_to_the_end()
    setup.check()
    check_proofs(setup)


# ------------------------------------------------------------------------ who won the nonce


def test_a_foreign_winner_of_the_nonce_counts_only_when_it_is_final(setup: Setup) -> None:
    chain = setup.chain
    with no_blocks(chain):
        setup.submit()
        chain.rpc.call("anvil_dropAllTransactions", [])
        account = format_address(setup.sender.address)
        chain.rpc.call("anvil_impersonateAccount", [account])
        foreign = {"from": account, "to": account, "value": "0x0"}
        chain.rpc.call("eth_sendTransaction", [foreign])
        chain.mine()
        setup.advance()
        assert setup.load().status is BatchStatus.SUBMITTED
        assert alarms(setup) == []
        chain.mine(3)
        setup.advance()
    sealed = setup.load()
    assert sealed.status is BatchStatus.SEALED
    assert "foreign" in (sealed.reason or "")
    assert alarms(setup) == ["foreign-nonce"]
    setup.run_to_the_end()
    setup.check()


def test_a_nonce_that_was_used_elsewhere_stops_until_a_person_resumes(setup: Setup) -> None:
    setup.submit()
    setup.run_to_the_end()
    data = calls.name_bare_issuer(setup.issuer.number)
    send_past_the_database(setup, setup.sender, data, nonce=1)
    setup.batch = setup.seal(b"c")
    with pytest.raises(ConflictError, match="ledger resume") as raised:
        setup.submit()
    assert raised.value.code == "nonce-ahead"
    setup.outbox.accept_chain()
    setup.submit()
    setup.follow()
    setup.check()


# ------------------------------------------------------------------------ fees


def raise_base_fee(chain: Chain, factor: int) -> None:
    block = chain.rpc.call("eth_getBlockByNumber", ["latest", False])
    fee = int(block["baseFeePerGas"], 16) * factor
    chain.rpc.call("anvil_setNextBlockBaseFeePerGas", [hex(fee)])
    chain.rpc.call("anvil_mine", ["0x1"])


def test_what_waits_too_long_below_the_market_is_replaced_at_the_same_nonce(setup: Setup) -> None:
    with no_blocks(setup.chain):
        setup.submit()
        setup.chain.rpc.call("anvil_dropAllTransactions", [])
        raise_base_fee(setup.chain, 4)
        assert setup.outbox.replace(setup.sender) == []
        later(setup)
        replaced = setup.outbox.replace(setup.sender)
        first, second = transaction_of(setup).attempts
    assert replaced == [setup.load().transaction_id]
    offered, raised = fees_of(first.raw), fees_of(second.raw)
    assert raised.cap_wei >= raise_by_tenth(offered.cap_wei)
    assert raised.tip_wei >= raise_by_tenth(offered.tip_wei)
    setup.run_to_the_end()
    setup.check()
    assert transaction_of(setup).hash == second.hash


def test_what_the_market_would_take_is_sent_again_as_it_is(setup: Setup) -> None:
    with no_blocks(setup.chain):
        setup.submit()
        later(setup)
        assert setup.outbox.replace(setup.sender) == []
        setup.outbox.resend()
    assert len(transaction_of(setup).attempts) == 1
    setup.run_to_the_end()
    setup.check()


def test_what_the_ceilings_forbid_is_not_offered(setup: Setup) -> None:
    with no_blocks(setup.chain):
        setup.submit()
        setup.chain.rpc.call("anvil_dropAllTransactions", [])
        raise_base_fee(setup.chain, 4)
        later(setup)
        offered = fees_of(transaction_of(setup).attempts[0].raw)
        setup.sender.limits = FeeLimits(cap_wei=offered.cap_wei, tip_wei=offered.tip_wei)
        assert setup.outbox.replace(setup.sender) == []
    assert len(transaction_of(setup).attempts) == 1
    setup.run_to_the_end()
    setup.check()


def test_any_attempt_may_win(setup: Setup) -> None:
    """The older bytes were in some node's pool all the time."""
    with no_blocks(setup.chain):
        setup.submit()
        later(setup)
        below = replace(setup.outbox, replace_seconds=0)
        with (
            patch.object(outbox_module, "is_below_market", return_value=True),
            patch.object(outbox_module, "broadcast"),
        ):
            assert below.replace(setup.sender)
        first, _ = transaction_of(setup).attempts
        setup.chain.mine()
        setup.advance()
        assert transaction_of(setup).hash == first.hash
    setup.run_to_the_end()
    setup.check()


REPLACING: list[tuple[object, str]] = [
    (Sender, "market"),
    (Sender, "sign_again"),
    (chain_store, "add_attempt"),
    (outbox_module, "broadcast"),
    (chain_store, "mark_sent"),
]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("owner", "step"), REPLACING, ids=[step for _, step in REPLACING])
def test_a_crash_at_any_step_of_replacing_anchors_once(
    setup: Setup, owner: object, step: str, moment: str
) -> None:
    function: Callable[..., object] = getattr(owner, step)
    with no_blocks(setup.chain):
        setup.submit()
        raise_base_fee(setup.chain, 1)
        setup.chain.rpc.call("anvil_dropAllTransactions", [])
        later(setup)
        dying = after(function) if moment == "after" else _die
        with (
            patch.object(outbox_module, "is_below_market", return_value=True),
            patch.object(owner, step, dying),
            pytest.raises(Crash),
        ):
            setup.outbox.replace(setup.sender)
    setup.run_to_the_end()
    setup.check()


def test_a_cancelled_transaction_gives_the_batch_back_when_that_is_final(setup: Setup) -> None:
    chain = setup.chain
    with no_blocks(chain):
        row = setup.submit()
        assert row is not None
        setup.outbox.cancel(setup.sender, row)
        chain.mine()
        setup.advance()
        assert transaction_of(setup).outcome is Outcome.CANCELLED
        assert setup.load().status is BatchStatus.SUBMITTED
        chain.mine(3)
        setup.advance()
    assert setup.load().status is BatchStatus.SEALED
    setup.run_to_the_end()
    setup.check()


def test_what_is_in_a_block_cannot_be_cancelled(setup: Setup) -> None:
    row = setup.submit()
    assert row is not None
    setup.chain.mine()
    setup.advance()
    with pytest.raises(ConflictError) as raised:
        setup.outbox.cancel(setup.sender, row)
    assert raised.value.code == "not-waiting"


def test_a_batch_waits_for_cheap_gas_until_its_patience_ends_and_no_longer(setup: Setup) -> None:
    registry, number = setup.chain.registry, setup.issuer.number
    patience = anchoring.Patience(base_fee_wei=0, seconds=100)
    sealed_at = setup.load().sealed_at

    def submit_at(moment: int) -> BatchStatus:
        at = replace(setup.outbox, clock=lambda: moment)
        anchoring.submit_all(at, setup.sender, registry, number, patience=patience)
        return setup.load().status

    assert submit_at(sealed_at + 99) is BatchStatus.SEALED
    assert "cheaper gas" in (setup.load().reason or "")
    assert submit_at(sealed_at + 100) is BatchStatus.SUBMITTED
    assert setup.load().reason is None
    setup.run_to_the_end()
    setup.check()


def test_the_cost_of_a_batch_counts_every_transaction_made_for_it(setup: Setup) -> None:
    with no_blocks(setup.chain):
        row = setup.submit()
        assert row is not None
        setup.outbox.cancel(setup.sender, row)
        setup.chain.mine(4)
    setup.run_to_the_end()
    with setup.outbox.database.read() as tx:
        cost = store.cost_wei(tx, setup.batch.id)
        rows = [chain_store.get_transaction(tx, n) for n in (row, setup.load().transaction_id or 0)]
    assert cost == sum((t.gas_used or 0) * (t.gas_price_wei or 0) for t in rows)
    assert all(t.gas_used for t in rows)
    assert len({t.id for t in rows}) == 2


# ------------------------------------------------------------------------ reorganisations


def test_a_transaction_that_moves_to_another_block_is_followed(setup: Setup) -> None:
    with no_blocks(setup.chain):
        setup.submit()
        setup.chain.mine(2)
        setup.advance()
        before = transaction_of(setup)
        raw = "0x" + before.attempts[0].raw.hex()
        setup.chain.rpc.call("anvil_reorg", [2, [[raw, 1]]])
        setup.advance()
        moved = transaction_of(setup)
    assert moved.state is TransactionState.INCLUDED
    assert moved.block_hash != before.block_hash
    setup.run_to_the_end()
    setup.check()


def test_a_transaction_that_is_in_two_branches_anchors_once(setup: Setup) -> None:
    """Seen in one branch, then at another height of another, and then where it was."""
    with no_blocks(setup.chain):
        setup.submit()
        setup.chain.mine(2)
        setup.advance()
        raw = "0x" + transaction_of(setup).attempts[0].raw.hex()
        seen = [(transaction_of(setup).block_number, setup.load().anchored_at)]
        for depth, at in ((2, 1), (2, 0)):
            setup.chain.rpc.call("anvil_reorg", [depth, [[raw, at]]])
            setup.advance()
            assert setup.load().status is BatchStatus.CONFIRMED
            setup.outbox.resend()
            seen.append((transaction_of(setup).block_number, setup.load().anchored_at))
    assert seen[0][0] != seen[1][0]
    setup.run_to_the_end()
    setup.check()


def test_an_anchor_is_confirmed_at_its_depth(setup: Setup) -> None:
    setup.outbox = replace(setup.outbox, confirmations=2, finality="finalized")
    with no_blocks(setup.chain):
        setup.submit()
        setup.chain.mine()
        setup.advance()
        assert setup.load().status is BatchStatus.SUBMITTED
        setup.chain.mine()
        setup.advance()
        assert setup.load().status is BatchStatus.CONFIRMED
    setup.run_to_the_end()
    setup.check()


def test_a_finality_that_broke_stops_all_sending_until_a_person_resumes(setup: Setup) -> None:
    chain = setup.chain
    with no_blocks(chain):
        setup.submit()
        chain.mine(4)
        setup.advance()
        assert setup.load().status is BatchStatus.FINAL
        chain.rpc.call("anvil_reorg", [5, []])
        with pytest.raises(ConflictError) as raised:
            setup.advance()
        assert raised.value.code == "final-reorg"
        assert alarms(setup) == ["final-reorg"]
        setup.batch, lost = setup.seal(b"c"), setup.batch
        with pytest.raises(ConflictError) as raised:
            setup.submit()
        assert raised.value.code == "sending-stopped"
        assert setup.load().status is BatchStatus.SEALED
        setup.outbox.accept_chain()
        anchoring.review_final(setup.outbox, chain.registry)
    setup.batch, kept = lost, setup.batch
    assert setup.load().status is BatchStatus.SUBMITTED
    setup.run_to_the_end()
    setup.check()
    setup.batch = kept
    setup.check()


# ------------------------------------------------------------------------ compromised keys


def compromise(setup: Setup, since: int) -> None:
    with mined(setup.chain):
        report_compromise(
            setup.outbox,
            setup.owner,
            setup.chain.registry,
            setup.issuer.number,
            setup.sender.address,
            since,
        )


def new_key(setup: Setup) -> None:
    setup.sender = other_operator(setup)


def anchor_again(setup: Setup) -> list[int]:
    untrusted = find_untrusted(setup.outbox, setup.chain.registry, setup.issuer.number)
    for batch in untrusted:
        anchoring.submit(setup.outbox, setup.sender, setup.chain.registry, batch)
    setup.follow()
    return [batch.id for batch in untrusted]


def test_what_a_compromised_key_anchored_is_anchored_again_by_another(setup: Setup) -> None:
    setup.submit()
    setup.run_to_the_end()
    first = setup.load()
    assert first.anchored_at is not None
    with setup.outbox.database.write() as tx:
        store.mark_delivered(tx, first.id, now=7)
    assert anchor_again(setup) == []
    compromise(setup, first.anchored_at)
    new_key(setup)
    assert anchor_again(setup) == [first.id]
    again = setup.load()
    assert again.status is BatchStatus.FINAL
    assert (again.root, again.size, again.delivered_at) == (first.root, first.size, 7)
    assert again.operator == setup.sender.address
    assert anchor_again(setup) == []
    record = setup.chain.contract.functions.anchorOf(first.issuer, first.root).call()
    assert record[0] == format_address(setup.sender.address)
    assert findings(setup.outbox, setup.chain.registry) == []


def test_what_a_key_anchored_before_it_was_compromised_stays(setup: Setup) -> None:
    setup.submit()
    setup.run_to_the_end()
    anchored_at = setup.load().anchored_at
    assert anchored_at is not None
    setup.chain.mine(3)
    compromise(setup, anchored_at + 1)
    assert find_untrusted(setup.outbox, setup.chain.registry, setup.issuer.number) == []
    setup.check()


def test_reporting_the_same_compromise_twice_is_no_error(setup: Setup) -> None:
    compromise(setup, 1000)
    compromise(setup, 1000)
    with pytest.raises(ConflictError, match="InvalidSince"):
        compromise(setup, 2000)


def test_a_batch_under_way_when_its_key_is_compromised_is_held(setup: Setup) -> None:
    setup.submit()
    setup.chain.mine()
    setup.advance()
    assert setup.load().status is BatchStatus.CONFIRMED
    compromise(setup, setup.load().anchored_at or 0)
    setup.chain.mine(3)
    setup.advance()
    held = setup.load()
    assert held.status is BatchStatus.HELD
    assert held.reason == "its anchor was made by a compromised key"
    with pytest.raises(ConflictError, match="ledger operator rotate"):
        setup.submit()
    new_key(setup)
    setup.run_to_the_end()
    assert setup.load().status is BatchStatus.FINAL
    assert findings(setup.outbox, setup.chain.registry) == []


def test_two_processes_do_not_submit_one_batch_twice(setup: Setup) -> None:
    """The second finds out inside the transaction that would store its bytes."""
    before = setup.load()
    setup.submit()
    setup.chain.rpc.call("anvil_dropAllTransactions", [])
    with pytest.raises(ConflictError) as raised:
        anchoring.submit(setup.outbox, setup.sender, setup.chain.registry, before)
    assert raised.value.code == "no-such-move"
    assert setup.load().reason is None
    setup.run_to_the_end()
    setup.check()
