"""Hold a folder of badges and proof files against the registry that the replay rebuilt.

Each file's digest, path, root and size must be those of an anchor on chain. How it stands
there is counted; a revoked badge is no contradiction.
"""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ledger.audit.findings import Finding, FindingCode, Place
from ledger.audit.world import AnchorState, IssuerState, World
from ledger.chain.registry.slots import WORD_BITS
from ledger.errors import LedgerError, MalformedInputError
from ledger.merkle.inclusion import verify
from ledger.merkle.tree import leaf_hash
from ledger.proofs.file import ProofFile
from ledger.verification.submission import Submission, read_submission

SUFFIX: Final = ".json"

MAX_FILE_BYTES: Final = 64 * 2**20
"""A file above this is no badge."""


@dataclass(slots=True)
class ProofFolder:
    """What was found in a folder."""

    files: int = 0
    standings: Counter[str] = field(default_factory=Counter)
    """How many are active, suspended, revoked, or untrusted."""
    findings: list[Finding] = field(default_factory=list)


def check_proofs(
    folder: Path, world: World, on_file: Callable[[int], None] = lambda _count: None
) -> ProofFolder:
    """Check every `.json` file in `folder`, by name.

    Raises:
        MalformedInputError: there is no such folder.

    """
    if not folder.is_dir():
        raise MalformedInputError("no-file", f"there is no folder {folder}")
    result = ProofFolder()
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        result.files += 1
        try:
            submission = _read(path)
        except LedgerError as error:
            result.findings.append(_finding(FindingCode.PROOF_UNREADABLE, path, error.message))
        else:
            _check(path, submission, world, result)
        on_file(1)
    return result


def _read(path: Path) -> Submission:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise MalformedInputError("too-large", "it is too large for a badge")
        return read_submission(path.read_bytes(), None)
    except OSError as error:
        raise MalformedInputError("unreadable", f"it cannot be read: {error.strerror}") from None


def _finding(code: FindingCode, path: Path, message: str) -> Finding:
    # A name may be any bytes; in a report it has to be text.
    name, whole = (os.fsencode(p).decode("utf-8", "backslashreplace") for p in (path.name, path))
    return Finding(code, f"{name}: {message}", Place(), (whole, "the chain"))


def _check(path: Path, submission: Submission, world: World, result: ProofFolder) -> None:
    proof = submission.proof
    if not isinstance(proof, ProofFile):
        result.findings.append(_finding(FindingCode.PROOF_UNREADABLE, path, proof.message))
        return
    issuer = world.issuers.get(proof.anchor.home.issuer)
    anchor = issuer.anchors.get(proof.anchor.root) if issuer else None
    if issuer is None or anchor is None or _is_elsewhere(proof, world):
        what = f"{proof.anchor.home} has no anchor of root {proof.anchor.root.hex()}"
    else:
        what = _difference(submission, proof, anchor)
        result.standings[_standing(issuer, anchor, proof.inclusion.index)] += not what
    if what:
        result.findings.append(_finding(FindingCode.PROOF_DIFFERS, path, what))


def _is_elsewhere(proof: ProofFile, world: World) -> bool:
    home = proof.anchor.home
    return (home.chain, home.registry) != (world.chain, world.registry)


def _difference(submission: Submission, proof: ProofFile, anchor: AnchorState) -> str:
    """Say in what a proof differs from its anchor; empty when in nothing."""
    if proof.anchor.size != anchor.size:
        return f"the proof says {proof.anchor.size} leaves, the anchor has {anchor.size}"
    if submission.document is not None and submission.document.digest != proof.digest:
        return "the document is not the one that the proof is about"
    try:
        verify(
            leaf_hash(proof.digest), proof.inclusion, size=anchor.size, anchored=proof.anchor.root
        )
    except LedgerError as error:
        return error.message
    return ""


def _standing(issuer: IssuerState, anchor: AnchorState, index: int) -> str:
    """Return how one credential stands, as the contract's `statusOf` does."""
    word, bit = index // WORD_BITS, 1 << index % WORD_BITS
    if not issuer.is_trusted(anchor):
        return "untrusted"
    if anchor.batch_revoked or anchor.revoked.get(word, 0) & bit:
        return "revoked"
    return "suspended" if anchor.suspended.get(word, 0) & bit else "active"
