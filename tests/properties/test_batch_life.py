"""Thousands of histories of batches, with everything that can go wrong in any order.

Whatever happened, once people and machines do what they do anyway, every accepted
credential is in exactly one batch, every batch is anchored exactly once, no nonce is
missing and every proof verifies.
"""

import dataclasses
import os
import shutil
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ledger.batches import anchoring, sealing, store
from ledger.batches.status import BatchStatus
from ledger.batches.trees import store as trees
from ledger.chain import outbox as outbox_module
from ledger.chain import store as chain_store
from ledger.chain.artifact import code_hash, registry_address
from ledger.chain.fees import FeeLimits, Fees
from ledger.chain.keystore import Secret
from ledger.chain.nonces import store as nonces
from ledger.chain.outbox import Outbox
from ledger.chain.registry import calls
from ledger.chain.registry.slots import Role
from ledger.chain.sender import Prepared, Sender
from ledger.chain.signer import KeySigner
from ledger.chain.store import Purpose
from ledger.chain.transaction import Call
from ledger.credentials.store import NewCredential, add_credentials
from ledger.database import Database, migrate
from ledger.errors import LedgerError
from ledger.issuers import store as issuer_store
from ledger.issuers.store import Profile
from ledger.primitives import Address, Canonicalization, Hash32, sha256
from tests.faults.invariants import check_all_is_well
from tests.simulated_chain import CHAIN, SimulatedChain

ISSUER = 3
REGISTRY = registry_address()
LIMITS = FeeLimits(cap_wei=10**12, tip_wei=10**11, market_multiple=50)
ROUNDS = 12
MEMORY = next((d for d in ("/dev/shm",) if Path(d).is_dir()), None)  # noqa: S108
"""Where files are not synced to a disk: thousands of databases are made."""


class Crash(BaseException):
    """Stands for `kill -9`: not an Exception, so no handler can tidy up."""


STEPS: list[tuple[object, str]] = [
    (Sender, "prepare"),
    (Sender, "sign"),
    (Sender, "sign_again"),
    (Sender, "sign_empty"),
    (nonces, "take_nonce"),
    (chain_store, "add_transaction"),
    (chain_store, "add_attempt"),
    (chain_store, "mark_sent"),
    (chain_store, "record_inclusion"),
    (chain_store, "forget_inclusion"),
    (chain_store, "record_foreign_winner"),
    (chain_store, "write_checkpoint"),
    (outbox_module, "broadcast"),
    (store, "add_batch"),
    (trees, "add_tile"),
    (store, "set_root"),
    (store, "submit_batch"),
    (store, "move_batch"),
    (store, "note_record"),
    (store, "add_extra_leaves"),
]
DEATHS = st.none() | st.tuples(st.sampled_from(range(len(STEPS))), st.booleans())
"""At which step the process dies, if at all, and whether before it or after."""


ACTS: dict[str, Callable[["BatchLife", Outbox], object]] = {
    "advance": lambda _life, outbox: anchoring.advance(outbox, REGISTRY),
    "replace": lambda life, outbox: outbox.replace(life.sender),
    "resend": lambda _life, outbox: outbox.resend(),
    "seal": lambda life, outbox: sealing.seal(outbox.database, ISSUER, now=life.now),
    "submit": lambda life, outbox: anchoring.submit_all(outbox, life.sender, REGISTRY, ISSUER),
}
"""What a worker does in a round."""


@cache
def template() -> Path:
    """Return a database with the tables and one issuer, to copy."""
    path = Path(tempfile.mkdtemp(prefix="ledger-histories-", dir=MEMORY)) / "ledger.db"
    database = Database(f"sqlite:///{path}")
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
        chain_store.record_foreign_winner(tx, row)
        issuer_store.add_registration(tx, Profile("did:example:a", "A"), transaction_id=row)
        pending = issuer_store.find_registration(tx)
        assert pending is not None
        issuer_store.complete_registration(tx, pending, ISSUER)
    database.close()
    return path


