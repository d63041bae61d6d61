"""What contracts hold at exact blocks, whoever says so.

A tag such as `finalized` moves between two requests and differs between two
endpoints. So tags become blocks once, and everything after that is read at a block
*hash*: no answer can come from another block, or from one that a reorganisation
has dropped.

Source: EIP-1898 (reading at a block hash).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ledger.chain.header import MAX_TIME
from ledger.chain.rpc import Call, JsonRpc, parse_data, parse_hash, parse_quantity
from ledger.errors import ChainError
from ledger.primitives import Address, Hash32, format_address, format_chain, keccak256

NO_CODE: Final = keccak256(b"")
"""The code hash where there is no contract."""


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """One block, which its hash alone identifies."""

    number: int
    hash: Hash32
    time: int
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class CodeHash:
    """The question: keccak256 of the code of `contract`; `NO_CODE` when it has none."""

    block: Block
    contract: Address


@dataclass(frozen=True, slots=True)
class Slot:
    """The question: the word that `contract` stores under `key`."""

    block: Block
    contract: Address
    key: Hash32


Question = CodeHash | Slot


class ChainReader(Protocol):
    """One chain that answers for its blocks. Each method costs one round trip."""

    @property
    def chain(self) -> int:
        """Return the chain id, which was checked."""

    def blocks(self, tags: Sequence[str]) -> list[Block]:
        """Return the blocks that tags such as `finalized` stand for now."""

    def read(self, questions: Iterable[Question]) -> dict[Question, Hash32]:
        """Return the 32 bytes that answer each question."""


class ChainState(Protocol):
    """A chain as one of its blocks left it."""

    @property
    def chain(self) -> int:
        """Return the chain id."""

    @property
    def block(self) -> Block:
        """Return the block."""

    def slots(self, registry: Address, keys: Sequence[Hash32]) -> list[Hash32]:
        """Return the word under each key, in their order, with one round trip."""

    def code_and_slots(
        self, registry: Address, keys: Sequence[Hash32]
    ) -> tuple[Hash32, list[Hash32]]:
        """Return the hash of the code there, and what `slots` returns, with one round trip."""


class RpcReader:
    """A chain read through its nodes."""

    def __init__(self, rpc: JsonRpc, chain: int) -> None:
        self.chain = chain
        self._rpc = rpc

    def blocks(self, tags: Sequence[str]) -> list[Block]:
        """Return the blocks that `tags` stand for now, as `read_blocks`.

        Raises:
            ChainError: as `read_blocks`.

        """
        return read_blocks(self._rpc, tags, chain=self.chain)

    def read(self, questions: Iterable[Question]) -> dict[Question, Hash32]:
        """Return the 32 bytes that answer each question.

        Raises:
            ChainError: the nodes do not answer, disagree, or no longer have a block.

        """
        asked = list(dict.fromkeys(questions))
        return self._rpc.ask(
            [_call(question) for question in asked],
            lambda results: {
                question: _answer(question, result)
                for question, result in zip(asked, results, strict=True)
            },
        )


class RpcState:
    """One block of a chain, read through its nodes."""

    def __init__(self, rpc: JsonRpc, chain: int, block: Block) -> None:
        self.chain = chain
        self.block = block
        self._reader = RpcReader(rpc, chain)

    def slots(self, registry: Address, keys: Sequence[Hash32]) -> list[Hash32]:
        """Return the word under each key, in their order, with one round trip.

        Raises:
            ChainError: as `RpcReader.read`.

        """
        questions = [Slot(self.block, registry, key) for key in keys]
        words = self._reader.read(questions)
        return [words[question] for question in questions]

    def code_and_slots(
        self, registry: Address, keys: Sequence[Hash32]
    ) -> tuple[Hash32, list[Hash32]]:
        """Return the hash of the code there, and what `slots` returns, with one round trip.

        Raises:
            ChainError: as `RpcReader.read`.

        """
        code = CodeHash(self.block, registry)
        questions = [Slot(self.block, registry, key) for key in keys]
        answers = self._reader.read([code, *questions])
        return answers[code], [answers[question] for question in questions]


def read_blocks(rpc: JsonRpc, tags: Sequence[str], *, chain: int | None = None) -> list[Block]:
    """Return the blocks that `tags` stand for, all from the same moment.

    Endpoints are never equally far. For each tag the greatest number is taken that
    enough of them have reached; that block is then asked for by number, and its hash
    must be the same. One endpoint costs one round trip, a quorum two.

    Raises:
        ChainError: the nodes do not answer, are on another chain than `chain`
            (`wrong-chain`), have no such block, or disagree about it.

    """
    calls = [("eth_chainId", []), *(block_call(tag) for tag in tags)]
    surveyed = rpc.survey(calls, lambda results: _parse_blocks(results, chain))
    if len(surveyed) == 1 == rpc.quorum:
        return surveyed[0]
    reached = [
        sorted((block.number for block in blocks), reverse=True)[rpc.quorum - 1]
        for blocks in zip(*surveyed, strict=True)
    ]
    calls = [("eth_chainId", []), *(block_call(hex(number)) for number in reached)]
    return rpc.ask(calls, lambda results: _parse_blocks(results, chain))


def block_call(block: str) -> Call:
    """Return the call for the block that a tag or a number in hex stands for."""
    return "eth_getBlockByNumber", [block, False]


def _parse_blocks(results: list[Any], chain: int | None) -> list[Block]:
    found = parse_quantity(results[0])
    if chain is not None and found != chain:
        raise ChainError(
            "wrong-chain", f"the endpoint is on {format_chain(found)}, not on {format_chain(chain)}"
        )
    return [parse_block(value) for value in results[1:]]


def parse_block(value: object) -> Block:
    """Read a block object of the JSON-RPC interface.

    Raises:
        ChainError: the node has no such block (`no-block`), or the object is none.

    """
    if not isinstance(value, dict):
        raise ChainError("no-block", "the node has no such block yet")
    block = Block(
        number=parse_quantity(value.get("number")),
        hash=parse_hash(value.get("hash")),
        time=parse_quantity(value.get("timestamp")),
    )
    if block.time > MAX_TIME:
        raise ChainError("rpc-malformed", f"the node gave a block of the time {block.time}")
    return block


def _call(question: Question) -> Call:
    at = {"blockHash": "0x" + question.block.hash.hex(), "requireCanonical": True}
    contract = format_address(question.contract)
    match question:
        case CodeHash():
            return "eth_getCode", [contract, at]
        case Slot(key=key):
            return "eth_getStorageAt", [contract, "0x" + key.hex(), at]


def _answer(question: Question, result: object) -> Hash32:
    return keccak256(parse_data(result)) if isinstance(question, CodeHash) else parse_hash(result)
