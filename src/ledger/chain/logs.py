"""The registry's logs as nodes give them in receipts and log queries.

Providers cap `eth_getLogs` by blocks (50 to 100,000) or by results, each in its own words,
so a range is asked in windows that halve when a provider says "too much" and grow slowly
again. The first are narrow and grow fast, so that a short and busy history is fetched in
parts too: while one is replayed, the node makes the next.

An empty answer proves nothing: nodes answer it for blocks they lack. Completeness comes
from the heads in the contract, never from here.
"""

import re
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any, Final

from ledger.chain.registry.events import Event, Log, decode_event
from ledger.chain.rpc import (
    Call,
    HttpStatusError,
    JsonRpc,
    Rpc,
    RpcError,
    parse_data,
    parse_hash,
    parse_quantity,
)
from ledger.errors import ChainError
from ledger.primitives import ADDRESS_BYTES, Address, Hash32, format_address

FIRST_WINDOW_BLOCKS: Final = 4
"""So few that even of the busiest chain no answer is too large."""

USUAL_WINDOW_BLOCKS: Final = 2_000
"""What almost every provider allows; windows double until then, and grow slowly beyond."""

MAX_WINDOW_BLOCKS: Final = 100_000
"""The widest that any provider was seen to allow."""

WINDOWS_AT_ONCE: Final = 4
"""Windows in one HTTP request: a history is mostly empty, and a round trip costs more."""

FULL_ANSWER_LOGS: Final = 4_000
"""Windows do not grow beyond about this many logs an answer: memory is bounded, and there is
always a next part to be made by the node while one is replayed."""

_TOO_MUCH: Final = re.compile(
    r"block range|range (?:is )?too|too (?:wide|large|many)|max(?:imum)? .*range"
    r"|exceeds? .*(?:range|results|logs)|more than \d+ (?:results|logs)|limited to"
    r"|response size|results? (?:exceed|limit)|log response|query timeout",
    re.IGNORECASE,
)
"""How nodes and providers say that a narrower range would be answered (geth, Nethermind, Erigon,
Infura, Alchemy, QuickNode, Ankr, Cloudflare). A limit of the *rate* is none of these."""


_TOO_MUCH_STATUSES: Final = frozenset({400, 413})
"""Some providers say it so. Another reason for these costs a dozen questions, and is then told."""


def parse_log(value: dict[str, Any]) -> Log:
    """Read one log object of the JSON-RPC interface.

    Raises:
        ChainError: a field is missing or is not what the interface says.

    """
    try:
        return Log(
            address=_address(value["address"]),
            topics=tuple([_hash(topic) for topic in value["topics"]]),
            data=parse_data(value["data"]),
            block_number=_quantity(value["blockNumber"]),
            block_hash=_hash(value["blockHash"]),
            transaction=parse_hash(value["transactionHash"]),
            log_index=_quantity(value["logIndex"]),
        )
    except (KeyError, TypeError):
        raise ChainError("rpc-malformed", "the node gave a log without its fields") from None


def format_log(log: Log) -> dict[str, Any]:
    """Return the log object that `parse_log` reads."""
    return {
        "address": "0x" + log.address.hex(),
        "topics": ["0x" + topic.hex() for topic in log.topics],
        "data": "0x" + log.data.hex(),
        "blockNumber": hex(log.block_number),
        "blockHash": "0x" + log.block_hash.hex(),
        "transactionHash": "0x" + log.transaction.hex(),
        "logIndex": hex(log.log_index),
    }


@lru_cache(maxsize=1)
def _address(value: str) -> Address:
    # All logs of a query are one contract's.
    address = parse_data(value)
    if len(address) != ADDRESS_BYTES:
        raise ChainError("rpc-malformed", f"the node gave {len(address)} bytes for an address")
    return Address(address)


# Topics, block hashes and numbers come again and again.
_hash = lru_cache(maxsize=4096)(parse_hash)
_quantity = lru_cache(maxsize=4096)(parse_quantity)


