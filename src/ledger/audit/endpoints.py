"""The nodes an audit asks, each by its own name, so that a lie has an author.

A `Quorum` hides who said what. An audit wants to know: every endpoint is asked everything,
and where two differ, both are named.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from ledger.chain.rpc import Rpc, parse_quantity
from ledger.chain.state import Block, block_call, parse_block
from ledger.errors import ChainError
from ledger.verification.policy import check_endpoints

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


def read_standing(endpoint: Endpoint) -> tuple[int, Block]:
    """Return the chain id it says it is on, and its newest final block."""
    return endpoint.rpc.ask(
        [("eth_chainId", []), block_call("finalized")],
        lambda results: (parse_quantity(results[0]), parse_block(results[1])),
    )


def read_block(endpoint: Endpoint, number: int) -> Block:
    """Return its block of this number.

    Raises:
        ChainError: the endpoint does not answer, or with another block.

    """
    block = parse_block(endpoint.rpc.call(*block_call(hex(number))))
    if block.number != number:
        raise ChainError(
            "rpc-malformed", f"{endpoint.name} gave block {block.number} for block {number}"
        )
    return block
