"""A chain in memory behind the same JSON-RPC boundary as a real node's.

It has blocks, a pool, a base fee, finality two blocks behind the newest, and as much of
the registry as anchoring needs, under the real storage slots. It does at once what takes
a real chain minutes, and what a real chain does rarely: so thousands of histories can be
tried. What it says is held to Anvil by the tests that run the same code on Anvil.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from ledger.chain.artifact import load_artifact, registry_address
from ledger.chain.registry.calls import selector
from ledger.chain.registry.slots import Role, anchor_slot, decode_anchor, operator_slot, word
from ledger.chain.rpc import Call, RpcError
from ledger.errors import ChainError
from ledger.primitives import Address, Hash32, keccak256, parse_address, sha256

CHAIN: Final = 31337
FINALITY: Final = 2
GAS: Final = 60_000
ANCHOR: Final = selector("anchor(uint256,bytes32,uint48)")
ALREADY_ANCHORED: Final = selector("AlreadyAnchored(uint256,bytes32,address,uint40,uint48)")
SIZE_DIFFERS: Final = selector("SizeDiffers(uint256,bytes32,uint48,uint48)")
MISSING_ROLE: Final = selector("MissingRole(uint256,address,uint8)")

T = TypeVar("T")


class RevertError(Exception):
    """The contract refuses; carries what it returns."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data.hex())
        self.data = data


@dataclass(frozen=True)
class Transaction:
    """One signed transaction, read."""

    raw: bytes
    hash: Hash32
    sender: Address
    nonce: int
    to: Address
    data: bytes
    cap: int
    tip: int


@dataclass
class State:
    """What accounts and the registry hold after a block."""

    counts: dict[Address, int] = field(default_factory=dict)
    storage: dict[Hash32, int] = field(default_factory=dict)

    def copy(self) -> "State":
        return State(dict(self.counts), dict(self.storage))


@dataclass
class Block:
    number: int
    hash: Hash32
    time: int
    base_fee: int
    state: State
    receipts: dict[Hash32, tuple[Transaction, bool]]
    anchored: list[tuple[Address, int, Hash32, int]]
    """Operator, issuer, root, size of each anchor made in it."""


