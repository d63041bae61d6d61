"""Windows that halve when a provider says "too much", and on nothing else."""

from itertools import pairwise
from typing import Any

import pytest

from ledger.chain.logs import (
    FIRST_WINDOW_BLOCKS,
    FULL_ANSWER_LOGS,
    USUAL_WINDOW_BLOCKS,
    WINDOWS_AT_ONCE,
    LogReader,
    format_log,
    is_too_much,
    parse_log,
)
from ledger.chain.registry.events import Log
from ledger.chain.rpc import Rpc, RpcError
from ledger.errors import ChainError

from .audit_history import REGISTRY, whole_history
from .chain_rpc_node import Node, running_node

LOGS = whole_history().logs
TOO_MUCH = [
    "query returned more than 10000 results. Try with this block range [0x1, 0x2]",
    "block range is too wide (maximum 1000)",
    "exceed maximum block range: 50000",
    "eth_getLogs is limited to a 10,000 range",
    "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range",
    "query exceeds max results 20000",
    "range too large, max is 1k blocks",
    "Too many logs requested, max logs per response is 10000",
]
OTHERWISE = [
    "daily request count exceeded, request rate limited",
    "header not found",
    "internal error",
    "method not supported",
    "rate limit exceeded",
]


@pytest.fixture
def node() -> Any:
    with running_node() as node:
        yield node


def served(node: Node, *, most_blocks: int, message: str) -> list[tuple[int, int]]:
    """Let `node` serve the history with a limit; return the ranges it is asked, as they come."""
    asked: list[tuple[int, int]] = []

    def reply(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
        answers = []
        for call in calls:
            (query,) = call["params"]
            first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
            asked.append((first, last))
            answer: dict[str, Any] = {"jsonrpc": "2.0", "id": call["id"]}
            if last - first + 1 > most_blocks:
                answer["error"] = {"code": -32005, "message": message}
            else:
                found = [log for log in LOGS if first <= log.block_number <= last]
                answer["result"] = [format_log(log) for log in found]
            answers.append(answer)
        return answers

    node.reply = reply
    return asked


def read_all(node: Node, last: int) -> list[Log]:
    logs: list[Log] = []
    first = 0
    with Rpc(node.url) as rpc:
        reader = LogReader([rpc], REGISTRY)
        while first <= last:
            through, (window,) = reader.read(first, last)
            logs += window
            first = through + 1
        reader.close()
    return logs


@pytest.mark.parametrize("message", TOO_MUCH)
def test_a_provider_that_says_too_much_is_asked_for_less(node: Node, message: str) -> None:
    served(node, most_blocks=1, message=message)
    assert read_all(node, 20) == LOGS


@pytest.mark.parametrize("most_blocks", [1, 7, 1_000, 10**9])
def test_every_block_is_asked_once_and_in_order(node: Node, most_blocks: int) -> None:
    asked = served(node, most_blocks=most_blocks, message=TOO_MUCH[0])
    last = 40 if most_blocks == 1 else 60_000 if most_blocks > 100 else 500
    assert read_all(node, last) == LOGS
    answered = [window for window in asked if window[1] - window[0] < most_blocks]
    covered = [window for n, window in enumerate(answered) if window not in answered[:n]]
    starts = sorted({first for first, _ in covered})
    assert starts[0] == 0
    assert max(end for _, end in covered) == last


def test_windows_double_until_what_providers_allow_and_grow_slowly_beyond(node: Node) -> None:
    asked = served(node, most_blocks=10**9, message="")
    read_all(node, 200_000)
    widths = [last - first + 1 for first, last in asked]
    assert widths[0] == FIRST_WINDOW_BLOCKS
    assert USUAL_WINDOW_BLOCKS in widths
    assert max(widths) > 2 * USUAL_WINDOW_BLOCKS
    for before, after in pairwise(widths):
        assert after <= (2 if before < USUAL_WINDOW_BLOCKS else 1.3) * before
    assert len(node.requests) < 30


def test_windows_that_were_refused_grow_slowly(node: Node) -> None:
    asked = served(node, most_blocks=100, message=TOO_MUCH[0])
    read_all(node, 20_000)
    refused = [last - first + 1 for first, last in asked if last - first >= 100]
    assert len(refused) < len(asked) / 3
    assert all(width <= 1.3 * 100 for width in refused[WINDOWS_AT_ONCE + 1 :])


def test_a_busy_history_is_asked_for_in_parts(node: Node) -> None:
    """While one is replayed the node makes the next, and no answer fills the memory."""
    busy = [format_log(LOGS[0]._replace(block_number=n // 90)) for n in range(90 * 200)]
    answers: list[int] = []

    def reply(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
        told = []
        for call in calls:
            (query,) = call["params"]
            first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
            told.append(
                {
                    "jsonrpc": "2.0",
                    "id": call["id"],
                    "result": busy[90 * first :][: 90 * (last - first + 1)],
                }
            )
        answers.append(sum(len(answer["result"]) for answer in told))
        return told

    node.reply = reply
    assert len(read_all(node, 199)) == len(busy)
    assert len(answers) >= 5
    assert max(answers) <= 2 * FULL_ANSWER_LOGS


def test_one_block_is_the_least(node: Node) -> None:
    served(node, most_blocks=0, message=TOO_MUCH[1])
    with pytest.raises(RpcError):
        read_all(node, 10)


@pytest.mark.parametrize("message", OTHERWISE)
def test_an_outage_is_not_asked_for_less(node: Node, message: str) -> None:
    served(node, most_blocks=0, message=message)
    with pytest.raises(RpcError):
        read_all(node, 10)
    assert len(node.requests) == 1
    assert not is_too_much(RpcError("h", -32005, message))


@pytest.mark.parametrize(("status", "requests"), [(413, 4), (400, 4), (429, 1), (503, 1)])
def test_a_status_that_may_mean_too_much_is_asked_for_less(
    node: Node, status: int, requests: int
) -> None:
    node.reply, node.status = b"", status
    with pytest.raises(ChainError) as caught:
        read_all(node, 10_000)
    assert caught.value.code == "rpc-http-status"
    assert len(node.requests) == requests


def test_a_node_that_is_down_is_no_reason_to_ask_for_less() -> None:
    with Rpc("http://127.0.0.1:9") as rpc:
        reader = LogReader([rpc], REGISTRY)
        with pytest.raises(ChainError) as caught:
            reader.read(0, 10)
        reader.close()
    assert caught.value.code == "rpc-unreachable"


def test_a_log_has_one_spelling_and_comes_back() -> None:
    for log in LOGS:
        assert parse_log(format_log(log)) == log


@pytest.mark.parametrize("answer", [None, {}, "0x", [7], [{"topics": []}]])
def test_what_is_no_list_of_logs_is_malformed(node: Node, answer: Any) -> None:
    node.results["eth_getLogs"] = answer
    with pytest.raises(ChainError) as caught:
        read_all(node, 1)
    assert caught.value.code == "rpc-malformed"
