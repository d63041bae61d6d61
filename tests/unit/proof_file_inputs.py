"""What people and attackers submit instead of a good badge, each with what must come of it.

Read by the library's test and by that of the installed command: both must say the same.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from ledger.merkle.inclusion import InclusionProof
from ledger.primitives import Canonicalization, sha256
from ledger.proofs.file import MAX_PROOF_FILE_BYTES, ProofFile, format_embedded, format_proof_file
from tests.unit.verification_world import World, credential, encode, signed

LONG_AGO: Final = "2020-01-01T00:00:00Z"
"""The command has the clock of the machine, so the badge is valid on any day from here."""


@dataclass(frozen=True)
class Input:
    """A submission, and either the code it is refused with or what it comes to."""

    name: str
    data: bytes
    exit_code: int
    outcome: tuple[str, str | None]
    """For exit code 2: `refused` and the code. Else the check that decides, and its reason."""
    document: bytes | None = None


WORLD: Final = World(signed(credential(validFrom=LONG_AGO)))
PROOF: Final = WORLD.proof
BADGE: Final = WORLD.badge
DETACHED: Final = format_proof_file(PROOF)
DOCUMENT: Final = encode(BADGE)


def with_proof(proof: ProofFile) -> bytes:
    return encode({**BADGE, "proof": [*BADGE["proof"], format_embedded(proof)]})


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return the badge with its proof inside, after `change` to the proof."""
    proof = json.loads(json.dumps(format_embedded(PROOF)))
    change(proof)
    return encode({**BADGE, "proof": [*BADGE["proof"], proof]})


def path_of(*path: bytes) -> ProofFile:
    return replace(PROOF, inclusion=InclusionProof(1, tuple(map(sha256, path))))


def refused(name: str, code: str, data: bytes, document: bytes | None = None) -> Input:
    return Input(name, data, 2, ("refused", code), document)


def judged(
    name: str, exit_code: int, check: str, reason: str, data: bytes, document: bytes | None = None
) -> Input:
    return Input(name, data, exit_code, (check, reason), document)


_GOOD: Final = WORLD.embedded
_TEXT: Final = _GOOD.decode()

