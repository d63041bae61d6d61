"""Sending on a real chain: what is refused, and that nothing is left behind when it is."""

from dataclasses import replace
from typing import Any

import pytest

from ledger.chain import store
from ledger.chain.alarms.store import list_alarms
from ledger.chain.artifact import code_hash
from ledger.chain.broadcasting import broadcast
from ledger.chain.fees import FeeLimits
from ledger.chain.keystore import Secret
from ledger.chain.outbox import Outbox
from ledger.chain.registry import calls
from ledger.chain.rpc import Rpc
from ledger.chain.sender import Sender
from ledger.chain.signer import KeySigner
from ledger.chain.store import Outcome, Purpose, TransactionState
from ledger.chain.transaction import Call, WouldRevertError
from ledger.errors import ChainError, ConflictError
from ledger.primitives import Address, format_address, sha256

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


def poor_relation(on: Chain, **changes: Any) -> Sender:
    """Return a sender without a grant, or with something else than it should have."""
    given: dict[str, Any] = {
        "endpoints": [on.rpc],
        "chain": on.chain_id,
        "signer": KeySigner(Secret(sha256(b"poor"))),
        "limits": FeeLimits(cap_wei=10**12, tip_wei=10**11),
        "codes": {on.registry: code_hash()},
    }
    given |= changes
    return Sender(given.pop("endpoints"), **given)


def test_a_key_that_cannot_pay_is_told_what_to_fund(chain: Chain, outbox: Outbox) -> None:
    call = Call(chain.registry, calls.register_issuer("did:x:y"))
    with pytest.raises(ConflictError, match="0x") as raised:
        outbox.submit(poor_relation(chain), call, Purpose.ANCHOR)
    assert raised.value.code == "insufficient-funds"
    assert_nothing_is_stored(outbox)


def test_gas_above_the_ceiling_is_not_bought(chain: Chain, outbox: Outbox) -> None:
    frugal = chain.sender()
    frugal.limits = FeeLimits(cap_wei=1, tip_wei=1)
    call = Call(chain.registry, calls.register_issuer("did:x:y"))
    with pytest.raises(ConflictError) as raised:
        outbox.submit(frugal, call, Purpose.ANCHOR)
    assert raised.value.code == "fees-too-high"
    assert_nothing_is_stored(outbox)


def test_a_chain_that_is_down_stops_before_anything_is_stored(chain: Chain, outbox: Outbox) -> None:
    lost = poor_relation(chain, endpoints=[Rpc(NOBODY)])
    with pytest.raises(ChainError) as raised:
        outbox.submit(lost, Call(chain.registry, b""), Purpose.ANCHOR)
    assert raised.value.code == "rpc-unreachable"
    assert_nothing_is_stored(outbox)


def test_another_chain_is_noticed_before_anything_is_signed(chain: Chain, outbox: Outbox) -> None:
    elsewhere = poor_relation(chain, chain=1)
    call = Call(chain.registry, calls.register_issuer("did:x:y"))
    with pytest.raises(ChainError, match="eip155:31337, not on eip155:1") as raised:
        outbox.submit(elsewhere, call, Purpose.ANCHOR)
    assert raised.value.code == "wrong-chain"
    assert_nothing_is_stored(outbox)


def test_a_registry_that_is_not_there_is_noticed_before_anything_is_signed(
    chain: Chain, outbox: Outbox
) -> None:
    nowhere = Address(bytes(19) + b"\x77")
    sender = poor_relation(chain, codes={nowhere: code_hash()})
    with pytest.raises(ConflictError, match="ledger deploy") as raised:
        outbox.submit(sender, Call(nowhere, calls.register_issuer("did:x:y")), Purpose.ANCHOR)
    assert raised.value.code == "no-registry"
    assert_nothing_is_stored(outbox)


def test_other_code_at_the_registrys_address_is_noticed_before_anything_is_signed(
    chain: Chain, outbox: Outbox
) -> None:
    other = Address(bytes(19) + b"\x78")
    chain.rpc.call("anvil_setCode", [format_address(other), "0x00"])
    sender = poor_relation(chain, codes={other: code_hash()})
    with pytest.raises(ConflictError) as raised:
        outbox.submit(sender, Call(other, calls.register_issuer("did:x:y")), Purpose.ANCHOR)
    assert raised.value.code == "other-code"
    assert_nothing_is_stored(outbox)


