"""Sending on a real chain: what is refused, and that nothing is left behind when it is."""

import pytest

from ledger.chain import sender as sender_module
from ledger.chain import store
from ledger.chain.keystore import Secret
from ledger.chain.outbox import Outbox
from ledger.chain.registry import calls
from ledger.chain.rpc import Rpc
from ledger.chain.sender import Sender
from ledger.chain.store import Purpose, TransactionState
from ledger.chain.transaction import Call, WouldRevertError
from ledger.errors import ChainError, ConflictError
from ledger.primitives import sha256

from .conftest import Chain

NOBODY = "http://127.0.0.1:1"


def assert_nothing_is_stored(outbox: Outbox) -> None:
    with outbox.database.read() as tx:
        assert store.list_unfinished(tx) == []


def test_a_call_the_contract_refuses_is_not_sent(chain: Chain, outbox: Outbox) -> None:
    call = Call(chain.registry, calls.anchor(1, sha256(b"root"), 5))
    with pytest.raises(WouldRevertError, match=r"MissingRole|UnknownIssuer") as raised:
        outbox.submit(chain.sender(), call, Purpose.ANCHOR)
    assert raised.value.revert is not None
    assert_nothing_is_stored(outbox)


def test_a_key_that_cannot_pay_is_told_what_to_fund(chain: Chain, outbox: Outbox) -> None:
    poor = Sender(
        [chain.rpc_url],
        chain=chain.chain_id,
        key=Secret(sha256(b"poor")),
        fee_ceiling_wei=10**12,
    )
    with pytest.raises(ConflictError, match="0x") as raised:
        outbox.submit(poor, Call(chain.registry, calls.register_issuer("did:x:y")), Purpose.ANCHOR)
    assert raised.value.code == "insufficient-funds"
    assert_nothing_is_stored(outbox)


def test_gas_above_the_ceiling_is_not_bought(chain: Chain, outbox: Outbox) -> None:
    frugal = chain.sender()
    frugal._fee_ceiling_wei = 1
    with pytest.raises(ConflictError) as raised:
        outbox.submit(
            frugal, Call(chain.registry, calls.register_issuer("did:x:y")), Purpose.ANCHOR
        )
    assert raised.value.code == "fees-too-high"
    assert_nothing_is_stored(outbox)


def test_a_chain_that_is_down_stops_before_anything_is_stored(chain: Chain, outbox: Outbox) -> None:
    key = Secret(sha256(b"test key 1"))
    lost = Sender([NOBODY], chain=chain.chain_id, key=key, fee_ceiling_wei=10**12)
    with pytest.raises(ChainError) as raised:
        outbox.submit(lost, Call(chain.registry, b""), Purpose.ANCHOR)
    assert raised.value.code == "rpc-unreachable"
    assert_nothing_is_stored(outbox)


def test_another_chain_is_noticed(chain: Chain) -> None:
    elsewhere = Sender([chain.rpc_url], chain=1, key=Secret(sha256(b"key")), fee_ceiling_wei=10**12)
    with pytest.raises(ChainError, match="eip155:31337, not on eip155:1"):
        elsewhere.check_chain()


def test_the_same_bytes_may_be_sent_again(chain: Chain, outbox: Outbox) -> None:
    """While they wait, and when they are long in a block."""
    sender = chain.sender()
    row = outbox.submit(
        sender, Call(chain.registry, calls.register_issuer("did:x:again")), Purpose.REGISTER
    )
    with outbox.database.read() as tx:
        raw = store.get_transaction(tx, row).raw
    sender_module.broadcast([chain.rpc_url], raw)
    chain.mine(3)
    (done,) = outbox.wait([row], state=TransactionState.FINAL, timeout_seconds=30)
    sender_module.broadcast([chain.rpc_url], raw)
    assert done.succeeded
    assert sender.transaction_count() == 1


def test_one_endpoint_of_several_is_enough_to_send(chain: Chain, outbox: Outbox) -> None:
    sender = chain.sender()
    through_both = Outbox(outbox.database, outbox.rpc, (NOBODY, chain.rpc_url), "finalized")
    row = through_both.submit(
        sender, Call(chain.registry, calls.register_issuer("did:x:two")), Purpose.REGISTER
    )
    chain.mine()
    (done,) = through_both.wait([row], state=TransactionState.INCLUDED, timeout_seconds=30)
    assert done.succeeded


def test_bytes_that_are_no_transaction_are_refused(chain: Chain) -> None:
    with pytest.raises(ChainError):
        sender_module.broadcast([chain.rpc_url], b"\x02nonsense")


def test_settling_costs_the_same_requests_for_one_as_for_many(
    chain: Chain, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = chain.sender()
    for number in range(5):
        call = Call(chain.registry, calls.register_issuer(f"did:x:{number}"))
        outbox.submit(sender, call, Purpose.REGISTER)
    chain.mine(3)
    requests = []
    post = Rpc._post

    def count(rpc: Rpc, body: bytes) -> bytes:
        requests.append(body)
        return post(rpc, body)

    monkeypatch.setattr(Rpc, "_post", count)
    outbox.settle()
    assert len(requests) == 2
    assert_nothing_is_stored(outbox)
