"""What the contract says of a path, against what `ledger.merkle` says of the same input.

No transaction is sent: each `eth_call` brings its own anchor, or its own contract, as a
state override, and a hundred calls go in one request.
"""

import json
import random
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import solcx

from ledger.chain.registry import calls
from ledger.chain.registry.slots import anchor_slot, word
from ledger.errors import LedgerError
from ledger.merkle.inclusion import InclusionProof, path_length, root_from, verify
from ledger.merkle.tree import leaf_hash, node_hash, parents, root_of
from ledger.primitives import Hash32, format_address, sha256
from tests.vectors.conftest import vectors  # noqa: F401 - a fixture

from .conftest import Chain

ROOT = Path(__file__).parents[2]
ISSUER = 77
STANDINGS = {2: "bad-index", 3: "bad-path-length", 4: "root-mismatch", 8: None}
"""What the contract's BadIndex, BadPathLength, BadProof and Active are called here."""

HARNESS = Hash32(sha256(b"where the harness stands"))[:20]


@dataclass(frozen=True)
class Question:
    """Is `digest` leaf `index` of the tree of `size` leaves under `root`?"""

    digest: Hash32
    index: int
    size: int
    root: Hash32
    path: tuple[Hash32, ...]


def digests(size: int) -> list[Hash32]:
    return [sha256(b"%d of %d" % (index, size)) for index in range(size)]


def questions_of(size: int) -> Iterator[Question]:
    """Every leaf of a tree with its path, read from the tree's levels."""
    documents = digests(size)
    levels = [b"".join(leaf_hash(document) for document in documents)]
    while len(levels[-1]) > 32:
        levels.append(parents(levels[-1]))
    for index, document in enumerate(documents):
        path = []
        for height, level in enumerate(levels[:-1]):
            sibling = level[32 * (index >> height ^ 1) :][:32]
            if sibling:
                path.append(Hash32(sibling))
        yield Question(document, index, size, Hash32(levels[-1]), tuple(path))


def large_question(randomness: random.Random) -> Question:
    """A leaf of a tree too large to build: its siblings are drawn, its root follows."""
    size = randomness.randint(1, 2 ** randomness.randint(1, 48) - 1)
    index = randomness.choice([0, size - 1, randomness.randrange(size)])
    path = tuple(Hash32(randomness.randbytes(32)) for _ in range(path_length(index, size)))
    digest = Hash32(randomness.randbytes(32))
    root = root_from(leaf_hash(digest), InclusionProof(index, path), size)
    return Question(digest, index, size, root, path)


def spoiled(question: Question) -> Iterator[Question]:
    """The same question with one thing changed."""
    stranger = sha256(b"a stranger")
    yield replace(question, digest=stranger)
    yield replace(question, path=(*question.path, stranger))
    yield replace(question, index=question.size)
    yield replace(question, index=question.index + question.size)
    yield replace(question, index=question.index ^ 1)
    yield replace(question, index=2**256 - 1)
    if question.path:
        yield replace(question, path=question.path[:-1])
        yield replace(question, path=(stranger, *question.path[1:]))
        yield replace(question, path=(*question.path[:-1], stranger))
        # The leaf's parent, as if it were a leaf of a tree with a level less.
        left, right = leaf_hash(question.digest), question.path[0]
        if question.index & 1:
            left, right = right, left
        parent = node_hash(left, right)
        yield replace(question, digest=parent, index=question.index >> 1, path=question.path[1:])


def our_answer(leaf: Hash32, question: Question) -> str | None:
    """The code of the error that we raise; None when we raise none."""
    proof = InclusionProof(question.index, question.path)
    try:
        verify(leaf, proof, size=question.size, anchored=question.root)
    except LedgerError as error:
        return error.code
    return None


def contract_answers(chain: Chain, questions: Sequence[Question]) -> list[str | None]:
    registry = format_address(chain.registry)

    def ask(question: Question) -> tuple[str, list[Any]]:
        data = calls.verify(
            ISSUER, question.root, question.digest, question.index, list(question.path)
        )
        anchor = word(question.size << 200 | 1 << 160)
        key = anchor_slot(ISSUER, question.root)
        override = {registry: {"stateDiff": {"0x" + key.hex(): "0x" + anchor.hex()}}}
        return "eth_call", [{"to": registry, "data": "0x" + data.hex()}, "latest", override]

    answers = chain.rpc.batch([ask(question) for question in questions])
    return [STANDINGS[int(answer, 16)] for answer in answers]


def assert_same_answers(chain: Chain, questions: Sequence[Question]) -> set[str | None]:
    """Compare every answer, and return which answers there were."""
    ours = [our_answer(leaf_hash(question.digest), question) for question in questions]
    theirs = contract_answers(chain, questions)
    assert [(q, t) for q, t in zip(questions, theirs, strict=True)] == [
        (q, o) for q, o in zip(questions, ours, strict=True)
    ]
    return set(theirs)


def test_every_leaf_of_every_tree_up_to_130_is_found(chain: Chain) -> None:
    questions = [question for size in range(1, 131) for question in questions_of(size)]
    assert len(questions) == 130 * 131 // 2
    assert assert_same_answers(chain, questions) == {None}