INPUTS: Final[list[Input]] = [
    refused("nothing", "not-a-proof", b""),
    refused("no JSON", "not-a-proof", b"%PDF-1.7"),
    refused("an array", "not-a-proof", b"[" + _GOOD + b"]"),
    refused("an empty object", "missing-member", b"{}"),
    refused("cut off by a byte", "not-json", _GOOD[:-1]),
    refused("cut in half", "not-json", encode(DETACHED)[: len(encode(DETACHED)) // 2]),
    refused("two files in one", "not-json", _GOOD + _GOOD),
    refused("a byte order mark", "not-json", b"\xef\xbb\xbf" + _GOOD),
    refused("UTF-16", "not-utf-8", _TEXT.encode("utf-16")),
    refused("half a surrogate pair", "lone-surrogate", _GOOD.replace(b"Fire", b"\\ud83d", 1)),
    refused("a member twice", "duplicate-member", _GOOD.replace(b"{", b'{"name": "PhD", ', 1)),
    refused(
        "a member of the proof twice",
        "duplicate-member",
        _GOOD.replace(b'"size"', b'"size": 4, "size"'),
    ),
    refused("NaN", "not-a-number", _GOOD.replace(b'"index": 1', b'"index": NaN')),
    refused("an infinity", "not-a-number", _GOOD.replace(b'"index": 1', b'"index": -Infinity')),
    refused("beyond a double", "not-a-number", _GOOD.replace(b'"index": 1', b'"index": 1e999')),
    refused(
        "beyond exact integers",
        "integer-too-large",
        _GOOD.replace(b'"size": 4', b'"size": 9007199254740993'),
    ),
    refused(
        "deep",
        "too-deep",
        _GOOD.replace(b'"name"', b'"x": ' + b"[" * 64 + b"]" * 64 + b', "name"', 1),
    ),
    refused("very deep", "too-deep", b'{"format": ' * 200_000),
    refused("huge", "too-large", encode(DETACHED) + b" " * MAX_PROOF_FILE_BYTES, DOCUMENT),
    refused(
        "a huge credential",
        "too-large",
        _GOOD.replace(b'"name"', b'"x": "' + b"x" * 2**20 + b'", "name"', 1),
    ),
    refused("an index in words", "wrong-type", changed(lambda p: p["inclusion"].update(index="1"))),
    refused(
        "an index that is true", "wrong-type", changed(lambda p: p["inclusion"].update(index=True))
    ),
    refused(
        "an index with a fraction",
        "wrong-type",
        changed(lambda p: p["inclusion"].update(index=1.0)),
    ),
    refused("no path", "wrong-type", changed(lambda p: p["inclusion"].update(path=None))),
    refused("a size of nothing", "out-of-range", changed(lambda p: p["anchor"].update(size=0))),
    refused(
        "upper-case hex",
        "not-a-digest",
        changed(lambda p: p["digest"].update(value=p["digest"]["value"].upper())),
    ),
    refused(
        "hex with 0x",
        "not-a-digest",
        changed(lambda p: p["anchor"].update(root="0x" + p["anchor"]["root"])),
    ),
    refused(
        "an address in small letters",
        "not-an-address",
        changed(lambda p: p["anchor"].update(registry="0x" + "ab" * 20)),
    ),
    refused("one member more", "unknown-member", changed(lambda p: p.update(status="active"))),
    refused(
        "one member more inside", "unknown-member", changed(lambda p: p["anchor"].update(time=1))
    ),
    refused("one member less", "missing-member", changed(lambda p: p.pop("inclusion"))),
    refused(
        "a credential in the embedded form",
        "unknown-member",
        changed(lambda p: p.update(credential=BADGE)),
    ),
    refused("a path beyond any tree", "too-many", with_proof(path_of(*[b"x"] * 49))),
    refused(
        "two anchor proofs",
        "several-anchor-proofs",
        encode({**BADGE, "proof": [format_embedded(PROOF)] * 2}),
    ),
    refused(
        "an anchor proof alone",
        "lone-anchor-proof",
        encode({**BADGE, "proof": format_embedded(PROOF)}),
    ),
    refused(
        "none for a credential inside",
        "wrong-value",
        with_proof(replace(PROOF, canonicalization=Canonicalization.NONE)),
    ),
    refused(
        "none for a credential beside",
        "wrong-canonicalization",
        encode(format_proof_file(replace(PROOF, canonicalization=Canonicalization.NONE))),
        DOCUMENT,
    ),
    refused(
        "none for a credential carried",
        "wrong-value",
        encode(
            format_proof_file(replace(PROOF, canonicalization=Canonicalization.NONE))
            | {"credential": BADGE}
        ),
    ),
    refused("rfc8785 for a file", "wrong-canonicalization", encode(DETACHED), b"%PDF-1.7"),
    refused(
        "a carried thing that is no credential",
        "not-a-credential",
        encode(DETACHED | {"credential": {}}),
    ),
    refused(
        "the document twice", "document-twice", encode(DETACHED | {"credential": BADGE}), DOCUMENT
    ),
    judged(
        "a path too long", 1, "inclusion", "bad-path-length", with_proof(path_of(b"a", b"b", b"c"))
    ),
    judged("a path too short", 1, "inclusion", "bad-path-length", with_proof(path_of(b"a"))),
    judged("a path to elsewhere", 1, "inclusion", "root-mismatch", with_proof(path_of(b"a", b"b"))),
    judged(
        "an index beyond the size",
        1,
        "inclusion",
        "bad-index",
        with_proof(replace(PROOF, inclusion=replace(PROOF.inclusion, index=4))),
    ),
    judged(
        "a size that is not the chain's",
        1,
        "inclusion",
        "size-differs",
        with_proof(replace(PROOF, anchor=replace(PROOF.anchor, size=5))),
    ),
    judged(
        "another digest",
        1,
        "digest",
        "digest-differs",
        with_proof(replace(PROOF, digest=sha256(b"x"))),
    ),
    judged(
        "a root that nobody anchored",
        1,
        "anchor",
        "not-anchored",
        with_proof(replace(PROOF, anchor=replace(PROOF.anchor, root=sha256(b"x")))),
    ),
    judged("a later format", 3, "file", "unknown-format", _GOOD.replace(b"proof/1", b"proof/2")),
    judged("a proof without its document", 3, "digest", "no-document", encode(DETACHED)),
    judged("a credential without a proof", 3, "anchor", "no-anchor-proof", DOCUMENT),
]
