"""Words of one block that an untrusted node has to prove, and the proofs themselves.

The node gives a block's fields, and trie nodes for the words asked for (`eth_getProof`).
The header that is rebuilt from the fields must have the block's hash, and the trie nodes
must lead from its state root to every word. What is wrong in either is a `ChainError`, as
the node then said nothing.

Source: EIP-1186, EIP-1898.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Self

from ledger.chain import rlp
from ledger.chain.header import MIN_FIELDS, parse_header
from ledger.chain.rpc import Call, JsonRpc, parse_data, parse_quantity
from ledger.chain.state import NO_CODE, Block, read_blocks
from ledger.chain.world_state import WorldState
from ledger.errors import ChainError, ProofError
from ledger.primitives import Address, Hash32, format_address, keccak256

MAX_SLOTS: Final = 500
"""Of one request. Geth answers for 1,024 at most; so many give some megabytes."""


def _parse_number(value: object) -> bytes:
    return rlp.encode_integer(parse_quantity(value))


_FIELDS: Final[dict[str, Callable[[object], bytes]]] = {
    "parentHash": parse_data,
    "sha3Uncles": parse_data,
    "miner": parse_data,
    "stateRoot": parse_data,
    "transactionsRoot": parse_data,
    "receiptsRoot": parse_data,
    "logsBloom": parse_data,
    "difficulty": _parse_number,
    "number": _parse_number,
    "gasLimit": _parse_number,
    "gasUsed": _parse_number,
    "timestamp": _parse_number,
    "extraData": parse_data,
    "mixHash": parse_data,
    "nonce": parse_data,
    "baseFeePerGas": _parse_number,
    "withdrawalsRoot": parse_data,
    "blobGasUsed": _parse_number,
    "excessBlobGas": _parse_number,
    "parentBeaconBlockRoot": parse_data,
    "requestsHash": parse_data,
}
"""What nodes call the fields of a header, in its order; later ones came with later forks."""


class ProvedState:
    """One block of a chain, read with proofs; keeps every node that an answer came from."""

    def __init__(self, rpc: JsonRpc, chain: int, header: bytes) -> None:
        """Read at the block of `header`; a ProofError when it is none."""
        parsed = parse_header(header)
        self.chain = chain
        self.header = header
        self.block = Block(parsed.number, parsed.hash, parsed.time)
        self.nodes: dict[Hash32, bytes] = {}
        """The trie nodes that were used so far, by their hashes."""
        self._root = parsed.state_root
        self._rpc = rpc

    @classmethod
    def at(cls, rpc: JsonRpc, chain: int, tag: str) -> Self:
        """Return the state at the block that `tag` stands for now.

        Raises:
            ChainError: as `read_blocks`, or the header cannot be rebuilt (`other-header`).

        """
        (block,) = read_blocks(rpc, [tag], chain=chain)
        return cls.of(rpc, chain, block)

    @classmethod
    def of(cls, rpc: JsonRpc, chain: int, block: Block) -> Self:
        """Return the state at a block that a node told of.

        Raises:
            ChainError: the node does not answer, the header cannot be rebuilt, or says
                another number or time than was told (`other-header`).

        """
        call = "eth_getBlockByHash", ["0x" + block.hash.hex(), False]
        header = rpc.ask([call], lambda results: _header(results[0], block))
        try:
            state = cls(rpc, chain, header)
        except ProofError as error:
            raise ChainError("other-header", f"the node gave a false header: {error}") from None
        if state.block != block:
            raise ChainError("other-header", f"the node tells otherwise of block {block.number}")
        return state

    def slots(self, registry: Address, keys: Sequence[Hash32]) -> list[Hash32]:
        """Return the word under each key, in their order; a request for `MAX_SLOTS` of them.

        Raises:
            ChainError: the node did not answer, or did not prove a word (`not-proved`).

        """
        return self.code_and_slots(registry, keys)[1]

    def code_and_slots(
        self, registry: Address, keys: Sequence[Hash32]
    ) -> tuple[Hash32, list[Hash32]]:
        """Return the hash of the code there, and what `slots` returns of one key or more.

        Raises:
            ChainError: as `slots`.

        """
        code, words = NO_CODE, []
        for start in range(0, len(keys), MAX_SLOTS):
            asked = keys[start : start + MAX_SLOTS]
            code, found, used = self._rpc.ask(
                [self._call(registry, asked)],
                lambda results, asked=asked: self._read(results[0], registry, asked),  # type: ignore[misc]
            )
            words += found
            self.nodes.update(used)
        return code, words

    def _call(self, registry: Address, keys: Sequence[Hash32]) -> Call:
        at = {"blockHash": "0x" + self.block.hash.hex(), "requireCanonical": True}
        return "eth_getProof", [format_address(registry), ["0x" + key.hex() for key in keys], at]

    def _read(
        self, result: object, registry: Address, keys: Sequence[Hash32]
    ) -> tuple[Hash32, list[Hash32], dict[Hash32, bytes]]:
        """Return the hash of the code, the words, and the nodes that they came from."""
        nodes = {keccak256(node): node for node in _nodes(result)}
        world = WorldState(self._root, nodes.get)
        try:
            account = world.find_account(registry)
            words = [world.word(account, key) for key in keys]
        except ProofError as error:
            raise ChainError("not-proved", f"the node did not prove it: {error}") from None
        code = account.code_hash if account else NO_CODE
        return code, words, {name: nodes[name] for name in world.used}


def _header(fields: object, block: Block) -> bytes:
    """Return the header of `block`, rebuilt from the fields that a node gives."""
    if not isinstance(fields, dict):
        raise ChainError("no-block", "the node no longer has the block")
    header = rlp.encode(
        [
            parse(fields.get(name))
            for number, (name, parse) in enumerate(_FIELDS.items())
            if number < MIN_FIELDS or name in fields
        ]
    )
    if keccak256(header) != block.hash:
        raise ChainError(
            "other-header",
            f"the fields of block {block.number} do not make its hash: "
            "the node gives other ones, or the chain has fields that this release does not know",
        )
    return header


def _nodes(result: object) -> list[bytes]:
    """Return all trie nodes of an answer to `eth_getProof`; values it claims are not read."""
    try:
        found: Any = result
        lists = [found["accountProof"], *(slot["proof"] for slot in found["storageProof"])]
        return [parse_data(node) for nodes in lists for node in nodes]
    except (KeyError, TypeError):
        raise ChainError("rpc-malformed", "the node gave no proof for a proof") from None
