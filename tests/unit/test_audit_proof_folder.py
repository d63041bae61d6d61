"""Badges and proof files held against the registry."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ledger.audit.findings import FindingCode
from ledger.audit.proof_folder import ProofFolder, check_proofs
from ledger.audit.world import World
from ledger.errors import MalformedInputError
from ledger.merkle.inclusion import InclusionProof
from ledger.merkle.tree import leaf_hash, node_hash
from ledger.primitives import Canonicalization, Home, sha256
from ledger.proofs.file import AnchorReference, ProofFile, format_proof_file

from .audit_history import CHAIN, KEY, REGISTRY, STOLEN, Emitter, replayed

DIGESTS = [sha256(b"%d" % n) for n in range(2)]
LEAVES = [leaf_hash(digest) for digest in DIGESTS]
ROOT = node_hash(*LEAVES)


def world(*events: tuple[str, tuple[Any, ...]]) -> World:
    emitter = Emitter()
    emitter.register("did:example:a")
    emitter.emit("OperatorSet", 1, KEY, 3)
    emitter.emit("OperatorSet", 1, STOLEN, 1)
    emitter.emit("Anchored", 1, ROOT, KEY, 2)
    for name, members in events:
        emitter.emit(name, 1, *members)
    return replayed(emitter.logs, emitter.heads).world


def proof(index: int = 0) -> dict[str, Any]:
    return format_proof_file(
        ProofFile(
            Canonicalization.NONE,
            DIGESTS[index],
            InclusionProof(index, (LEAVES[1 - index],)),
            AnchorReference(Home(CHAIN, REGISTRY, 1), ROOT, 2, None),
            None,
            None,
        )
    )


def checked(folder: Path, *files: Any, at: World | None = None) -> ProofFolder:
    for n, content in enumerate(files):
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{n}.json").write_text(text)
    (folder / "index.csv").write_text("leaf,name,file\n")
    return check_proofs(folder, at or world())


def test_proofs_that_fit_are_counted_by_standing(tmp_path: Path) -> None:
    result = checked(tmp_path, proof(0), proof(1))
    assert (result.files, dict(result.standings), result.findings) == (2, {"active": 2}, [])
    revoked = world(("Revoked", (ROOT, 0, KEY, 2, 1)), ("Suspended", (ROOT, 0, KEY, 1, 1)))
    result = checked(tmp_path, proof(0), proof(1), at=revoked)
    assert dict(result.standings) == {"suspended": 1, "revoked": 1}
    assert not result.findings
    whole = checked(tmp_path, proof(0), at=world(("BatchRevoked", (ROOT, KEY, 1))))
    assert whole.standings["revoked"] == 2
    lost = checked(tmp_path, proof(0), at=world(("OperatorCompromised", (KEY, 1))))
    assert dict(lost.standings) == {"untrusted": 2}


def altered(path: str, value: object) -> dict[str, Any]:
    content = proof()
    *parents, last = path.split(".")
    inner = content
    for name in parents:
        inner = inner[name]
    inner[last] = value
    return content


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("anchor.chain", "eip155:1"),
        ("anchor.issuer", 2),
        ("anchor.root", "ab" * 32),
        ("anchor.size", 3),
        ("inclusion.index", 1),
        ("inclusion.path", ["cd" * 32]),
        ("digest.value", "ef" * 32),
    ],
)
def test_a_proof_that_does_not_fit_is_named(tmp_path: Path, path: str, value: object) -> None:
    result = checked(tmp_path, altered(path, value))
    (found,) = result.findings
    assert found.code is FindingCode.PROOF_DIFFERS
    assert found.message.startswith("0.json: ")
    assert sum(result.standings.values()) == 0


def test_a_document_that_is_another_is_named(tmp_path: Path) -> None:
    content = altered("digest.canonicalization", "rfc8785")
    content["credential"] = {"type": ["VerifiableCredential"], "name": "another"}
    (found,) = checked(tmp_path, content).findings
    assert found.code is FindingCode.PROOF_DIFFERS
    assert "not the one that the proof is about" in found.message


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"a": 1, "a": 2}', "\x00", "NaN"])
def test_what_is_no_proof_is_a_finding_and_no_error(tmp_path: Path, content: str) -> None:
    (found,) = checked(tmp_path, content).findings
    assert found.code is FindingCode.PROOF_UNREADABLE


def test_a_name_that_is_no_text_is_shown_as_one(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff<b>.json"))
    path.write_text("{}")
    (found,) = checked(tmp_path).findings
    assert found.message.startswith(r"\xff<b>.json: ")
    json.dumps(found.as_json(), ensure_ascii=False).encode()


def test_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(MalformedInputError, match="no folder"):
        check_proofs(tmp_path / "none", world())
