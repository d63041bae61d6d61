"""Keys in this process and in a signer program sign alike, and a wrong signer is noticed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from eth_account import Account

from ledger.chain import signer as signer_module
from ledger.chain import store
from ledger.chain.devchain import fund
from ledger.chain.fees import FeeLimits, Fees
from ledger.chain.keystore import KeyName, Secret, address_of
from ledger.chain.nonces import store as nonces
from ledger.chain.outbox import Outbox
from ledger.chain.registry import calls
from ledger.chain.sender import Prepared, Sender
from ledger.chain.signer import ExternalSigner, KeySigner, Signer, SignerProcess
from ledger.chain.store import Outcome, Purpose, TransactionState
from ledger.chain.transaction import Call
from ledger.errors import ConflictError, DeniedError
from ledger.primitives import Hash32, sha256

from .conftest import Chain

SEED = sha256(b"a key elsewhere")
DIGEST = Hash32(sha256(b"digest"))


@contextmanager
def program(mode: str) -> Iterator[SignerProcess]:
    process = SignerProcess([sys.executable, "-m", "tests.chain.signer_program", mode, SEED.hex()])
    try:
        yield process
    finally:
        process.close()


def sender(chain: Chain, signer: Signer) -> Sender:
    limits = FeeLimits(cap_wei=10**12, tip_wei=10**11)
    return Sender([chain.rpc], chain=chain.chain_id, signer=signer, limits=limits, codes={})


def test_a_key_signs_as_eth_account_does(chain: Chain) -> None:
    ours = sender(chain, KeySigner(Secret(SEED)))
    call = Call(chain.registry, b"data")
    signed = ours.sign(Prepared(call, 50_000, Fees(tip_wei=3, cap_wei=9), 4, 0), nonce=4)
    theirs = Account.sign_transaction(
        {
            "type": 2,
            "chainId": chain.chain_id,
            "nonce": 4,
            "to": chain.web3.to_checksum_address("0x" + chain.registry.hex()),
            "value": 0,
            "data": b"data",
            "gas": 50_000,
            "maxFeePerGas": 9,
            "maxPriorityFeePerGas": 3,
        },
        SEED,
    )
    assert signed.raw == bytes(theirs.raw_transaction)
    assert signed.hash == bytes(theirs.hash)


@pytest.mark.parametrize("mode", ["honest", "ethereum v"])
def test_a_signer_program_signs_what_the_chain_takes(
    chain: Chain, outbox: Outbox, mode: str
) -> None:
    with program(mode) as process:
        signer = ExternalSigner(process, KeyName.OWNER)
        assert signer.address == address_of(Secret(SEED))
        fund(chain.rpc_url, [signer.address])
        call = Call(chain.registry, calls.register_issuer(f"did:x:{mode}"))
        row = outbox.submit(sender(chain, signer), call, Purpose.REGISTER)
    chain.mine()
    (done,) = outbox.wait([row], state=TransactionState.INCLUDED, timeout_seconds=30)
    assert done.outcome is Outcome.DONE


@pytest.mark.parametrize(
    "mode", ["dies", "hangs", "floods", "no JSON", "another key", "high s", "too short"]
)
def test_a_signer_that_does_not_sign_uses_no_nonce(
    chain: Chain, outbox: Outbox, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    with program(mode) as process:
        signer = ExternalSigner(process, KeyName.OWNER)
        fund(chain.rpc_url, [signer.address])
        monkeypatch.setattr(signer_module, "ANSWER_SECONDS", 0.5)
        call = Call(chain.registry, calls.register_issuer("did:x:signer"))
        with pytest.raises(ConflictError) as raised:
            outbox.submit(sender(chain, signer), call, Purpose.REGISTER)
        assert raised.value.code == "signer-failed"
    with outbox.database.read() as tx:
        assert store.list_unfinished(tx) == []
        assert nonces.list_senders(tx) == {}


def test_a_refusal_is_told_in_the_signers_words() -> None:
    with program("refuses") as process:
        signer = ExternalSigner(process, KeyName.ANCHOR)
        with pytest.raises(DeniedError, match="not at this hour") as raised:
            signer.sign(DIGEST)
        assert raised.value.code == "signer-refused"
        assert "\n" not in raised.value.message


def test_a_signer_that_is_not_there_is_told() -> None:
    for command in (["/nonexistent/signer"], [sys.executable, "-c", "print('{}')"]):
        process = SignerProcess(command)
        with pytest.raises(ConflictError) as raised:
            ExternalSigner(process, KeyName.ANCHOR)
        assert raised.value.code == "signer-failed"
        process.close()
