"""Dying at any step of anchoring loses nothing and anchors nothing twice."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from ledger.batches import anchoring, sealing, store
from ledger.batches.status import BatchStatus
from ledger.batches.store import Batch
from ledger.chain import outbox as outbox_module
from ledger.chain import store as chain_store
from ledger.chain.broadcasting import broadcast
from ledger.chain.nonces import store as nonces
from ledger.chain.outbox import Outbox
from ledger.chain.registry import calls
from ledger.chain.registry.slots import Role
from ledger.chain.sender import Sender
from ledger.chain.settlement import Settlement
from ledger.chain.store import Purpose
from ledger.chain.transaction import Call
from ledger.credentials.store import NewCredential, add_credentials
from ledger.errors import ChainError, ConflictError
from ledger.issuers.registration import give_roles, register
from ledger.issuers.store import Profile
from ledger.primitives import Canonicalization, format_address, sha256
from tests.chain.conftest import Chain

from .invariants import check_all_is_well, findings


class Crash(BaseException):
    """Stands for `kill -9`: not an Exception, so no handler can tidy up."""


class Setup:
    """An issuer with one sealed batch, not sent."""

    def __init__(self, chain: Chain, outbox: Outbox) -> None:
        self.chain, self.outbox = chain, outbox
        owner = chain.sender()
        self.owner, self.sender = owner, chain.sender()
        with mined(chain):
            self.issuer = register(outbox, owner, chain.registry, Profile("did:example:x", "X"))
            give_roles(
                outbox,
                owner,
                chain.registry,
                self.issuer.number,
                self.sender.address,
                Role.ANCHOR,
            )
        self.batch = self.seal(b"a", b"b")

    def seal(self, *contents: bytes) -> Batch:
        new = [
            NewCredential(str(uuid.uuid4()), sha256(content), Canonicalization.NONE, None, None)
            for content in contents
        ]
        with self.outbox.database.write() as tx:
            add_credentials(tx, self.issuer.number, new, now=1)
        batch = sealing.seal(self.outbox.database, self.issuer.number, now=2)
        assert batch is not None
        return batch

    def submit(self) -> int | None:
        return anchoring.submit(self.outbox, self.sender, self.chain.registry, self.load())

    def advance(self) -> None:
        anchoring.advance(self.outbox, self.chain.registry)

    def follow(self) -> list[Batch]:
        with mined(self.chain):
            return anchoring.follow(
                self.outbox, self.chain.registry, self.issuer.number, timeout_seconds=30
            )

    def load(self) -> Batch:
        with self.outbox.database.read() as tx:
            return store.get_batch(tx, self.batch.id)

    def run_to_the_end(self) -> None:
        """Do what `ledger anchor` does after any accident."""
        self.advance()
        self.outbox.resend()
        anchoring.submit_all(self.outbox, self.sender, self.chain.registry, self.issuer.number)
        self.follow()

    def check(self) -> None:
        """Check that the batch is anchored once, and that all the others are well, too."""
        batches = check_all_is_well(
            self.outbox,
            self.chain.registry,
            anchored=self.anchored(self.own_keys()),
            counts={self.sender.address: self.chain.count(self.sender)},
        )
        assert self.batch.id in {batch.id for batch in batches}

    def own_keys(self) -> list[str]:
        with self.outbox.database.read() as tx:
            return [format_address(key) for key in nonces.list_senders(tx)]

    def anchored(self, by: list[str] | None = None) -> dict[bytes, int]:
        """Return how often the chain has each root of the issuer, by one of these keys."""
        event = self.chain.contract.events.Anchored()
        logs = event.get_logs(from_block=0, argument_filters={"issuer": self.issuer.number})
        made = [log["args"] for log in logs if by is None or log["args"]["operator"] in by]
        return dict(Counter(bytes(one["root"]) for one in made))


@contextmanager
def mined(chain: Chain) -> Iterator[None]:
    """Make the chain final at every look, so that nobody waits for its clock."""
    settle = Outbox.settle

    def settle_on_final_chain(outbox: Outbox) -> Settlement:
        chain.mine(3)
        return settle(outbox)

    with patch.object(Outbox, "settle", settle_on_final_chain):
        yield


@pytest.fixture
def setup(chain: Chain, outbox: Outbox) -> Setup:
    return Setup(chain, outbox)


def after(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, dying when it has done its work."""

    def run_and_die(*arguments: Any, **named: Any) -> None:
        function(*arguments, **named)
        raise Crash

    return run_and_die


STEPS: list[tuple[object, str]] = [
    (Sender, "prepare"),
    (nonces, "take_nonce"),
    (Sender, "sign"),
    (chain_store, "add_transaction"),
    (store, "submit_batch"),
    (outbox_module, "broadcast"),
    (chain_store, "mark_sent"),
]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("owner", "step"), STEPS, ids=[step for _, step in STEPS])
def test_a_crash_at_any_step_of_submitting_anchors_once(
    setup: Setup, owner: object, step: str, moment: str
) -> None:
    function = getattr(owner, step)
    replacement = after(function) if moment == "after" else _die
    with patch.object(owner, step, replacement), pytest.raises(Crash):
        setup.submit()
    setup.run_to_the_end()
    setup.check()


