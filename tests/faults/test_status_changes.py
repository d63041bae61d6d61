"""A status change that was asked for happens once, wherever whoever carries it out dies."""

from collections import Counter
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from ledger.batches import credential_status
from ledger.batches.credential_status import StatusChange
from ledger.batches.events.store import events
from ledger.batches.requests import carrying_out, store
from ledger.batches.requests.requesting import request_change, request_revocation_of_batch
from ledger.batches.requests.store import RequestState, StatusRequest
from ledger.chain import outbox as outbox_module
from ledger.chain import store as chain_store
from ledger.chain.nonces import store as nonces
from ledger.chain.outbox import Outbox
from ledger.chain.registry.calls import StatusAction
from ledger.chain.registry.slots import Role
from ledger.chain.sender import Sender
from ledger.chain.store import Purpose, TransactionState
from ledger.credentials.store import read_batch
from ledger.issuers.registration import give_roles
from tests.chain.conftest import Chain

from .test_anchoring import Crash, _die, after, mined
from .test_batch_life import no_blocks, raise_base_fee
from .working import Works

REVOKE = StatusChange(StatusAction.REVOKE, 1)


class Changes(Works):
    """The same, with its first batch final and a status key of its own."""

    def __init__(self, chain: Chain, outbox: Outbox, folder: Path) -> None:
        super().__init__(chain, outbox, folder)
        self.status_sender = chain.sender()
        key = self.status_sender.address
        with mined(chain):
            give_roles(outbox, self.owner, chain.registry, self.issuer.number, key, Role.STATUS)
        self.work(rounds=3)

    def ask(self, *indexes: int) -> StatusRequest:
        """Ask that these members of the first batch be revoked."""
        with self.outbox.database.write() as tx:
            members = list(read_batch(tx, self.batch.id))
            names = [members[index].public_id for index in indexes]
            return request_change(tx, self.issuer.number, names, REVOKE, now=self.now)

    def state(self, request: StatusRequest) -> RequestState:
        with self.outbox.database.read() as tx:
            return store.get_request(tx, self.issuer.number, request.id).state

    def sent(self) -> int:
        """Return how many transactions of the status key were stored."""
        with self.outbox.database.read() as tx:
            return len(
                chain_store.list_by_nonce(tx, self.status_sender.address, after=-1, limit=99)
            )

    def masks(self) -> Counter[int]:
        """Return how often the chain has each mask of revocations, those of one word."""
        event = self.chain.contract.events.Revoked()
        logs = event.get_logs(from_block=0, argument_filters={"issuer": self.issuer.number})
        return Counter(log["args"]["mask"] for log in logs)

    def check(self) -> None:
        super().check()
        with self.outbox.database.read() as tx:
            noted = sa.select(sa.func.count(events.c.transaction_id))
            assert tx.execute(noted).scalar_one() == self.sent()
        assert self.chain.count(self.status_sender) == self.sent()


@pytest.fixture
def changes(chain: Chain, outbox: Outbox, tmp_path: Path) -> Changes:
    return Changes(chain, outbox, tmp_path)


STEPS: list[tuple[object, str]] = [
    (Sender, "prepare"),
    (nonces, "take_nonce"),
    (chain_store, "add_transaction"),
    (credential_status, "add_status_changes"),
    (credential_status, "note_change"),
    (credential_status, "note_status"),
    (store, "add_sending"),
    (outbox_module, "broadcast"),
    (chain_store, "mark_sent"),
    (chain_store, "record_inclusion"),
    (carrying_out, "_is_final"),
    (store, "end_request"),
]
"""From a request to its end, in order."""


@pytest.mark.parametrize(("owner", "step"), STEPS, ids=[step for _, step in STEPS])
def test_a_crash_after_any_step_of_a_status_change_makes_it_once(
    changes: Changes, owner: object, step: str
) -> None:
    """After one step is before the next."""
    request = changes.ask(1)
    with patch.object(owner, step, after(getattr(owner, step))), pytest.raises(Crash):
        changes.work(rounds=4)
    changes.work(rounds=4)
    assert changes.state(request) is RequestState.DONE
    assert changes.masks() == {0b10: 1}
    assert changes.sent() == 1
    changes.check()


def test_a_crash_between_two_requests_leaves_the_second_for_later(changes: Changes) -> None:
    first, second = changes.ask(0), changes.ask(1)
    seen = 0
    submit = Outbox.submit

    def die_at_the_second(*arguments: Any, **named: Any) -> int:
        nonlocal seen
        seen += 1
        if seen == 2:
            raise Crash
        return submit(*arguments, **named)

    with patch.object(Outbox, "submit", die_at_the_second), pytest.raises(Crash):
        changes.work(rounds=2)
    changes.work(rounds=6)
    assert {changes.state(first), changes.state(second)} == {RequestState.DONE}
    assert changes.masks() == {0b01: 1, 0b10: 1}
    changes.check()


def test_two_workers_carry_out_a_request_once(changes: Changes) -> None:
    """The second has looked before the first stored its transaction."""
    request = changes.ask(0, 1)
    submit, is_second = Outbox.submit, False

    def be_overtaken(*arguments: Any, **named: Any) -> int:
        nonlocal is_second
        if not is_second:
            is_second = True
            changes.worker().round()
        return submit(*arguments, **named)

    with no_blocks(changes.chain), patch.object(Outbox, "submit", be_overtaken):
        changes.worker().round()
    assert changes.sent() == 1
    changes.work(rounds=4)
    assert changes.state(request) is RequestState.DONE
    assert changes.masks() == {0b11: 1}
    changes.check()


def test_a_reorganisation_that_drops_a_status_change_brings_it_back(changes: Changes) -> None:
    request = changes.ask(0)
    with no_blocks(changes.chain):
        worker = changes.worker()
        worker.round()
        changes.chain.mine()
        worker.round()
        assert changes.masks() == {0b01: 1}
        changes.chain.rpc.call("anvil_reorg", [1, []])
        worker.round()
        assert changes.state(request) is RequestState.WAITING
    changes.work(rounds=4)
    assert changes.state(request) is RequestState.DONE
    assert changes.masks() == {0b01: 1}
    assert changes.sent() == 1
    changes.check()


def test_a_status_change_that_waits_below_the_market_is_replaced(changes: Changes) -> None:
    request = changes.ask(0)
    with no_blocks(changes.chain):
        worker = changes.worker()
        worker.round()
        changes.chain.rpc.call("anvil_dropAllTransactions", [])
        raise_base_fee(changes.chain, 4)
        changes.now += 86_400
        worker.round()
        with changes.outbox.database.read() as tx:
            (waiting,) = chain_store.list_unfinished(tx, [Purpose.STATUS])
    assert waiting.state is TransactionState.STORED
    assert len(waiting.attempts) == 2
    changes.work(rounds=4)
    assert changes.state(request) is RequestState.DONE
    changes.check()


def test_a_batch_whose_revocation_was_cut_short_is_revoked_once(changes: Changes) -> None:
    with changes.outbox.database.write() as tx:
        request = request_revocation_of_batch(
            tx, changes.issuer.number, changes.batch.id, REVOKE, now=changes.now
        )
    with patch.object(chain_store, "mark_sent", _die), pytest.raises(Crash):
        changes.work(rounds=1)
    changes.work(rounds=4)
    assert changes.state(request) is RequestState.DONE
    assert changes.sent() == 1
    changes.check()
