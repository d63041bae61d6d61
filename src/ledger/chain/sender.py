"""Try, build and sign transactions, with web3.

This is the only module that imports web3 and eth_account: they cost seconds to
load, and reading needs neither. It stores nothing and sends nothing for good;
`ledger.chain.outbox` decides in which order signing, storing and sending happen.

Everything that can be known before signing is looked at before every signature: the
chain, the code at the registry's address, the sending account, the call itself, fees
and balance. So an endpoint that was restarted on another chain is noticed in time.

Source: EIP-1559, EIP-155, EIP-7702.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_typing import ChecksumAddress
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import ContractLogicError, Web3Exception, Web3RPCError
from web3.providers import BaseProvider
from web3.types import RPCEndpoint, RPCResponse, TxParams

from ledger.chain.artifact import check_code
from ledger.chain.fees import FeeLimits, Fees, Market, first_fees, with_margin
from ledger.chain.refusals import Refusal, classify
from ledger.chain.reverts import find_revert
from ledger.chain.rpc import JsonRpc, RpcError, parse_data, parse_quantity
from ledger.chain.signer import Signer
from ledger.chain.transaction import Call, SignedTransaction, WouldRevertError
from ledger.errors import ChainError, ConflictError
from ledger.primitives import Address, Hash32, format_address, format_chain, keccak256

DELEGATED: Final = bytes.fromhex("ef0100")
"""How the code of an account begins that runs somebody's contract (EIP-7702)."""