def test_an_account_that_runs_somebodys_code_signs_nothing(chain: Chain, outbox: Outbox) -> None:
    """EIP-7702: whoever it was delegated to may spend its balance and its nonces."""
    sender = chain.sender()
    delegation = "0xef0100" + "11" * 20
    chain.rpc.call("anvil_setCode", [format_address(sender.address), delegation])
    call = Call(chain.registry, calls.register_issuer("did:x:delegated"))
    with pytest.raises(ConflictError, match="delegated to a contract") as raised:
        outbox.submit(sender, call, Purpose.REGISTER)
    assert raised.value.code == "delegated-account"
    assert_nothing_is_stored(outbox)


def test_a_key_without_the_role_is_told_how_to_get_it(chain: Chain, outbox: Outbox) -> None:
    owner = chain.sender()
    chain.send(outbox, owner, calls.register_issuer("did:x:roles"))
    (number,) = [chain.contract.functions.issuerCount().call()]
    call = Call(chain.registry, calls.anchor(number, sha256(b"root"), 1))
    with pytest.raises(WouldRevertError, match="ledger operator set") as raised:
        outbox.submit(owner, call, Purpose.ANCHOR)
    assert raised.value.code == "would-revert"
    assert_nothing_is_stored(outbox)


def test_the_same_bytes_may_be_sent_again(chain: Chain, outbox: Outbox) -> None:
    """While they wait, and when they are long in a block."""
    sender = chain.sender()
    row = outbox.submit(
        sender, Call(chain.registry, calls.register_issuer("did:x:again")), Purpose.REGISTER
    )
    with outbox.database.read() as tx:
        raw = store.get_transaction(tx, row).attempts[-1].raw
    broadcast([chain.rpc], raw)
    chain.mine(3)
    (done,) = outbox.wait([row], state=TransactionState.FINAL, timeout_seconds=30)
    broadcast([chain.rpc], raw)
    assert done.outcome is Outcome.DONE
    assert chain.count(sender) == 1


def test_one_endpoint_of_several_is_enough_to_send(chain: Chain, outbox: Outbox) -> None:
    with Rpc(NOBODY) as nobody:
        sender = chain.sender()
        sender._endpoints = (nobody, chain.rpc)
        through_both = replace(outbox, endpoints=(nobody, chain.rpc))
        call = Call(chain.registry, calls.register_issuer("did:x:two"))
        row = through_both.submit(sender, call, Purpose.REGISTER)
        chain.mine()
        (done,) = through_both.wait([row], state=TransactionState.INCLUDED, timeout_seconds=30)
    assert done.outcome is Outcome.DONE


def test_a_key_that_can_soon_pay_no_more_raises_an_alarm(chain: Chain, outbox: Outbox) -> None:
    sender = chain.sender()
    watched = replace(outbox, low_balance_transactions=50)
    call = Call(chain.registry, calls.register_issuer("did:x:low"))
    prepared = sender.prepare(call)
    account = format_address(sender.address)
    chain.rpc.call("anvil_setBalance", [account, hex(prepared.gas * prepared.fees.cap_wei * 20)])
    watched.submit(sender, call, Purpose.REGISTER)
    with outbox.database.read() as tx:
        (alarm,) = list_alarms(tx)
    assert (alarm.code, alarm.subject, alarm.stops_sending) == ("low-balance", account, False)
    chain.rpc.call("anvil_setBalance", [account, hex(10**20)])
    watched.submit(sender, Call(chain.registry, calls.register_issuer("did:x:b")), Purpose.REGISTER)
    with outbox.database.read() as tx:
        assert list_alarms(tx) == []


def test_bytes_that_are_no_transaction_are_refused(chain: Chain) -> None:
    with pytest.raises(ChainError):
        broadcast([chain.rpc], b"\x02nonsense")


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
    assert len(requests) == 3
    assert_nothing_is_stored(outbox)