def test_whatever_is_changed_in_a_small_tree_is_refused_for_our_reason(chain: Chain) -> None:
    questions = [
        changed
        for size in range(1, 21)
        for question in questions_of(size)
        for changed in spoiled(question)
    ]
    answers = assert_same_answers(chain, questions)
    assert answers == {"bad-index", "bad-path-length", "root-mismatch"}


def test_trees_up_to_the_largest_are_judged_alike(chain: Chain) -> None:
    randomness = random.Random(9162)
    proved = [large_question(randomness) for _ in range(100)]
    assert max(question.size for question in proved) > 2**40
    assert assert_same_answers(chain, proved) == {None}
    changed = [other for question in proved for other in spoiled(question)]
    assert assert_same_answers(chain, changed) == {
        "bad-index",
        "bad-path-length",
        "root-mismatch",
    }


def test_the_roots_are_those_of_the_tree(chain: Chain) -> None:
    for size in (1, 2, 3, 7, 130):
        (first, *_) = questions_of(size)
        assert first.root == root_of([leaf_hash(digest) for digest in digests(size)])
        assert contract_answers(chain, [first]) == [None]


@pytest.fixture(scope="module")
def harness() -> str:
    """The code of a contract around the library, with the leaf given instead of its digest.

    The vectors hold leaves and not what lies below them, and `verify` hashes a digest
    first. So one call is taken out of the library's source, and nothing else is changed.
    """
    source = (ROOT / "contracts" / "src" / "MerklePath.sol").read_text("utf-8")
    assert source.count("_climb(leafOf(digest), ") == 1
    around = """pragma solidity 0.8.30;
        import {MerklePath} from "./MerklePath.sol";
        contract Harness {
            function check(
                bytes32 root, uint256 size, bytes32 leaf, uint256 index, bytes32[] calldata path
            ) external view returns (MerklePath.Result) {
                return MerklePath.check(root, size, leaf, index, path);
            }
        }"""
    output = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {
                "Harness.sol": {"content": around},
                "MerklePath.sol": {
                    "content": source.replace("_climb(leafOf(digest), ", "_climb(digest, ")
                },
            },
            "settings": {
                "evmVersion": "shanghai",
                "viaIR": True,
                "optimizer": {"enabled": True, "runs": 10_000},
                "outputSelection": {"*": {"Harness": ["evm.deployedBytecode.object"]}},
            },
        },
        solc_binary=str(ROOT / "scripts" / "solc"),
    )
    code: str = output["contracts"]["Harness.sol"]["Harness"]["evm"]["deployedBytecode"]["object"]
    return "0x" + code


def harness_answers(chain: Chain, code: str, questions: Sequence[Question]) -> list[str | None]:
    results = ["bad-index", "bad-path-length", "root-mismatch", None]
    address = format_address(HARNESS)

    def ask(question: Question) -> tuple[str, list[Any]]:
        data = (
            calls.selector("check(bytes32,uint256,bytes32,uint256,bytes32[])")
            + question.root
            + word(question.size)
            + question.digest
            + word(question.index)
            + word(5 * 32)
            + word(len(question.path))
            + b"".join(question.path)
        )
        call = {"to": address, "data": "0x" + data.hex()}
        return "eth_call", [call, "latest", {address: {"code": code}}]

    answers = chain.rpc.batch([ask(question) for question in questions])
    return [results[int(answer, 16)] for answer in answers]


def read_vectors(folder: Path) -> list[tuple[dict[str, Any], Question]]:
    """The rows, each with its leaf where a question has its digest."""
    rows = json.loads((folder / "merkle" / "inclusion.json").read_text("utf-8"))
    return [
        (
            row,
            Question(
                digest=Hash32(b64decode(row["leafHash"])),
                index=row["leafIdx"],
                size=row["treeSize"],
                root=Hash32(b64decode(row["root"])),
                path=tuple(Hash32(b64decode(sibling)) for sibling in row["proof"] or ()),
            ),
        )
        for row in rows
    ]


def is_words(question: Question) -> bool:
    return all(len(h) == 32 for h in (question.digest, question.root, *question.path))


def test_every_published_proof_is_judged_as_its_row_says(
    chain: Chain,
    harness: str,
    vectors: Path,  # noqa: F811
) -> None:
    rows = [(row, q) for row, q in read_vectors(vectors) if is_words(q)]
    answers = harness_answers(chain, harness, [question for _, question in rows])
    judged = {row["file"]: answer is None for (row, _), answer in zip(rows, answers, strict=True)}
    assert judged == {row["file"]: not row["wantErr"] for row, _ in rows}
    assert True in judged.values()
    for (row, question), answer in zip(rows, answers, strict=True):
        ours = our_answer(question.digest, question)
        # Ours has one more reason: a size that no registry can hold.
        assert ours in {answer, "bad-size"}, row["file"]


def test_the_rows_that_no_call_can_express_are_all_rejects(
    vectors: Path,  # noqa: F811
) -> None:
    others = [row for row, question in read_vectors(vectors) if not is_words(question)]
    assert 0 < len(others) < 30
    assert all(row["wantErr"] for row in others)
