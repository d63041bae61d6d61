"""Build, sign and send transactions, with web3.

This is the only module that imports web3 and eth_account: they cost seconds to
load, and reading needs neither. It stores nothing; `ledger.chain.outbox` decides
in which order signing, storing and sending happen.

Source: EIP-1559, EIP-155.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import requests
from eth_account import Account
from eth_typing import ChecksumAddress
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractLogicError, Web3Exception, Web3RPCError
from web3.providers.rpc.utils import REQUEST_RETRY_ALLOWLIST, ExceptionRetryConfiguration
from web3.types import TxParams

from ledger.chain.fees import Fees, market_fees, with_margin
from ledger.chain.keystore import Secret, address_of
from ledger.chain.registry.calls import decode_revert
from ledger.chain.transaction import Call, SignedTransaction, WouldRevertError
from ledger.errors import ChainError, ConflictError
from ledger.primitives import Address, Hash32, format_address, format_chain

TIMEOUT_SECONDS: Final = 20

_ALREADY_SENT: Final = ("already known", "known transaction", "already imported", "nonce too low")
"""What nodes say of bytes they have, or whose nonce is used: look the hash up."""


class Sender:
    """One key on one chain, through one or more endpoints; the first is asked, all are told."""

    def __init__(
        self, endpoints: Sequence[str], *, chain: int, key: Secret, fee_ceiling_wei: int
    ) -> None:
        self.address = address_of(key)
        self._chain = chain
        self._key = key
        self._fee_ceiling_wei = fee_ceiling_wei
        self._nodes = [Web3(_provider(url)) for url in endpoints]
        self._node = self._nodes[0]

    def check_chain(self) -> None:
        """Return when the first endpoint is on the right chain.

        Raises:
            ChainError: it is on another, or does not answer.

        """
        with _chain_errors():
            found = self._node.eth.chain_id
        if found != self._chain:
            raise ChainError(
                "wrong-chain",
                f"the endpoint is on {format_chain(found)}, not on {format_chain(self._chain)}",
            )

    def transaction_count(self) -> int:
        """Return how many transactions of this key the node knows, waiting ones included."""
        with _chain_errors():
            return self._node.eth.get_transaction_count(_web3_address(self.address), "pending")

    def prepare(self, call: Call) -> tuple[int, Fees]:
        """Try the call, and return its gas limit and the fees to offer now.

        Raises:
            WouldRevertError: the contract would refuse it.
            ConflictError: the key cannot pay (`insufficient-funds`), or gas is above the ceiling.
            ChainError: the node did not answer.

        """
        params = self._params(call)
        with _chain_errors():
            self._node.eth.call(params)
            gas = with_margin(self._node.eth.estimate_gas(params))
            base_fee = self._node.eth.get_block("latest")["baseFeePerGas"]
            tip = self._node.eth.max_priority_fee
            balance = self._node.eth.get_balance(_web3_address(self.address))
        fees = market_fees(base_fee_wei=base_fee, tip_wei=tip, ceiling_wei=self._fee_ceiling_wei)
        if balance < gas * fees.cap_wei:
            raise ConflictError(
                "insufficient-funds",
                f"{format_address(self.address)} has {balance / 10**18:.6f} ether and may need "
                f"{gas * fees.cap_wei / 10**18:.6f}: fund it, then try again",
            )
        return gas, fees

    def sign(self, call: Call, *, nonce: int, gas: int, fees: Fees) -> SignedTransaction:
        """Sign one transaction; nothing is sent."""
        signed = Account.sign_transaction(
            {
                "type": 2,
                "chainId": self._chain,
                "nonce": nonce,
                "to": _web3_address(call.to),
                "value": 0,
                "data": call.data,
                "gas": gas,
                "maxFeePerGas": fees.cap_wei,
                "maxPriorityFeePerGas": fees.tip_wei,
            },
            self._key.reveal(),
        )
        return SignedTransaction(raw=bytes(signed.raw_transaction), hash=Hash32(bytes(signed.hash)))

    def _params(self, call: Call) -> TxParams:
        return {
            "from": _web3_address(self.address),
            "to": _web3_address(call.to),
            "data": call.data,
        }


def broadcast(endpoints: Sequence[str], raw: bytes) -> None:
    """Give signed bytes to every endpoint; good when one takes them or has them already.

    Raises:
        ChainError: none took them. They may have arrived all the same: look the hash up.

    """
    refused: ChainError | None = None
    taken = 0
    for url in endpoints:
        try:
            with _chain_errors():
                _send(Web3(_provider(url)), raw)
            taken += 1
        except ChainError as error:
            refused = error
    if not taken and refused is not None:
        raise refused


def _send(node: Web3, raw: bytes) -> None:
    try:
        node.eth.send_raw_transaction(raw)
    except Web3RPCError as error:
        message = str(error).lower()
        if "unknown transaction" in message or not any(s in message for s in _ALREADY_SENT):
            raise


def _provider(url: str) -> HTTPProvider:
    # web3 would send a transaction again on its own; only the outbox may.
    reads = [name for name in REQUEST_RETRY_ALLOWLIST if name != "eth_sendRawTransaction"]
    return HTTPProvider(
        url,
        request_kwargs={"timeout": TIMEOUT_SECONDS},
        exception_retry_configuration=ExceptionRetryConfiguration(
            errors=(requests.ConnectionError, requests.Timeout), retries=2, method_allowlist=reads
        ),
    )


def _web3_address(address: Address) -> ChecksumAddress:
    return Web3.to_checksum_address("0x" + address.hex())


@contextmanager
def _chain_errors() -> Iterator[None]:
    """Turn what web3 raises into our own classes; a URL is never part of a message."""
    try:
        yield
    except ContractLogicError as error:
        data = error.data if isinstance(error.data, str) else ""
        revert = decode_revert(bytes.fromhex(data[2:])) if data.startswith("0x") else None
        raise WouldRevertError(revert, error.message or "no reason given") from None
    except requests.Timeout:
        raise ChainError("rpc-timeout", "the endpoint did not answer in time") from None
    except requests.RequestException:
        raise ChainError(
            "rpc-unreachable", "the endpoint cannot be reached: is the node running?"
        ) from None
    except Web3Exception as error:
        raise ChainError("rpc-error", f"the node refused: {error}") from None