class BatchLife(RuleBasedStateMachine):
    """One installation on one chain, and everything that may befall them."""

    sender: Sender
    now: int

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="ledger-history-", dir=MEMORY))
        shutil.copy(template(), self.folder / "ledger.db")
        self.database = Database(f"sqlite:///{self.folder / 'ledger.db'}")
        self.chain = SimulatedChain()
        self.now = 1_000
        self.sender, self.rival = self.key(b"ours"), self.key(b"rival")
        self.outbox = Outbox(
            self.database,
            self.chain,
            (self.chain,),
            CHAIN,
            resend_seconds=0,
            replace_seconds=10,
            clock=lambda: self.now,
        )
        # What a second worker has of its own: it shares the file and the key.
        self.other_database = Database(f"sqlite:///{self.folder / 'ledger.db'}")
        self.other_outbox = dataclasses.replace(self.outbox, database=self.other_database)
        self.accepted: list[Hash32] = []

    def key(self, seed: bytes) -> Sender:
        sender = Sender(
            [self.chain],
            chain=CHAIN,
            signer=KeySigner(Secret(sha256(seed))),
            limits=LIMITS,
            codes={REGISTRY: code_hash()},
        )
        self.chain.give_role(ISSUER, sender.address, Role.ANCHOR)
        return sender

    def run(self, death: tuple[int, bool] | None, act: Any) -> None:
        """Do something as a process does that may die in it, and that may be refused."""
        with ExitStack() as stack:
            if death is not None:
                owner, step = STEPS[death[0]]
                stack.enter_context(patch.object(owner, step, dying(owner, step, after=death[1])))
            with suppress(LedgerError, Crash):
                act()

    def batches(self, *statuses: BatchStatus) -> list[store.Batch]:
        with self.database.read() as tx:
            return store.list_batches(tx, ISSUER, statuses or tuple(BatchStatus))

    # -------------------------------------------------------------------- what we do

    def accept(self, count: int) -> None:
        digests = [sha256(b"%d" % (len(self.accepted) + n)) for n in range(count)]
        new = [
            NewCredential(str(uuid.uuid4()), digest, Canonicalization.NONE, None, None)
            for digest in digests
        ]
        with self.database.write() as tx:
            add_credentials(tx, ISSUER, new, now=self.now)
        self.accepted += digests

    @rule(count=st.integers(1, 3), death=DEATHS)
    def accept_and_seal(self, count: int, death: tuple[int, bool] | None) -> None:
        self.accept(count)
        self.run(death, lambda: sealing.seal(self.database, ISSUER, now=self.now))

    @rule(death=DEATHS)
    def submit(self, death: tuple[int, bool] | None) -> None:
        self.run(death, lambda: anchoring.submit_all(self.outbox, self.sender, REGISTRY, ISSUER))

    @rule(death=DEATHS)
    def advance(self, death: tuple[int, bool] | None) -> None:
        self.run(death, lambda: anchoring.advance(self.outbox, REGISTRY))

    @rule(death=DEATHS)
    def resend(self, death: tuple[int, bool] | None) -> None:
        self.run(death, self.outbox.resend)

    @rule(death=DEATHS)
    def replace(self, death: tuple[int, bool] | None) -> None:
        self.now += 20
        self.run(death, lambda: self.outbox.replace(self.sender))

    @precondition(lambda self: self.batches(BatchStatus.SUBMITTED))
    @rule(death=DEATHS)
    def cancel(self, death: tuple[int, bool] | None) -> None:
        row = self.batches(BatchStatus.SUBMITTED)[0].transaction_id
        assert row is not None
        self.run(death, lambda: self.outbox.cancel(self.sender, row))

    @rule(
        first=st.sampled_from(sorted(ACTS)),
        second=st.sampled_from(sorted(ACTS)),
        question=st.integers(1, 20),
        death=DEATHS,
    )
    def two_workers_act(
        self, first: str, second: str, question: int, death: tuple[int, bool] | None
    ) -> None:
        """One does something whole while the other waits for an answer of the chain."""
        self.accept(1)
        call, asked = self.chain.call, 0

        def answer(method: str, params: Sequence[Any]) -> Any:
            nonlocal asked
            asked += 1
            if asked == question:
                with suppress(LedgerError, Crash):
                    ACTS[second](self, self.other_outbox)
            return call(method, params)

        with patch.object(self.chain, "call", answer):
            self.run(death, lambda: ACTS[first](self, self.outbox))

    # -------------------------------------------------------------------- what the world does

    @rule(count=st.integers(1, 4))
    def blocks_come(self, count: int) -> None:
        self.chain.mine(count)

    @rule(depth=st.integers(1, 2), ours=st.booleans(), theirs=st.booleans())
    def blocks_are_reorganised(self, depth: int, *, ours: bool, theirs: bool) -> None:
        keeps = [key.address for key, kept in ((self.sender, ours), (self.rival, theirs)) if kept]
        self.chain.reorganise(depth, keeps=keeps)

    @rule()
    def the_pool_is_lost(self) -> None:
        self.chain.pool.clear()

    @rule(is_down=st.booleans(), loses=st.booleans())
    def the_node_changes(self, *, is_down: bool, loses: bool) -> None:
        self.chain.is_down, self.chain.loses_broadcasts = is_down, loses

    @rule(gwei=st.integers(1, 8))
    def gas_changes(self, gwei: int) -> None:
        self.chain.base_fee = gwei * 10**9

    @precondition(lambda self: self.batches(BatchStatus.SEALED))
    @rule()
    def somebody_else_anchors_a_root_of_ours(self) -> None:
        batch = self.batches(BatchStatus.SEALED)[0]
        data = calls.anchor(batch.issuer, batch.root, batch.size)
        nonce = self.chain.count(self.rival.address)
        self.send(self.rival, Call(REGISTRY, data), nonce)

    @precondition(lambda self: self.batches(BatchStatus.SUBMITTED))
    @rule()
    def somebody_else_uses_our_key(self) -> None:
        """At the nonce that our first waiting transaction has."""
        nonce = self.chain.count(self.sender.address)
        self.chain.pool.pop((self.sender.address, nonce), None)
        self.send(self.sender, Call(self.sender.address, b""), nonce)

    def send(self, sender: Sender, call: Call, nonce: int) -> None:
        fees = Fees(tip_wei=10**10, cap_wei=10**11)
        signed = sender.sign(Prepared(call, 100_000, fees, nonce, 0), nonce=nonce)
        down, self.chain.is_down = self.chain.is_down, False
        with suppress(LedgerError):
            self.chain.call("eth_sendRawTransaction", ["0x" + signed.raw.hex()])
        self.chain.is_down = down

    # -------------------------------------------------------------------- what is always so

    @invariant()
    def no_root_of_ours_is_anchored_twice(self) -> None:
        anchored = Counter(
            root for key, _, root, _ in self.chain.anchors() if key != self.rival.address
        )
        assert all(count == 1 for count in anchored.values())

    def teardown(self) -> None:
        self.chain.is_down = self.chain.loses_broadcasts = False
        self.chain.base_fee = 10**9
        for _ in range(ROUNDS):
            self.go_on()
        self.check()
        self.database.close()
        self.other_database.close()
        shutil.rmtree(self.folder)

    def go_on(self) -> None:
        """Do what people and machines do anyway until everything is done."""
        self.now += 20
        sealing.seal(self.database, ISSUER, now=self.now)
        anchoring.advance(self.outbox, REGISTRY)
        self.outbox.accept_chain()
        with suppress(LedgerError):
            anchoring.submit_all(self.outbox, self.sender, REGISTRY, ISSUER)
        self.outbox.resend()
        self.outbox.replace(self.sender)
        self.chain.mine(3)
        anchoring.advance(self.outbox, REGISTRY)

    def check(self) -> None:
        """Check what must be so at the end of every history."""
        ours = [root for key, _, root, _ in self.chain.anchors() if key != self.rival.address]
        check_all_is_well(
            self.outbox,
            REGISTRY,
            anchored=Counter(ours),
            counts={self.sender.address: self.chain.count(self.sender.address)},
            accepted=self.accepted,
        )


def dying(owner: object, step: str, *, after: bool) -> Any:
    """Return the function at `step` so that it dies before or after its work."""
    function = getattr(owner, step)

    def run_and_die(*arguments: Any, **named: Any) -> None:
        if after:
            function(*arguments, **named)
        raise Crash

    return run_and_die


TestBatchLife = BatchLife.TestCase
TestBatchLife.settings = settings(
    max_examples=int(os.environ.get("LEDGER_TEST_HISTORIES", "50")),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
