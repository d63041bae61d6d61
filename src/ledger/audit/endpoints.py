"""The nodes an audit asks, each by its own name, so that a lie has an author.

A `Quorum` hides who said what. An audit wants to know: every endpoint is asked everything,
and where two differ, both are named.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from ledger.chain.rpc import Rpc, parse_quantity
from ledger.chain.state import Block, read_blocks
from ledger.verification.policy import check_endpoints

FINAL: Final = "finalized"

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
        MalformedInputError: no such URL, one given twice, or too many.

    """
    check_endpoints(urls)
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
