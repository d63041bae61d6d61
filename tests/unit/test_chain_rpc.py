"""One endpoint: whatever it sends, the answer is what was asked for or a `ChainError`."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain import rpc as rpc_module
from ledger.chain.rpc import Rpc, RpcError, check_url, parse_data, parse_hash, parse_quantity
from ledger.errors import ChainError, MalformedInputError
from tests.unit.chain_rpc_node import Node, running_node


@pytest.fixture
def node() -> Iterator[Node]:
    with running_node() as node:
        yield node


@pytest.fixture
def rpc(node: Node) -> Iterator[Rpc]:
    with Rpc(node.url) as rpc:
        yield rpc


@pytest.fixture
def hasty(node: Node) -> Iterator[Rpc]:
    with Rpc(node.url, timeout_seconds=0.5) as rpc:
        yield rpc


def fails(rpc: Rpc, code: str) -> ChainError:
    with pytest.raises(ChainError) as caught:
        rpc.batch([("eth_chainId", []), ("eth_blockNumber", [])])
    assert caught.value.code == code
    return caught.value


def answers(*found: Any) -> Any:
    return lambda _asked: list(found)


def result(number: object, value: object = "0x1") -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "result": value}


def test_results_come_in_the_order_of_the_calls(node: Node, rpc: Rpc) -> None:
    node.reply = answers(result(1, "second"), result(0, "first"))
    assert rpc.batch([("a", []), ("b", [1])]) == ["first", "second"]
    assert [(call["method"], call["params"]) for call in node.requests[0]] == [
        ("a", []),
        ("b", [1]),
    ]


def test_one_call_is_one_request(node: Node, rpc: Rpc) -> None:
    node.results = {"eth_chainId": "0x1"}
    assert rpc.call("eth_chainId", []) == "0x1"
    assert len(node.requests) == 1


def test_many_calls_are_split_and_none_is_none(
    node: Node, rpc: Rpc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc_module, "MAX_BATCH", 3)
    node.results = {"echo": lambda value: value}
    assert rpc.batch([("echo", [n]) for n in range(7)]) == list(range(7))
    assert [len(asked) for asked in node.requests] == [3, 3, 1]
    assert rpc.batch([]) == []


@pytest.mark.parametrize(
    "found",
    [
        [],
        [result(0)],
        [result(0), result(0)],
        [result(0), result(2)],
        [result(0), result(-1)],
        [result(0), result("1")],
        [result(0), result(True)],
        [result(0), result(1.0)],
        [result(0), result(None)],
        [result(0), result(1), result(2)],
        [result(0), {"id": 1}],
        [result(0), "1"],
        [result(0), {"id": 1, "error": "no"}],
        [result(0), {"id": 1, "error": {"code": "1"}}],
        [result(0), {"id": 1, "error": {"message": "no code"}}],
    ],
)
def test_an_answer_to_something_else_is_refused(node: Node, rpc: Rpc, found: list[object]) -> None:
    node.reply = answers(*found)
    fails(rpc, "rpc-malformed")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"1", b"null", b'"x"', b"{}", b"[" * 5000, b"\xff\xfe", b"[NaN]"]
)
def test_what_is_no_answer_is_refused(node: Node, rpc: Rpc, body: bytes) -> None:
    node.reply = body
    fails(rpc, "rpc-malformed")


@pytest.mark.parametrize("is_whole", [False, True])
def test_an_error_of_the_node_is_told_with_its_code(
    node: Node, rpc: Rpc, *, is_whole: bool
) -> None:
    error = {"code": -32001, "message": "Resource \x1b[2J not found" + "!" * 1000}
    node.reply = (
        json.dumps({"id": None, "error": error}).encode()
        if is_whole
        else answers(result(0), {"id": 1, "error": error})
    )
    caught = fails(rpc, "rpc-error")
    assert isinstance(caught, RpcError)
    assert caught.node_code == -32001
    assert "\x1b" not in caught.message
    assert len(caught.message) < 300


def test_a_null_error_beside_a_result_is_none(node: Node, rpc: Rpc) -> None:
    node.reply = answers({**result(0), "error": None})
    assert rpc.call("a", []) == "0x1"


@pytest.mark.parametrize("status", [204, 301, 307, 401, 429, 500])
def test_another_status_than_ok_is_no_answer(node: Node, rpc: Rpc, status: int) -> None:
    node.results = {"eth_chainId": "0x1", "eth_blockNumber": "0x1"}
    node.status = status
    node.headers = {"Location": node.url}
    fails(rpc, "rpc-http-status")
    assert len(node.requests) == 1


def test_nobody_listening_is_unreachable(unused_port: int) -> None:
    with Rpc(f"http://127.0.0.1:{unused_port}") as rpc:
        fails(rpc, "rpc-unreachable")


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_cut_answer_is_unreachable(node: Node, rpc: Rpc) -> None:
    node.reply = b"[" + b" " * 100
    node.headers = {"Content-Length": "1000", "Connection": "close"}
    fails(rpc, "rpc-unreachable")


def test_silence_is_a_timeout(node: Node, hasty: Rpc) -> None:
    node.results = {"eth_chainId": "0x1", "eth_blockNumber": "0x1"}
    node.stall_seconds = 0.8
    fails(hasty, "rpc-timeout")


def test_a_byte_now_and_then_is_a_timeout_too(node: Node, hasty: Rpc) -> None:
    node.results = {"eth_chainId": "0x1", "eth_blockNumber": "0x1"}
    node.drip_seconds = 0.1
    start = time.monotonic()
    fails(hasty, "rpc-timeout")
    assert time.monotonic() - start < 5


def test_too_much_is_not_read_to_the_end(
    node: Node, rpc: Rpc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc_module, "MAX_RESPONSE_BYTES", 1000)
    node.reply = b"[" + b" " * 1000
    fails(rpc, "rpc-too-large")


def test_compression_is_not_asked_for_and_not_unpacked(node: Node, rpc: Rpc) -> None:
    node.results = {"eth_chainId": "0x1", "eth_blockNumber": "0x1"}
    node.headers = {"Content-Encoding": "gzip"}
    assert rpc.call("eth_chainId", []) == "0x1"
    assert node.seen_headers[0]["Accept-Encoding"] == "identity"


def test_secrets_in_a_url_are_sent_and_never_shown(node: Node) -> None:
    url = node.url.replace("http://", "http://user:pass%40word@") + "/v3/api-key?token=hidden"
    with Rpc(url) as rpc:
        node.reply = b"?"
        messages = [fails(rpc, "rpc-malformed").message]
        node.status = 500
        messages.append(fails(rpc, "rpc-http-status").message)
    for message in messages:
        assert rpc.host in message
        assert not any(secret in message for secret in ("user", "pass", "api-key", "hidden"))
    assert node.seen_headers[0]["Authorization"].startswith("Basic ")


@pytest.mark.parametrize("url", ["http://h", "https://h:1/x", "http://[::1]:8545", "http://u:p@h"])
def test_http_urls_are_endpoints(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    "url",
    ["", "h", "ws://h", "http:", "http://", "http:///x", "http://h:x", "http://[", "http://h h"],
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(MalformedInputError):
        Rpc(url)


@given(st.text())
def test_any_text_is_an_endpoint_or_refused(url: str) -> None:
    try:
        check_url(url)
    except MalformedInputError:
        return
    assert url.startswith("http")


def test_values_are_read_in_one_spelling() -> None:
    assert [parse_quantity(text) for text in ("0x0", "0x1", "0xAb", "0x" + "f" * 64)] == [
        0,
        1,
        0xAB,
        2**256 - 1,
    ]
    assert parse_data("0x") == b""
    assert parse_data("0x00fF") == b"\x00\xff"
    assert parse_hash("0x" + "0a" * 32) == b"\x0a" * 32


@pytest.mark.parametrize(
    "value", [None, 1, True, "", "0", "1", "0x", "0x01", "0xg", "-0x1", "0x1 ", "0x" + "1" * 65]
)
def test_other_quantities_are_refused(value: object) -> None:
    with pytest.raises(ChainError, match="quantity"):
        parse_quantity(value)


@pytest.mark.parametrize("value", [None, b"0x", "", "00", "0x0", "0xgg", "0x00\n", ["0x00"], {}])
def test_other_data_is_refused(value: object) -> None:
    with pytest.raises(ChainError):
        parse_data(value)
    with pytest.raises(ChainError):
        parse_hash(value)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_hash_has_32_bytes(length: int) -> None:
    with pytest.raises(ChainError, match="hash"):
        parse_hash("0x" + "00" * length)