def read_events(rpc: JsonRpc, registry: Address, transaction: Hash32) -> list[Event]:
    """Return the registry's events of one included transaction, in order.

    Raises:
        ChainError: the node does not have its receipt.

    """
    receipt = rpc.call("eth_getTransactionReceipt", ["0x" + transaction.hex()])
    if not isinstance(receipt, dict) or "logs" not in receipt:
        raise ChainError("no-receipt", "the node has no receipt of a transaction it included")
    logs = [parse_log(log) for log in receipt["logs"]]
    return [decode_event(log) for log in logs if log.address == registry]


Windows = list[tuple[int, int]]
"""First and last block of each, one after the other."""

Told = list["Future[list[Log]]"]
"""What each endpoint answers, some day."""


class LogReader:
    """A contract's logs from one or several endpoints, window by window.

    Every endpoint is asked the same windows, so that their answers can be compared. While
    the caller works on one answer, the next is already asked for.
    """

    def __init__(self, rpcs: Sequence[Rpc], contract: Address) -> None:
        self._rpcs = rpcs
        self._contract = format_address(contract)
        self._blocks = FIRST_WINDOW_BLOCKS
        self._windows = WINDOWS_AT_ONCE
        self._was_full = False
        self._threads = ThreadPoolExecutor(len(rpcs), thread_name_prefix="logs")
        self._ahead: tuple[Windows, Told] | None = None

    def close(self) -> None:
        """End the threads; the endpoints stay open."""
        self._threads.shutdown(cancel_futures=True)

    def read(self, first: int, last: int) -> tuple[int, list[list[Log]]]:
        """Return how far it read, at most to block `last`, and each endpoint's logs up to there.

        Raises:
            ChainError: an endpoint does not answer, or refuses even one block.

        """
        while True:
            windows, told = self._ask_ahead_or_now(first, last)
            try:
                answers = [future.result() for future in told]
            except ChainError as error:
                if not is_too_much(error) or self._windows * self._blocks == 1:
                    raise
                self._shrink()
            else:
                self._grow(max(len(logs) for logs in answers))
                end = windows[-1][1]
                if end < last:
                    following = self._split(end + 1, last)
                    self._ahead = following, self._ask(following)
                return end, answers

    def _ask_ahead_or_now(self, first: int, last: int) -> tuple[Windows, Told]:
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0][0][0] == first:
            return ahead
        windows = self._split(first, last)
        return windows, self._ask(windows)

    def _split(self, first: int, last: int) -> Windows:
        starts = range(first, last + 1, self._blocks)[: self._windows]
        return [(start, min(start + self._blocks - 1, last)) for start in starts]

    def _ask(self, windows: Windows) -> Told:
        calls: list[Call] = [
            (
                "eth_getLogs",
                [{"address": self._contract, "fromBlock": hex(start), "toBlock": hex(end)}],
            )
            for start, end in windows
        ]
        return [self._threads.submit(rpc.ask, calls, _parse_logs) for rpc in self._rpcs]

    def _shrink(self) -> None:
        self._was_full = True
        if self._windows > 1:
            self._windows = 1
        else:
            self._blocks = max(1, self._blocks // 2)

    def _grow(self, logs: int) -> None:
        if logs > FULL_ANSWER_LOGS:
            self._shrink()
        elif logs < FULL_ANSWER_LOGS // 2:
            is_slow = self._was_full or self._blocks >= USUAL_WINDOW_BLOCKS
            grown = self._blocks + (self._blocks // 4 + 1 if is_slow else self._blocks)
            most = MAX_WINDOW_BLOCKS if is_slow else USUAL_WINDOW_BLOCKS
            self._blocks = min(grown, most)


def is_too_much(error: ChainError) -> bool:
    """Return whether a narrower range may be answered; an outage or a rate limit may not."""
    if isinstance(error, RpcError):
        return _TOO_MUCH.search(error.node_message) is not None
    if isinstance(error, HttpStatusError):
        return error.status in _TOO_MUCH_STATUSES
    return error.code == "rpc-too-large"


def _parse_logs(results: list[Any]) -> list[Log]:
    if not all(isinstance(result, list) for result in results):
        raise ChainError("rpc-malformed", "the node gave no list of logs")
    return [parse_log(log) for result in results for log in result]
