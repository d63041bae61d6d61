"""The proof file `ledger-proof/1`: what a holder keeps and a verifier submits.

    format       "ledger-proof/1"
    digest       what is proved: algorithm, canonicalization, value
    inclusion    index and path, lowest sibling first
    anchor       where the root was anchored: chain, registry, issuer, root, size,
                 and the transaction as a hint
    credential   optional: the credential itself
    state        optional: header and trie nodes, to verify without a node

The *embedded form* is one more element of a credential's `proof`: the same members and
`type`, without `credential`.

Everything in it is a claim. A parser here says only that it is well-formed; the size, the
root and the status are believed when they come from the registry. One proof has one
spelling outside `credential`, and nothing in it that a reorganisation of the chain could
change but the `transaction`.

docs/reference/proof-file.md describes the format for others.
"""

from dataclasses import dataclass
from typing import Any, Final

from ledger import strict_json
from ledger.errors import LedgerError, MalformedInputError
from ledger.merkle.inclusion import InclusionProof
from ledger.merkle.tree import MAX_PATH, MAX_SIZE
from ledger.primitives import (
    Canonicalization,
    Hash32,
    Home,
    format_address,
    format_chain,
    hash32,
    parse_address,
    parse_chain,
    prefixed_hash32,
)
from ledger.proofs.members import (
    read_array,
    read_choice,
    read_data,
    read_integer,
    read_object,
    read_spelling,
    read_text,
)

FORMAT: Final = "ledger-proof/1"
"""The one format this release knows."""

MEDIA_TYPE: Final = "application/vnd.ledger.proof+json"
"""What HTTP calls a proof file."""

EMBEDDED_TYPE: Final = "LedgerAnchorProof"
"""The `type` of the embedded form; the detached form has none."""

MAX_PROOF_FILE_BYTES: Final = 4 << 20
"""Ours: a credential of 1 MiB and a state proof of 1 MiB in hex, with white space."""

MAX_ISSUER: Final = strict_json.MAX_INTEGER
"""A registry counts issuers from 1; JSON holds no greater integer exactly."""

MAX_HEADER_BYTES: Final = 4096
"""Ours: a block header of Ethereum has about 650 bytes; chains with signers in it more."""

MAX_NODE_BYTES: Final = 1024
"""Ours: the greatest trie node, a branch with 16 children, has 532 bytes."""

MAX_NODES: Final = 512
"""Ours: a slot needs about ten nodes and shares most of them with its neighbours."""

_ALGORITHM: Final = "sha-256"
_REQUIRED: Final = ("format", "digest", "inclusion", "anchor")


@dataclass(frozen=True, slots=True)
class AnchorReference:
    """Where the root of the batch is said to be anchored."""

    home: Home
    root: Hash32
    size: int
    """A claim, from 1 to 2^48 - 1; verification uses the registry's."""
    transaction: Hash32 | None
    """A hint for people, never believed."""


@dataclass(frozen=True, slots=True)
class StateProof:
    """What shows the registry's storage under one block hash."""

    header: bytes
    """The block header in RLP."""
    nodes: tuple[bytes, ...]
    """The trie nodes in RLP, each once, in the order of first use."""


@dataclass(frozen=True, slots=True)
class ProofFile:
    """A well-formed proof, of which nothing has been verified."""

    canonicalization: Canonicalization
    digest: Hash32
    inclusion: InclusionProof
    anchor: AnchorReference
    credential: dict[str, Any] | None
    state: StateProof | None


class UnknownFormatError(LedgerError):
    """A proof in a format that this release does not know: perhaps good, nobody here can say.

    It is no MalformedInputError, because a later release may verify the same bytes.
    """

    exit_code = 3


def parse_proof_file(data: bytes) -> ProofFile:
    """Parse the bytes of a proof file.

    Raises:
        UnknownFormatError: as `parse_proof`.
        MalformedInputError: more than `MAX_PROOF_FILE_BYTES`, no strict I-JSON, or as
            `parse_proof`.

    """
    return parse_proof(strict_json.parse(data, max_bytes=MAX_PROOF_FILE_BYTES))


def parse_proof(value: object) -> ProofFile:
    """Parse the JSON value of a proof file in the detached form.

    Raises:
        UnknownFormatError: an object whose `format` is a string that is not ours.
        MalformedInputError: it breaks a rule of docs/reference/proof-file.md.

    """
    _check_format(value, "$")
    members = read_object(value, "$", required=_REQUIRED, optional=("credential", "state"))
    proof = _read_proof(members, "$")
    if proof.credential is not None and proof.canonicalization is Canonicalization.NONE:
        raise MalformedInputError(
            "wrong-value",
            "$.digest.canonicalization: a proof file with a `credential` is about its "
            "rfc8785 form, not about a file's bytes",
        )
    return proof


def parse_embedded(value: object) -> ProofFile:
    """Parse the JSON value of an anchor proof inside a credential, the embedded form.

    Raises:
        UnknownFormatError: as `parse_proof`.
        MalformedInputError: as `parse_proof`.

    """
    where = EMBEDDED_TYPE
    _check_format(value, where)
    members = read_object(value, where, required=("type", *_REQUIRED), optional=("state",))
    read_choice(members["type"], f"{where}.type", (EMBEDDED_TYPE,))
    proof = _read_proof(members, where)
    if proof.canonicalization is Canonicalization.NONE:
        raise MalformedInputError(
            "wrong-value",
            f"{where}.digest.canonicalization: a proof inside a credential is about the "
            "credential's rfc8785 form",
        )
    return proof