def _die(*_arguments: object, **_named: object) -> None:
    raise Crash


@pytest.mark.parametrize(
    "step",
    ["record_inclusion", "list_unfinished", "write_checkpoint"],
)
def test_a_crash_while_following_changes_nothing(setup: Setup, step: str) -> None:
    setup.submit()
    with (
        mined(setup.chain),
        patch.object(chain_store, step, _die),
        pytest.raises(Crash),
    ):
        setup.advance()
    setup.run_to_the_end()
    setup.check()


def test_a_crash_between_the_receipt_and_the_batch_is_caught_up(setup: Setup) -> None:
    setup.submit()
    with (
        mined(setup.chain),
        patch.object(store, "move_batch", _die),
        pytest.raises(Crash),
    ):
        setup.advance()
    assert setup.load().status is BatchStatus.SUBMITTED
    setup.run_to_the_end()
    setup.check()


def test_bytes_that_no_node_took_are_sent_again(setup: Setup) -> None:
    refused = ChainError("rpc-unreachable", "down")
    with patch.object(outbox_module, "broadcast", side_effect=refused), pytest.raises(ChainError):
        setup.submit()
    assert setup.load().status is BatchStatus.SUBMITTED
    setup.run_to_the_end()
    setup.check()


def test_a_transaction_the_node_forgot_is_sent_again(setup: Setup) -> None:
    setup.chain.rpc.call("evm_setAutomine", [False])
    setup.chain.rpc.call("evm_setIntervalMining", [0])
    try:
        setup.submit()
        setup.chain.rpc.call("anvil_dropAllTransactions", [])
    finally:
        setup.chain.rpc.call("evm_setIntervalMining", [1])
    setup.run_to_the_end()
    setup.check()


def test_a_reorganisation_takes_a_batch_back_and_it_is_anchored_again(setup: Setup) -> None:
    setup.chain.rpc.call("evm_setIntervalMining", [0])
    try:
        setup.submit()
        setup.chain.mine()
        setup.advance()
        assert setup.load().status is BatchStatus.CONFIRMED
        # Drops the block and its transaction, and puts an empty block in its place.
        setup.chain.rpc.call("anvil_reorg", [1, []])
        setup.advance()
        assert setup.load().status is BatchStatus.SUBMITTED
    finally:
        setup.chain.rpc.call("evm_setIntervalMining", [1])
    setup.run_to_the_end()
    setup.check()


def test_a_reverted_anchor_is_held_and_can_be_sent_again(setup: Setup) -> None:
    chain, number = setup.chain, setup.issuer.number
    role = calls.set_operator(number, setup.sender.address, Role(0))
    chain.rpc.call("evm_setIntervalMining", [0])
    try:
        # The role ends in the same block, before the anchor: it was fine when it was tried.
        setup.submit()
        chain.rpc.call("anvil_dropAllTransactions", [])
        setup.outbox.submit(setup.owner, Call(chain.registry, role), Purpose.OPERATOR)
        chain.mine()
        setup.outbox.settle()
    finally:
        chain.rpc.call("evm_setIntervalMining", [1])
    with pytest.raises(ConflictError, match="MissingRole") as raised:
        setup.follow()
    assert raised.value.code == "held"
    held = setup.load()
    assert held.status is BatchStatus.HELD
    assert held.reason is not None
    assert "MissingRole" in held.reason
    with mined(chain):
        give_roles(
            setup.outbox, setup.owner, chain.registry, number, setup.sender.address, Role.ANCHOR
        )
    setup.run_to_the_end()
    setup.check()


def test_a_refused_anchor_leaves_the_batch_sealed_and_no_nonce_used(setup: Setup) -> None:
    with mined(setup.chain):
        give_roles(
            setup.outbox,
            setup.owner,
            setup.chain.registry,
            setup.issuer.number,
            setup.sender.address,
            Role(0),
        )
    with pytest.raises(ConflictError, match="MissingRole"):
        setup.submit()
    batch = setup.load()
    assert batch.status is BatchStatus.SEALED
    assert batch.reason is not None
    assert "MissingRole" in batch.reason
    assert setup.chain.count(setup.sender) == 0
    assert findings(setup.outbox, setup.chain.registry) == []


def test_a_key_used_elsewhere_stops_the_sender(setup: Setup) -> None:
    setup.submit()
    call = Call(setup.chain.registry, calls.name_bare_issuer(setup.issuer.number))
    foreign = setup.sender.sign(setup.sender.prepare(call), nonce=1)
    broadcast([setup.chain.rpc], foreign.raw)
    setup.batch = setup.seal(b"c")
    with pytest.raises(ConflictError) as raised:
        setup.submit()
    assert raised.value.code == "nonce-ahead"
    assert setup.load().status is BatchStatus.SEALED
    setup.outbox.accept_chain()
    setup.run_to_the_end()
    setup.check()


def test_many_batches_are_anchored_with_one_transaction_each(setup: Setup) -> None:
    setup.submit()
    first = setup.batch
    setup.batch = setup.seal(b"c", b"d", b"e")
    setup.submit()
    finished = setup.follow()
    assert [batch.id for batch in finished] == [first.id, setup.batch.id]
    setup.check()
