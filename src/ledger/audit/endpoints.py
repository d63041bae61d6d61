"""The nodes an audit asks, each by its own name, so that a lie has an author.

A `Quorum` hides who said what. An audit wants to know: every endpoint is asked everything,
and where two differ, both are named.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from ledger.chain.proved import ProvedState
from ledger.chain.registry.slots import ISSUER_COUNT_SLOT, head_slot
from ledger.chain.rpc import Rpc, parse_quantity
from ledger.chain.state import Block, ChainState, CodeHash, RpcReader, RpcState, read_blocks
from ledger.errors import ChainError
from ledger.primitives import Address, Hash32

FINAL: Final = "finalized"

MAX_ISSUERS: Final = 1_000_000
"""Ours: a node that says there are more is not asked for the head of each."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One node."""

    name: str
    """Its number among the URLs given, and its host."""
    rpc: Rpc


def open_endpoints(urls: Sequence[str]) -> list[Endpoint]:
    """Name the nodes at `urls`; nothing is sent yet.

    Raises:
        MalformedInputError: no such URL.

    """
    rpcs = [Rpc(url) for url in urls]
    return [Endpoint(f"rpc {n} ({rpc.host})", rpc) for n, rpc in enumerate(rpcs, start=1)]


def ask_each(endpoints: Sequence[Endpoint], ask: Callable[[Endpoint], T]) -> list[T]:
    """Return what `ask` makes of each endpoint, all asked at once.

    Raises:
        ChainError: one of them does not answer.

    """
    with ThreadPoolExecutor(len(endpoints), thread_name_prefix="rpc") as threads:
        return list(threads.map(ask, endpoints))


def read_chain(endpoint: Endpoint) -> int:
    """Return the chain id it says it is on."""
    return parse_quantity(endpoint.rpc.call("eth_chainId", []))


def read_block(endpoint: Endpoint, tag: str) -> Block:
    """Return the block that a tag or a number in hex stands for."""
    (block,) = read_blocks(endpoint.rpc, [tag])
    return block


def read_code_hash(endpoint: Endpoint, chain: int, block: Block, registry: Address) -> Hash32:
    """Return keccak256 of the code at the registry's address."""
    question = CodeHash(block, registry)
    return RpcReader(endpoint.rpc, chain).read([question])[question]


def read_heads(
    endpoint: Endpoint, chain: int, block: Block, registry: Address, *, proved: bool
) -> list[Hash32]:
    """Return the heads of issuers 1, 2, ... that the contract stores at `block`.

    When `proved`, each comes with a proof under the block's hash, so that whoever lies about
    a head must lie about the whole block.

    Raises:
        ChainError: the node does not answer, does not prove it (`not-proved`), or tells of
            more than `MAX_ISSUERS`.

    """
    state: ChainState = RpcState(endpoint.rpc, chain, block)
    if proved:
        state = ProvedState.at(endpoint.rpc, chain, hex(block.number))
        if state.block != block:
            raise ChainError("no-block", f"{endpoint.name} gave two blocks {block.number}")
    (stored,) = state.slots(registry, [ISSUER_COUNT_SLOT])
    count = int.from_bytes(stored, "big")
    if count > MAX_ISSUERS:
        raise ChainError("rpc-malformed", f"{endpoint.name} tells of {count} issuers")
    return state.slots(registry, [head_slot(number) for number in range(1, count + 1)])