def format_proof_file(proof: ProofFile) -> dict[str, Any]:
    """Return the JSON value of `proof` in the detached form, members in the order above."""
    value = _format_claims(proof)
    if proof.credential is not None:
        value["credential"] = proof.credential
    return value | _format_state(proof.state)


def format_embedded(proof: ProofFile) -> dict[str, Any]:
    """Return the JSON value of `proof` in the embedded form, which never has the credential."""
    return {"type": EMBEDDED_TYPE} | _format_claims(proof) | _format_state(proof.state)


def _check_format(value: object, where: str) -> None:
    if isinstance(value, dict) and "format" in value:
        name = read_text(value["format"], f"{where}.format")
        if name != FORMAT:
            raise UnknownFormatError(
                "unknown-format",
                f"{where}.format: {name[:80]!r} is not known here, only {FORMAT}: "
                "a later release may know it",
            )


def _read_proof(members: dict[str, Any], where: str) -> ProofFile:
    canonicalization, digest = _read_digest(members["digest"], f"{where}.digest")
    credential = members.get("credential")
    if "credential" in members and not isinstance(credential, dict):
        raise MalformedInputError("wrong-type", f"{where}.credential: must be an object")
    return ProofFile(
        canonicalization=canonicalization,
        digest=digest,
        inclusion=_read_inclusion(members["inclusion"], f"{where}.inclusion"),
        anchor=_read_anchor(members["anchor"], f"{where}.anchor"),
        credential=credential,
        state=_read_state(members["state"], f"{where}.state") if "state" in members else None,
    )


def _read_digest(value: object, where: str) -> tuple[Canonicalization, Hash32]:
    members = read_object(value, where, required=("algorithm", "canonicalization", "value"))
    read_choice(members["algorithm"], f"{where}.algorithm", (_ALGORITHM,))
    name = read_choice(
        members["canonicalization"], f"{where}.canonicalization", tuple(Canonicalization)
    )
    return Canonicalization(name), read_spelling(members["value"], f"{where}.value", hash32)


def _read_inclusion(value: object, where: str) -> InclusionProof:
    members = read_object(value, where, required=("index", "path"))
    path = read_array(members["path"], f"{where}.path", most=MAX_PATH)
    return InclusionProof(
        index=read_integer(members["index"], f"{where}.index", least=0, most=MAX_SIZE - 1),
        path=tuple(
            read_spelling(sibling, f"{where}.path[{place}]", hash32)
            for place, sibling in enumerate(path)
        ),
    )


def _read_anchor(value: object, where: str) -> AnchorReference:
    required = ("chain", "registry", "issuer", "root", "size")
    members = read_object(value, where, required=required, optional=("transaction",))
    transaction = None
    if "transaction" in members:
        transaction = read_spelling(members["transaction"], f"{where}.transaction", prefixed_hash32)
    return AnchorReference(
        home=Home(
            chain=read_spelling(members["chain"], f"{where}.chain", parse_chain),
            registry=read_spelling(members["registry"], f"{where}.registry", parse_address),
            issuer=read_integer(members["issuer"], f"{where}.issuer", least=1, most=MAX_ISSUER),
        ),
        root=read_spelling(members["root"], f"{where}.root", hash32),
        size=read_integer(members["size"], f"{where}.size", least=1, most=MAX_SIZE),
        transaction=transaction,
    )


def _read_state(value: object, where: str) -> StateProof:
    members = read_object(value, where, required=("header", "nodes"))
    header = read_data(members["header"], f"{where}.header", most_bytes=MAX_HEADER_BYTES)
    nodes = tuple(
        read_data(node, f"{where}.nodes[{place}]", most_bytes=MAX_NODE_BYTES)
        for place, node in enumerate(read_array(members["nodes"], f"{where}.nodes", most=MAX_NODES))
    )
    if len(set(nodes)) != len(nodes):
        raise MalformedInputError(
            "duplicate-node", f"{where}.nodes: a node stands twice: write each once"
        )
    return StateProof(header, nodes)


def _format_claims(proof: ProofFile) -> dict[str, Any]:
    home = proof.anchor.home
    anchor: dict[str, Any] = {
        "chain": format_chain(home.chain),
        "registry": format_address(home.registry),
        "issuer": home.issuer,
        "root": proof.anchor.root.hex(),
        "size": proof.anchor.size,
    }
    if proof.anchor.transaction is not None:
        anchor["transaction"] = "0x" + proof.anchor.transaction.hex()
    return {
        "format": FORMAT,
        "digest": {
            "algorithm": _ALGORITHM,
            "canonicalization": str(proof.canonicalization),
            "value": proof.digest.hex(),
        },
        "inclusion": {
            "index": proof.inclusion.index,
            "path": [sibling.hex() for sibling in proof.inclusion.path],
        },
        "anchor": anchor,
    }


def _format_state(state: StateProof | None) -> dict[str, Any]:
    if state is None:
        return {}
    nodes = ["0x" + node.hex() for node in state.nodes]
    return {"state": {"header": "0x" + state.header.hex(), "nodes": nodes}}