PLAIN_TRANSFER_GAS: Final = 21_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was found before signing: the call may run, and this is what it offers."""

    call: Call
    gas: int
    fees: Fees
    chain_nonce: int
    """How many transactions of the key the node knows, waiting ones included."""
    balance_wei: int

    @property
    def left(self) -> int:
        """Return for how many more calls like this one the balance lasts at these fees."""
        return self.balance_wei // (self.gas * self.fees.cap_wei) - 1


class Sender:
    """One key on one chain, through one or more endpoints; the first that answers is asked."""

    def __init__(
        self,
        endpoints: Sequence[JsonRpc],
        *,
        chain: int,
        signer: Signer,
        limits: FeeLimits,
        codes: Mapping[Address, Hash32],
    ) -> None:
        """Make a sender; `codes` holds the code hash of every contract that is called by name."""
        self.address = signer.address
        self.limits = limits
        self._endpoints = tuple(endpoints)
        self._chain = chain
        self._signer = signer
        self._codes = dict(codes)

    def prepare(self, call: Call) -> Prepared:
        """Look at the chain, try the call, and return what to sign.

        Raises:
            WouldRevertError: the contract would refuse it.
            ConflictError: the registry is not there (`no-registry`, `other-code`), the account
                runs somebody's code (`delegated-account`), the key cannot pay
                (`insufficient-funds`), or gas is above the ceiling (`fees-too-high`).
            ChainError: no endpoint answered, or one is on another chain.

        """
        return self._ask_first(lambda rpc: self._prepare(rpc, call))

    def market(self) -> Market:
        """Return what gas costs now, once the chain and the account are what they should be.

        Raises:
            ConflictError, ChainError: as `prepare`.

        """
        return self._ask_first(lambda rpc: self._look(rpc, None)[0])

    def sign(self, prepared: Prepared, *, nonce: int) -> SignedTransaction:
        """Sign a prepared call; nothing is sent."""
        call = prepared.call
        return self._sign(call.to, call.data, nonce=nonce, gas=prepared.gas, fees=prepared.fees)

    def sign_again(self, raw: bytes, fees: Fees) -> SignedTransaction:
        """Sign the same call at the same nonce with other fees; nothing is sent."""
        signed = _fields(raw)
        return self._sign(
            Address(bytes(signed["to"])),
            bytes(signed["data"]),
            nonce=signed["nonce"],
            gas=signed["gas"],
            fees=fees,
        )

    def sign_empty(self, nonce: int, fees: Fees) -> SignedTransaction:
        """Sign sending nothing to oneself, which does nothing but use the nonce."""
        return self._sign(self.address, b"", nonce=nonce, gas=PLAIN_TRANSFER_GAS, fees=fees)

    def _sign(
        self, to: Address, data: bytes, *, nonce: int, gas: int, fees: Fees
    ) -> SignedTransaction:
        fields = {
            "type": 2,
            "chainId": self._chain,
            "nonce": nonce,
            "to": _web3_address(to),
            "value": 0,
            "data": data,
            "gas": gas,
            "maxFeePerGas": fees.cap_wei,
            "maxPriorityFeePerGas": fees.tip_wei,
        }
        digest = Hash32(bytes(TypedTransaction.from_dict(fields).hash()))
        signed = self._signer.sign(digest)
        fields |= {"v": signed.parity, "r": signed.r, "s": signed.s}
        raw = bytes(TypedTransaction.from_dict(fields).encode())
        return SignedTransaction(raw=raw, hash=keccak256(raw))

    def _ask_first(self, ask: Callable[[JsonRpc], T]) -> T:
        """Return the answer of the first endpoint that gives one."""
        silent: ChainError | None = None
        for rpc in self._endpoints:
            try:
                return ask(rpc)
            except ChainError as error:
                if error.code == "wrong-chain":
                    raise
                silent = silent or error
        assert silent is not None  # noqa: S101 - settings name one endpoint at least
        raise silent

    def _prepare(self, rpc: JsonRpc, call: Call) -> Prepared:
        market, nonce, balance = self._look(rpc, call.to)
        params: TxParams = {
            "from": _web3_address(self.address),
            "to": _web3_address(call.to),
            "data": HexBytes(call.data),
        }
        node = Web3(_Transport(rpc), middleware=[])
        with _node_errors():
            node.eth.call(params)
            gas = with_margin(node.eth.estimate_gas(params))
        fees = first_fees(market, self.limits)
        if balance < gas * fees.cap_wei:
            raise ConflictError(
                "insufficient-funds",
                f"{format_address(self.address)} has {balance / 10**18:.6f} ether and may need "
                f"{gas * fees.cap_wei / 10**18:.6f}: fund it, then try again",
            )
        return Prepared(call, gas, fees, nonce, balance)

    def _look(self, rpc: JsonRpc, contract: Address | None) -> tuple[Market, int, int]:
        """Return market, nonce and balance, when chain, contract and account are right."""
        account = format_address(self.address)
        found = rpc.batch(
            [
                ("eth_chainId", []),
                ("eth_getCode", [account, "latest"]),
                ("eth_getTransactionCount", [account, "pending"]),
                ("eth_getBalance", [account, "latest"]),
                ("eth_maxPriorityFeePerGas", []),
                ("eth_getBlockByNumber", ["latest", False]),
                ("eth_getCode", [format_address(contract or self.address), "latest"]),
            ]
        )
        self._check_chain(parse_quantity(found[0]))
        self._check_account(parse_data(found[1]))
        if contract is not None and contract in self._codes:
            check_code(contract, parse_data(found[6]), self._codes[contract])
        block = found[5]
        if not isinstance(block, dict):
            raise ChainError("no-block", "the node has no newest block")
        market = Market(
            base_fee_wei=parse_quantity(block.get("baseFeePerGas")),
            tip_wei=parse_quantity(found[4]),
        )
        return market, parse_quantity(found[2]), parse_quantity(found[3])

    def _check_chain(self, found: int) -> None:
        if found != self._chain:
            raise ChainError(
                "wrong-chain",
                f"the endpoint is on {format_chain(found)}, not on {format_chain(self._chain)}",
            )

    def _check_account(self, code: bytes) -> None:
        if code:
            kind = "delegated to a contract" if code.startswith(DELEGATED) else "a contract"
            raise ConflictError(
                "delegated-account",
                f"the account {format_address(self.address)} is {kind}: somebody else may spend "
                "its balance and its nonces. Nothing was sent; use another key",
            )


def fees_of(raw: bytes) -> Fees:
    """Return what signed bytes offer."""
    signed = _fields(raw)
    return Fees(tip_wei=signed["maxPriorityFeePerGas"], cap_wei=signed["maxFeePerGas"])


def _fields(raw: bytes) -> dict[str, Any]:
    return dict(TypedTransaction.from_bytes(HexBytes(raw)).as_dict())


class _Transport(BaseProvider):
    """Lets web3 speak through our own bounded transport."""

    def __init__(self, rpc: JsonRpc) -> None:
        super().__init__()
        self._rpc = rpc

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:  # noqa: ANN401
        """Ask one thing; what a node refuses goes to web3, which knows every client's words."""
        try:
            result = self._rpc.call(method, params)
        except RpcError as error:
            said: dict[str, Any] = {"code": error.node_code, "message": error.node_message}
            if isinstance(error.node_data, str):
                said["data"] = error.node_data
            return {"jsonrpc": "2.0", "id": 0, "error": said}  # type: ignore[typeddict-item]
        return {"jsonrpc": "2.0", "id": 0, "result": result}


def _web3_address(address: Address) -> ChecksumAddress:
    return ChecksumAddress(format_address(address))  # type: ignore[arg-type]


@contextmanager
def _node_errors() -> Iterator[None]:
    """Turn what web3 raises into our own classes."""
    try:
        yield
    except ContractLogicError as error:
        raise WouldRevertError(
            find_revert(error.data), error.message or "no reason given"
        ) from None
    except Web3RPCError as error:
        if classify(str(error)) is Refusal.POOR:
            raise ConflictError(
                "insufficient-funds", f"the key cannot pay, the node says: {error}"
            ) from None
        raise ChainError("rpc-error", f"the node refused: {error}") from None
    except Web3Exception as error:
        raise ChainError("rpc-error", f"the node refused: {error}") from None
