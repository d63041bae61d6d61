"""docs/reference/proof-file.md: its examples work and its numbers are right."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ledger.credentials.canonical import credential_digest, find_anchor_proof
from ledger.merkle.inclusion import verify
from ledger.merkle.tiles import TileBuilder, prove
from ledger.merkle.tree import MAX_PATH, leaf_hash
from ledger.primitives import Canonicalization
from ledger.proofs import file
from ledger.strict_json import MAX_DEPTH

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "proof-file.md").read_text("utf-8")
FILES = [f"badge number {number}".encode() for number in range(7)]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def example() -> file.ProofFile:
    return file.parse_proof_file(blocks("json")[0].encode())


def test_the_example_is_the_proof_of_the_batch_that_the_page_describes() -> None:
    tiles: dict[tuple[int, int], bytes] = {}
    builder = TileBuilder(lambda tile: tiles.update({(tile.level, tile.number): tile.hashes}))
    for content in FILES:
        builder.add(leaf_hash(hashlib.sha256(content).digest()))
    root, proof = builder.finish(), example()
    assert proof.digest == hashlib.sha256(FILES[5]).digest()
    assert proof.canonicalization is Canonicalization.NONE
    assert proof.inclusion == prove(5, 7, lambda level, number: tiles[level, number])
    assert (proof.anchor.root, proof.anchor.size) == (root, 7)
    assert json.dumps(file.format_proof_file(proof), indent=2) + "\n" == blocks("json")[0]


@pytest.mark.parametrize("options", [["-I", "-"], ["-I", "-i", "-q"]], ids=["run", "pasted"])
def test_the_fold_works_as_it_stands(options: list[str], tmp_path: Path) -> None:
    (code,) = blocks("python")
    (tmp_path / "proof.json").write_text(blocks("json")[0], "utf-8")
    done = subprocess.run(
        [sys.executable, *options],
        input=code,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["True"]


def test_the_fold_is_twenty_lines_that_import_the_standard_library_only() -> None:
    (code,) = blocks("python")
    assert len(code.splitlines()) <= 21
    assert re.findall(r"^(?:import|from) .*", code, re.MULTILINE) == ["import hashlib, json"]


def test_the_fold_gives_the_roots_that_this_package_gives() -> None:
    (code,) = blocks("python")
    namespace: dict[str, Any] = {}
    exec(code.partition("proof = ")[0], namespace)  # noqa: S102 - the page's own function
    proof = example()
    path, root = list(proof.inclusion.path), proof.anchor.root.hex()
    assert namespace["root"](proof.digest, 5, path, 7) == root
    assert namespace["root"](proof.digest, 4, path, 7) != root
    for index, siblings, size in ((7, path, 7), (5, path[:2], 7), (5, [*path, *path], 7)):
        with pytest.raises((AssertionError, IndexError)):
            namespace["root"](proof.digest, index, siblings, size)


def test_the_embedded_example_proves_its_credential() -> None:
    credential = json.loads(blocks("json")[1])
    proof = file.parse_embedded(find_anchor_proof(credential))
    assert proof.digest == credential_digest(credential)
    verify(leaf_hash(proof.digest), proof.inclusion, size=1, anchored=proof.anchor.root)


def test_the_page_states_the_bounds_of_the_code() -> None:
    for row in (
        f"| the file | {file.MAX_PROOF_FILE_BYTES >> 20} MiB |",
        f"| arrays and objects inside each other | {MAX_DEPTH} |",
        f"| `inclusion.path` | {MAX_PATH} hashes |",
        f"| `state.header` | {file.MAX_HEADER_BYTES:,} bytes |",
        f"| `state.nodes` | {file.MAX_NODES} nodes of {file.MAX_NODE_BYTES:,} bytes |",
        f"| media type | `{file.MEDIA_TYPE}` |",
    ):
        assert row in PAGE


def test_the_page_explains_every_code_that_a_proof_file_can_be_refused_with() -> None:
    sources = ("proofs/file.py", "proofs/members.py", "strict_json.py")
    package = Path(file.__file__).parents[1]
    raised = {
        code
        for source in sources
        for code in re.findall(
            r'(?:Error|__init__)\(\s*"([a-z0-9-]+)"', (package / source).read_text("utf-8")
        )
    }
    rows = re.findall(r"^\| (`.*?) \|", PAGE.partition("## Refusals")[2], re.MULTILINE)
    explained = {code for row in rows for code in re.findall(r"`([a-z0-9-]+)`", row)}
    from_primitives = {"not-a-digest", "not-a-hash", "not-a-chain", "not-an-address"}
    assert explained == raised | from_primitives
