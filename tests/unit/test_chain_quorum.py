"""Several endpoints: what is believed, and at which block."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from ledger.chain.quorum import Quorum, open_endpoints
from ledger.chain.rpc import Rpc, parse_quantity
from ledger.chain.state import (
    NO_CODE,
    Block,
    CodeHash,
    Question,
    RpcReader,
    RpcState,
    Slot,
    read_blocks,
)
from ledger.errors import ChainError, MalformedInputError
from ledger.primitives import Address, Hash32, keccak256, sha256
from tests.unit.chain_rpc_node import Node, running_node

CONTRACT = Address(b"\x11" * 20)
KEY = Hash32(b"\x22" * 32)


def block_json(number: int, fork: str = "") -> dict[str, str]:
    return {
        "number": hex(number),
        "hash": "0x" + sha256(f"block {number}{fork}".encode()).hex(),
        "timestamp": hex(1_700_000_000 + 12 * number),
        "extraData": fork,
    }


def block(number: int, fork: str = "") -> Block:
    return Block(number, sha256(f"block {number}{fork}".encode()), 1_700_000_000 + 12 * number)


def honest(node: Node, *, latest: int, finalized: int = 90, chain: int = 1, fork: str = "") -> None:
    """Make `node` one that has come as far as `latest`."""

    def by_number(tag: str, _full: object) -> dict[str, str] | None:
        numbers = {"latest": latest, "finalized": finalized}
        number = numbers[tag] if tag in numbers else int(tag, 16)
        return block_json(number, fork) if number <= latest else None

    node.results = {
        "eth_chainId": hex(chain),
        "eth_getBlockByNumber": by_number,
        "eth_getCode": "0x6001",
        "eth_getStorageAt": lambda _contract, key, _block: key,
    }


@pytest.fixture
def nodes() -> Iterator[list[Node]]:
    with ExitStack() as stack:
        nodes = [stack.enter_context(running_node()) for _ in range(3)]
        for node in nodes:
            honest(node, latest=100)
        yield nodes


def quorum(nodes: list[Node], k: int) -> Quorum:
    return Quorum([Rpc(node.url) for node in nodes], k)


def ask(nodes: list[Node], k: int) -> int:
    with quorum(nodes, k) as rpcs:
        return rpcs.ask([("eth_chainId", [])], lambda results: parse_quantity(results[0]))


def refused(nodes: list[Node], k: int) -> ChainError:
    with pytest.raises(ChainError) as caught:
        ask(nodes, k)
    return caught.value


def test_what_enough_endpoints_say_is_believed(nodes: list[Node]) -> None:
    honest(nodes[1], latest=100, chain=666)
    assert ask(nodes, 2) == 1


@pytest.mark.parametrize("k", [1, 3])
def test_what_too_few_or_two_camps_say_is_not(nodes: list[Node], k: int) -> None:
    honest(nodes[1], latest=100, chain=666)
    assert refused(nodes, k).code == "rpcs-disagree"


def test_endpoints_that_are_down_do_not_matter_while_enough_answer(nodes: list[Node]) -> None:
    nodes[0].status = 500
    assert ask(nodes, 2) == 1
    nodes[1].status = 500
    assert ask(nodes, 1) == 1
    error = refused(nodes, 2)
    assert error.code == "rpc-http-status"
    assert "1 of 3 endpoints answered and 2 must" in error.message


def test_two_spellings_of_one_answer_agree_once_read(nodes: list[Node]) -> None:
    for node, spelled in zip(nodes, ("0xab", "0xAB", "0xaB"), strict=True):
        node.results["eth_chainId"] = spelled
    assert ask(nodes, 3) == 0xAB
    with quorum(nodes, 3) as rpcs, pytest.raises(ChainError):
        rpcs.call("eth_chainId", [])


def test_endpoints_that_agree_to_the_letter_answer_like_one(nodes: list[Node]) -> None:
    with quorum(nodes, 3) as rpcs:
        assert rpcs.call("eth_chainId", []) == "0x1"
        assert rpcs.batch([("eth_chainId", []), ("eth_getCode", [])]) == ["0x1", "0x6001"]


def test_a_quorum_needs_as_many_endpoints() -> None:
    rpc = Rpc("http://127.0.0.1:1")
    for rpcs, k in (([], 0), ([rpc], 0), ([rpc], 2)):
        with pytest.raises(MalformedInputError):
            Quorum(rpcs, k)


def test_one_endpoint_needs_no_quorum() -> None:
    single = open_endpoints(["http://127.0.0.1:1"], 1)
    several = open_endpoints(["http://127.0.0.1:1", "http://127.0.0.1:2"], 2)
    assert isinstance(single, Rpc)
    assert isinstance(several, Quorum)
    single.close()
    several.close()


def blocks(nodes: list[Node], k: int, **options: Any) -> list[Block]:
    with quorum(nodes, k) as rpcs:
        return read_blocks(rpcs, ["finalized", "latest"], **options)


@pytest.mark.parametrize(("k", "latest"), [(1, 102), (2, 101), (3, 100)])
def test_a_tag_is_the_newest_block_that_enough_endpoints_have(
    nodes: list[Node], k: int, latest: int
) -> None:
    honest(nodes[0], latest=101, finalized=91)
    honest(nodes[2], latest=102, finalized=91)
    expected = {1: 91, 2: 91, 3: 90}
    assert blocks(nodes, k) == [block(expected[k]), block(latest)]


def test_a_lagging_minority_does_not_hold_the_others_back(nodes: list[Node]) -> None:
    honest(nodes[0], latest=10, finalized=5)
    assert blocks(nodes, 2) == [block(90), block(100)]


def test_a_minority_that_runs_ahead_is_not_followed(nodes: list[Node]) -> None:
    honest(nodes[0], latest=10**9, finalized=10**9)
    assert blocks(nodes, 2) == [block(90), block(100)]


def test_a_fork_of_the_minority_is_outvoted_and_of_one_of_two_is_not(nodes: list[Node]) -> None:
    honest(nodes[0], latest=100, fork="'")
    assert blocks(nodes, 2) == [block(90), block(100)]
    with pytest.raises(ChainError) as caught:
        blocks(nodes[:2], 2)
    assert caught.value.code == "rpcs-disagree"


def test_one_endpoint_is_asked_once_for_its_blocks(nodes: list[Node]) -> None:
    with Rpc(nodes[0].url) as rpc:
        assert read_blocks(rpc, ["finalized", "latest"]) == [block(90), block(100)]
    assert len(nodes[0].requests) == 1


def test_another_chain_is_refused(nodes: list[Node]) -> None:
    assert blocks(nodes, 3, chain=1) == [block(90), block(100)]
    with pytest.raises(ChainError) as caught:
        blocks(nodes, 3, chain=2)
    assert caught.value.code == "wrong-chain"


def test_an_endpoint_on_another_chain_counts_as_silent(nodes: list[Node]) -> None:
    honest(nodes[0], latest=100, chain=666)
    assert blocks(nodes, 2, chain=1) == [block(90), block(100)]


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (None, "no-block"),
        ("0x1", "no-block"),
        ({}, "rpc-malformed"),
        ({**block_json(1), "hash": None}, "rpc-malformed"),
        ({**block_json(1), "number": 1}, "rpc-malformed"),
        ({**block_json(1), "timestamp": hex(2**40)}, "rpc-malformed"),
    ],
)
def test_what_is_no_block_is_refused(nodes: list[Node], found: object, code: str) -> None:
    nodes[0].results["eth_getBlockByNumber"] = found
    with Rpc(nodes[0].url) as rpc, pytest.raises(ChainError) as caught:
        read_blocks(rpc, ["latest"])
    assert caught.value.code == code


def test_every_question_is_pinned_to_the_hash_of_its_block(nodes: list[Node]) -> None:
    questions: list[Question] = [
        CodeHash(block(1), CONTRACT),
        Slot(block(1), CONTRACT, KEY),
        Slot(block(2), CONTRACT, KEY),
        Slot(block(1), CONTRACT, KEY),
    ]
    with Rpc(nodes[0].url) as rpc:
        answers = RpcReader(rpc, 1).read(questions)
    assert answers == {
        questions[0]: keccak256(b"\x60\x01"),
        questions[1]: KEY,
        questions[2]: KEY,
    }
    (asked,) = nodes[0].requests
    assert [call["params"][-1] for call in asked] == [
        {"blockHash": "0x" + block(n).hash.hex(), "requireCanonical": True} for n in (1, 1, 2)
    ]


def test_no_code_has_a_hash_of_its_own(nodes: list[Node]) -> None:
    nodes[0].results["eth_getCode"] = "0x"
    question = CodeHash(block(1), CONTRACT)
    with Rpc(nodes[0].url) as rpc:
        assert RpcReader(rpc, 1).read([question]) == {question: NO_CODE}


@pytest.mark.parametrize("word", ["0x0", "0x", "0x" + "00" * 31, None, "0x" + "00" * 33])
def test_a_word_has_32_bytes(nodes: list[Node], word: object) -> None:
    nodes[0].results["eth_getStorageAt"] = word
    with Rpc(nodes[0].url) as rpc, pytest.raises(ChainError):
        RpcReader(rpc, 1).read([Slot(block(1), CONTRACT, KEY)])


def test_a_liar_about_storage_is_outvoted(nodes: list[Node]) -> None:
    nodes[2].results["eth_getStorageAt"] = "0x" + "00" * 32
    question = Slot(block(1), CONTRACT, KEY)
    with quorum(nodes, 2) as rpcs:
        assert RpcReader(rpcs, 1).read([question]) == {question: KEY}
    with quorum(nodes, 3) as rpcs, pytest.raises(ChainError, match="different answers"):
        RpcReader(rpcs, 1).read([question])


def test_the_state_of_one_block_gives_words_in_the_order_of_the_keys(nodes: list[Node]) -> None:
    keys = [Hash32(bytes([n]) * 32) for n in (3, 1, 3, 2)]
    with Rpc(nodes[0].url) as rpc:
        assert RpcState(rpc, 1, block(1)).slots(CONTRACT, keys) == keys
    assert len(nodes[0].requests) == 1
