"""Trees and inclusion proofs of the transparency-dev project."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import LedgerError, MalformedInputError
from ledger.merkle.inclusion import InclusionProof, verify
from ledger.merkle.tree import leaf_hash, parents, root_of
from ledger.primitives import Hash32


def decoded(row: dict[str, Any]) -> tuple[Hash32, InclusionProof, int, Hash32]:
    """The row's leaf, proof, size and root, of whatever lengths they are."""
    path = tuple(Hash32(b64decode(sibling)) for sibling in row["proof"] or ())
    leaf, root = Hash32(b64decode(row["leafHash"])), Hash32(b64decode(row["root"]))
    return leaf, InclusionProof(row["leafIdx"], path), row["treeSize"], root


def is_accepted(row: dict[str, Any]) -> bool:
    leaf, proof, size, root = decoded(row)
    try:
        verify(leaf, proof, size=size, anchored=root)
    except LedgerError:
        return False
    return True


def test_every_inclusion_proof_is_judged_as_its_row_says(vectors: Path) -> None:
    rows = json.loads((vectors / "merkle" / "inclusion.json").read_text("utf-8"))
    judged = {row["file"]: is_accepted(row) for row in rows}
    assert len(judged) == 98
    assert judged == {row["file"]: not row["wantErr"] for row in rows}
    assert True in judged.values()


def test_rows_with_hashes_of_other_lengths_are_refused(vectors: Path) -> None:
    rows = json.loads((vectors / "merkle" / "inclusion.json").read_text("utf-8"))
    odd = [
        row
        for row in rows
        for leaf, proof, _, root in [decoded(row)]
        if any(len(value) != 32 for value in (leaf, root, *proof.path))
    ]
    assert odd
    for row in odd:
        leaf, proof, size, root = decoded(row)
        with pytest.raises(MalformedInputError):
            verify(leaf, proof, size=size, anchored=root)


@pytest.fixture
def tree8(vectors: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((vectors / "merkle" / "tree8.json").read_text("utf-8"))
    return loaded


def test_the_tree_of_eight_has_the_published_root_at_every_size(tree8: dict[str, Any]) -> None:
    leaves = [leaf_hash(bytes.fromhex(data)) for data in tree8["leaf_inputs_hex"]]
    roots = [root_of(leaves[:size]).hex() for size in range(1, 9)]
    assert roots == tree8["root_hashes_hex_by_size"][1:]


def test_the_tree_of_eight_has_the_published_nodes(tree8: dict[str, Any]) -> None:
    level = b"".join(leaf_hash(bytes.fromhex(data)) for data in tree8["leaf_inputs_hex"])
    nodes = level
    while len(level) > 32:
        level = parents(level)
        nodes += level
    assert nodes == bytes.fromhex("".join(tree8["node_hashes_hex_level_order"]))
