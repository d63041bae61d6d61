"""Whatever a node does wrong, and whenever: the batch is anchored once, and nothing is lost."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ledger.batches.status import BatchStatus
from ledger.chain.quorum import Quorum
from ledger.chain.rpc import Rpc
from ledger.errors import ChainError, ConflictError
from ledger.primitives import format_address

from .rpc_proxy import Failure, Proxy, rpc_proxy
from .test_anchoring import Setup, setup
from .test_batch_life import alarms, no_blocks, other_operator, transaction_of

__all__ = ["setup"]

IMPATIENT_SECONDS = 2.0
READING = [
    Failure.TIMEOUT_BEFORE,
    Failure.TOO_MANY_REQUESTS,
    Failure.SERVER_ERROR,
    Failure.TRUNCATED,
    Failure.WRONG_ID,
    Failure.NOT_JSON,
    Failure.LIMIT,
]


def every_failure(first: str, *others: str) -> list[tuple[str, Failure]]:
    """Return every failure of one method, and one of each other: the transport is the same."""
    return [(first, f) for f in READING] + [(other, Failure.LIMIT) for other in others]


@pytest.fixture
def proxy(setup: Setup) -> Iterator[Proxy]:
    with (
        rpc_proxy(setup.chain.rpc_url) as proxy,
        Rpc(proxy.url, timeout_seconds=IMPATIENT_SECONDS) as rpc,
    ):
        honest = setup.outbox, setup.sender._endpoints
        setup.outbox = replace(setup.outbox, rpc=rpc, endpoints=(rpc,))
        setup.sender._endpoints = (rpc,)

        def heal() -> None:
            setup.outbox, setup.sender._endpoints = honest

        proxy.heal = heal
        yield proxy


@pytest.mark.parametrize(
    ("method", "failure"), every_failure("eth_chainId", "eth_call", "eth_estimateGas")
)
def test_a_node_that_fails_before_signing_leaves_the_batch_sealed(
    setup: Setup, proxy: Proxy, method: str, failure: Failure
) -> None:
    proxy.fail_next(method, failure)
    with pytest.raises(ChainError):
        setup.submit()
    assert proxy.hits == 1
    batch = setup.load()
    assert (batch.status, batch.transaction_id) == (BatchStatus.SEALED, None)
    proxy.heal()
    setup.run_to_the_end()
    setup.check()


@pytest.mark.parametrize("failure", list(Failure))
def test_a_node_that_fails_at_the_broadcast_never_makes_a_second_transaction(
    setup: Setup, proxy: Proxy, failure: Failure
) -> None:
    proxy.fail_next("eth_sendRawTransaction", failure)
    try:
        setup.submit()
    except ChainError:
        is_refused = True
    else:
        is_refused = False
    assert proxy.hits == 1
    # What is known, used or underpriced is looked up; what was dropped seems taken.
    assert is_refused is (
        failure
        not in {
            Failure.DROPPED,
            Failure.ALREADY_KNOWN,
            Failure.NONCE_TOO_LOW,
            Failure.UNDERPRICED,
        }
    )
    assert setup.load().status is BatchStatus.SUBMITTED
    proxy.heal()
    setup.run_to_the_end()
    setup.check()
    assert len(transaction_of(setup).attempts) == 1


@pytest.mark.parametrize(
    ("method", "failure"),
    every_failure(
        "eth_getTransactionReceipt",
        "eth_getBlockByNumber",
        "eth_getTransactionCount",
        "eth_getStorageAt",
    ),
)
def test_a_node_that_fails_while_we_look_moves_no_batch(
    setup: Setup, proxy: Proxy, method: str, failure: Failure
) -> None:
    setup.submit()
    setup.chain.mine(3)
    proxy.fail_next(method, failure)
    with pytest.raises(ChainError):
        setup.advance()
    assert proxy.hits == 1
    assert setup.load().status is BatchStatus.SUBMITTED
    proxy.heal()
    setup.run_to_the_end()
    setup.check()


def test_a_node_that_moved_to_another_chain_is_noticed_before_anything_is_signed(
    setup: Setup, proxy: Proxy
) -> None:
    """The endpoint was right when the process started, and is not at the next connection."""
    setup.sender.market()
    proxy.replaced = {"eth_chainId": "0x1"}
    with pytest.raises(ChainError) as raised:
        setup.submit()
    assert raised.value.code == "wrong-chain"
    with pytest.raises(ChainError) as raised:
        setup.advance()
    assert raised.value.code == "wrong-chain"
    assert setup.load().status is BatchStatus.SEALED
    proxy.replaced = {"eth_getCode": "0x"}
    with pytest.raises(ConflictError) as conflict:
        setup.submit()
    assert conflict.value.code == "no-registry"
    proxy.replaced = None
    proxy.heal()
    setup.run_to_the_end()
    setup.check()


def test_a_node_behind_what_was_final_is_not_believed(setup: Setup, proxy: Proxy) -> None:
    early = setup.chain.rpc.call("eth_getBlockByNumber", ["latest", False])
    setup.submit()
    setup.chain.mine(5)
    setup.advance()
    assert setup.load().status is BatchStatus.FINAL
    proxy.replaced = {"eth_getBlockByNumber": early}
    with pytest.raises(ChainError) as raised:
        setup.advance()
    assert raised.value.code == "stale-node"
    assert setup.load().status is BatchStatus.FINAL
    proxy.replaced = None
    proxy.heal()
    setup.run_to_the_end()
    setup.check()


def test_a_node_without_receipts_does_not_make_a_foreign_winner_of_our_own(
    setup: Setup, proxy: Proxy
) -> None:
    """It can make the batch sealed again, and the record of the root then says what is so."""
    with no_blocks(setup.chain):
        setup.submit()
        setup.chain.mine(4)
        proxy.replaced = {"eth_getTransactionReceipt": None}
        setup.advance()
        proxy.replaced = None
    assert setup.load().status is BatchStatus.FINAL
    proxy.heal()
    setup.run_to_the_end()
    setup.check()


def test_transactions_go_to_every_endpoint_and_facts_need_most_of_them(
    setup: Setup, proxy: Proxy
) -> None:
    with Rpc(setup.chain.rpc_url) as second, Rpc(setup.chain.rpc_url) as third:
        liar = Rpc(proxy.url, timeout_seconds=IMPATIENT_SECONDS)
        with Quorum([liar, second, third], 2) as quorum:
            setup.outbox = replace(setup.outbox, rpc=quorum, endpoints=(liar, second))
            proxy.fail_next("eth_sendRawTransaction", Failure.DROPPED)
            setup.submit()
            assert proxy.hits == 1
            proxy.replaced = {"eth_getStorageAt": "0x" + "00" * 32}
            setup.run_to_the_end()
            setup.check()


def test_one_refused_transaction_does_not_keep_the_others_from_being_followed(
    setup: Setup, proxy: Proxy
) -> None:
    """Such as one of a key whose account a thief has emptied."""
    with no_blocks(setup.chain):
        setup.submit()
        setup.chain.rpc.call("anvil_dropAllTransactions", [])
        account = format_address(setup.sender.address)
        setup.chain.rpc.call("anvil_setBalance", [account, "0x1"])
        first, setup.batch = setup.batch, setup.seal(b"c")
        proxy.heal()
        healthy = other_operator(setup)
        poor, setup.sender = setup.sender, healthy
        setup.submit()
        setup.outbox.resend()
        assert alarms(setup) == ["not-taken"]
        setup.chain.mine(4)
        setup.advance()
        assert setup.load().status is BatchStatus.FINAL
    setup.chain.rpc.call("anvil_setBalance", [account, hex(10**20)])
    setup.batch, setup.sender = first, poor
    setup.run_to_the_end()
    setup.check()
    assert alarms(setup) == []


def test_bytes_are_broadcast_again_only_after_a_while(setup: Setup, proxy: Proxy) -> None:
    sent = setup.outbox.clock()
    setup.outbox = replace(setup.outbox, resend_seconds=30, clock=lambda: sent)
    with no_blocks(setup.chain):
        setup.submit()
        proxy.fail_next("eth_sendRawTransaction", Failure.LIMIT)
        setup.outbox.resend()
        assert proxy.hits == 0
        setup.outbox = replace(setup.outbox, clock=lambda: sent + 30)
        setup.outbox.resend()
        assert proxy.hits == 1
        assert alarms(setup) == ["not-taken"]
        setup.outbox.resend()
        assert alarms(setup) == []
    setup.outbox = replace(setup.outbox, clock=lambda: sent + 60)
    proxy.heal()
    setup.run_to_the_end()
    setup.check()