class SimulatedChain:
    """One chain that is also the only endpoint on it."""

    quorum = 1

    def __init__(self) -> None:
        self.is_down = False
        self.loses_broadcasts = False
        self.base_fee = 10**9
        self.tip = 10**9
        self.pool: dict[tuple[Address, int], Transaction] = {}
        self._salt = itertools.count()
        self._known: dict[bytes, Transaction] = {}
        self.blocks = [self._block(0, State(), {}, [])]
        self.mine(3)

    # -------------------------------------------------------------------- what happens to it

    @property
    def latest(self) -> Block:
        return self.blocks[-1]

    @property
    def final(self) -> Block:
        return self.blocks[max(0, self.latest.number - FINALITY)]

    def mine(self, count: int = 1) -> None:
        """Make blocks; the first takes all that the pool has and the base fee allows."""
        for _ in range(count):
            state = self.latest.state.copy()
            receipts: dict[Hash32, tuple[Transaction, bool]] = {}
            anchored: list[tuple[Address, int, Hash32, int]] = []
            time = self.latest.time + 1
            while runnable := self._runnable(state):
                self.pool.pop((runnable.sender, runnable.nonce))
                state.counts[runnable.sender] = runnable.nonce + 1
                try:
                    made = self._run(state, runnable.sender, runnable.to, runnable.data, time)
                except RevertError:
                    receipts[runnable.hash] = (runnable, False)
                else:
                    receipts[runnable.hash] = (runnable, True)
                    anchored += made
            self.blocks.append(self._block(self.latest.number + 1, state, receipts, anchored))

    def reorganise(self, depth: int, *, keeps: Iterable[Address]) -> None:
        """Replace the newest blocks by empty ones, but never a final one.

        The transactions of the senders in `keeps` go back to the pool, the others are lost.
        """
        depth = min(depth, FINALITY, self.latest.number)
        gone = [self.blocks.pop() for _ in range(depth)]
        for transaction, _ in (r for block in gone for r in block.receipts.values()):
            if transaction.sender in keeps:
                self.pool.setdefault((transaction.sender, transaction.nonce), transaction)
        kept, self.pool = self.pool, {}
        self.mine(depth)
        self.pool = kept

    def give_role(self, issuer: int, operator: Address, role: Role) -> None:
        """Give an operator its roles, as the owner's transaction in a final block would."""
        for block in self.blocks:
            block.state.storage[operator_slot(issuer, operator)] = int(role)

    def forget(self, depth: int) -> None:
        """Keep the state of the `depth` newest blocks only, as most nodes do."""
        for block in self.blocks[-3 * depth : -depth]:
            block.state.storage.clear()

    def anchors(self) -> list[tuple[Address, int, Hash32, int]]:
        """Return every anchor on the chain as it is now."""
        return [anchor for block in self.blocks for anchor in block.anchored]

    def count(self, sender: Address) -> int:
        return self.latest.state.counts.get(sender, 0)

    # -------------------------------------------------------------------- what it answers

    def call(self, method: str, params: Sequence[Any]) -> Any:
        if self.is_down:
            raise ChainError("rpc-unreachable", "the simulated node is down")
        return METHODS[method](self, *params)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        return [self.call(method, params) for method, params in calls]

    def ask(self, calls: Sequence[Call], parse: Callable[[list[Any]], T]) -> T:
        return parse(self.batch(calls))

    def survey(self, calls: Sequence[Call], parse: Callable[[list[Any]], T]) -> list[T]:
        return [self.ask(calls, parse)]

    def close(self) -> None:
        pass

    def _eth_chain_id(self) -> str:
        return hex(CHAIN)

    def _eth_get_code(self, account: str, _at: object) -> str:
        is_registry = parse_address(account) == registry_address()
        return "0x" + (load_artifact().runtime_code.hex() if is_registry else "")

    def _eth_get_balance(self, _account: str, _at: object) -> str:
        return hex(10**24)

    def _eth_max_priority_fee_per_gas(self) -> str:
        return hex(self.tip)

    def _eth_get_transaction_count(self, account: str, at: Any) -> str:
        sender = parse_address(account)
        count = (self._at(at) if isinstance(at, dict) else self.latest).state.counts.get(sender, 0)
        while at == "pending" and (sender, count) in self.pool:
            count += 1
        return hex(count)

    def _eth_get_block_by_number(self, at: str, _full: object) -> dict[str, str] | None:
        tags = {"latest": self.latest, "finalized": self.final}
        number = tags[at].number if at in tags else int(at, 16)
        if number > self.latest.number:
            return None
        block = self.blocks[number]
        return {
            "number": hex(number),
            "hash": "0x" + block.hash.hex(),
            "timestamp": hex(block.time),
            "baseFeePerGas": hex(self.base_fee),
        }

    def _eth_get_storage_at(self, _contract: str, key: str, at: dict[str, Any]) -> str:
        stored = self._at(at).state.storage.get(Hash32(bytes.fromhex(key[2:])), 0)
        return "0x" + word(stored).hex()

    def _eth_call(self, params: dict[str, Any], _at: object = "latest") -> str:
        sender, to = parse_address(params["from"]), parse_address(params["to"])
        try:
            time = self.latest.time + 1
            self._run(self.latest.state.copy(), sender, to, bytes(HexBytes(params["data"])), time)
        except RevertError as revert:
            data = "0x" + revert.data.hex()
            raise RpcError("simulated", 3, "execution reverted", data) from None
        return "0x"

    def _eth_estimate_gas(self, params: dict[str, Any], at: object = "latest") -> str:
        self._eth_call(params, at)
        return hex(GAS)

    def _eth_send_raw_transaction(self, raw: str) -> str:
        sent = self._read(bytes.fromhex(raw[2:]))
        if self.loses_broadcasts:
            return "0x" + sent.hash.hex()
        if sent.nonce < self.count(sent.sender):
            raise RpcError("simulated", -32000, "nonce too low")
        held = self.pool.get((sent.sender, sent.nonce))
        if held is not None and held.hash == sent.hash:
            raise RpcError("simulated", -32000, "already known")
        if held is not None and not _outbids(sent, held):
            raise RpcError("simulated", -32000, "replacement transaction underpriced")
        self.pool[sent.sender, sent.nonce] = sent
        return "0x" + sent.hash.hex()

    def _eth_get_transaction_receipt(self, wanted: str) -> dict[str, str] | None:
        key = Hash32(bytes.fromhex(wanted[2:]))
        for block in reversed(self.blocks):
            if key in block.receipts:
                transaction, succeeded = block.receipts[key]
                return {
                    "blockNumber": hex(block.number),
                    "blockHash": "0x" + block.hash.hex(),
                    "status": hex(succeeded),
                    "gasUsed": hex(GAS),
                    "effectiveGasPrice": hex(
                        min(transaction.cap, block.base_fee + transaction.tip)
                    ),
                }
        return None

    # -------------------------------------------------------------------- how it works

    def _block(
        self,
        number: int,
        state: State,
        receipts: dict[Hash32, tuple[Transaction, bool]],
        anchored: list[tuple[Address, int, Hash32, int]],
    ) -> Block:
        block_hash = sha256(b"block %d %d" % (number, next(self._salt)))
        time = 1_000_000 + number
        return Block(number, block_hash, time, self.base_fee, state, receipts, anchored)

    def _at(self, at: dict[str, Any]) -> Block:
        for block in reversed(self.blocks):
            if "0x" + block.hash.hex() == at["blockHash"]:
                return block
        raise RpcError("simulated", -32001, "header not found")

    def _runnable(self, state: State) -> Transaction | None:
        ready = (
            waiting
            for (sender, nonce), waiting in sorted(self.pool.items())
            if nonce == state.counts.get(sender, 0) and waiting.cap >= self.base_fee
        )
        return next(ready, None)

    def _run(
        self, state: State, sender: Address, to: Address, data: bytes, time: int
    ) -> Iterable[tuple[Address, int, Hash32, int]]:
        if to != registry_address():
            return []
        assert data[:4] == ANCHOR
        issuer, root, size = _number(data[4:36]), Hash32(data[36:68]), _number(data[68:100])
        if not state.storage.get(operator_slot(issuer, sender), 0) & Role.ANCHOR:
            raise RevertError(
                MISSING_ROLE + word(issuer) + sender.rjust(32, b"\0") + word(Role.ANCHOR)
            )
        slot = anchor_slot(issuer, root)
        known = decode_anchor(word(state.storage.get(slot, 0)))
        if known is not None:
            operator = known.operator.rjust(32, b"\0")
            arguments = operator + word(known.time) + word(known.size)
            raise RevertError(ALREADY_ANCHORED + word(issuer) + root + arguments)
        state.storage[slot] = _number(sender) | time << 160 | size << 200
        return [(sender, issuer, root, size)]

    def _read(self, raw: bytes) -> Transaction:
        if raw not in self._known:
            fields = dict(TypedTransaction.from_bytes(HexBytes(raw)).as_dict())
            self._known[raw] = Transaction(
                raw,
                keccak256(raw),
                parse_address(Account.recover_transaction(HexBytes(raw))),
                fields["nonce"],
                Address(bytes(fields["to"])),
                bytes(fields["data"]),
                fields["maxFeePerGas"],
                fields["maxPriorityFeePerGas"],
            )
        return self._known[raw]


def _outbids(new: Transaction, held: Transaction) -> bool:
    return 10 * new.cap >= 11 * held.cap and 10 * new.tip >= 11 * held.tip


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


METHODS: Final[dict[str, Callable[..., Any]]] = {
    "eth_chainId": SimulatedChain._eth_chain_id,
    "eth_getCode": SimulatedChain._eth_get_code,
    "eth_getBalance": SimulatedChain._eth_get_balance,
    "eth_maxPriorityFeePerGas": SimulatedChain._eth_max_priority_fee_per_gas,
    "eth_getTransactionCount": SimulatedChain._eth_get_transaction_count,
    "eth_getBlockByNumber": SimulatedChain._eth_get_block_by_number,
    "eth_getStorageAt": SimulatedChain._eth_get_storage_at,
    "eth_call": SimulatedChain._eth_call,
    "eth_estimateGas": SimulatedChain._eth_estimate_gas,
    "eth_sendRawTransaction": SimulatedChain._eth_send_raw_transaction,
    "eth_getTransactionReceipt": SimulatedChain._eth_get_transaction_receipt,
}
