"""The rules of the proof file, one by one, held by the parser and by the schema alike."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ledger.credentials.canonical import ANCHOR_PROOF_TYPE
from ledger.errors import LedgerError, MalformedInputError
from ledger.merkle.tree import MAX_PATH, MAX_SIZE
from ledger.primitives import Canonicalization, Hash32, parse_home
from ledger.proofs.file import (
    EMBEDDED_TYPE,
    FORMAT,
    MAX_HEADER_BYTES,
    MAX_ISSUER,
    MAX_NODE_BYTES,
    MAX_NODES,
    MAX_PROOF_FILE_BYTES,
    StateProof,
    UnknownFormatError,
    format_embedded,
    format_proof_file,
    parse_embedded,
    parse_proof,
    parse_proof_file,
)

REGISTRY = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs" / "reference" / "proof-file.schema.json").read_text("utf-8")
)
DETACHED = jsonschema.Draft202012Validator(SCHEMA)
EMBEDDED = jsonschema.Draft202012Validator({**SCHEMA, "$ref": "#/$defs/embedded"})

Change = Callable[[dict[str, Any]], object]


def sample() -> dict[str, Any]:
    return {
        "format": "ledger-proof/1",
        "digest": {"algorithm": "sha-256", "canonicalization": "rfc8785", "value": "ab" * 32},
        "inclusion": {"index": 5, "path": ["01" * 32, "02" * 32]},
        "anchor": {
            "chain": "eip155:31337",
            "registry": REGISTRY,
            "issuer": 1,
            "root": "cd" * 32,
            "size": 1000,
            "transaction": "0x" + "ef" * 32,
        },
        "credential": {"type": ["VerifiableCredential"], "score": 0.5},
        "state": {"header": "0xf9", "nodes": ["0x00", "0x01ff"]},
    }


def embedded_sample() -> dict[str, Any]:
    value = {"type": "LedgerAnchorProof"} | sample()
    del value["credential"]
    return value


def changed(path: str, new: object) -> Change:
    """A change that sets the member or element at a path such as `inclusion.path.0`."""
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]

    def change(value: Any) -> None:
        for part in way:
            value = value[part]
        value[last] = new

    change.__name__ = f"{path} = {str(new)[:40]}"
    return change


def removed(path: str) -> Change:
    *way, last = path.split(".")

    def change(value: Any) -> None:
        for part in way:
            value = value[part]
        del value[last]

    change.__name__ = f"no {path}"
    return change


def name_of(change: object) -> str | None:
    return getattr(change, "__name__", None)


ACCEPTED: list[Change] = [
    removed("credential"),
    removed("state"),
    removed("anchor.transaction"),
    changed("credential", {}),
    changed("inclusion.path", []),
    changed("inclusion.path", ["01" * 32] * MAX_PATH),
    changed("inclusion.index", 0),
    changed("inclusion.index", MAX_SIZE - 1),
    changed("anchor.size", 1),
    changed("anchor.size", MAX_SIZE),
    changed("anchor.issuer", MAX_ISSUER),
    changed("anchor.chain", "eip155:" + "9" * 18),
    changed("anchor.registry", "0x" + "00" * 20),
    changed("state.nodes", []),
    changed("state.nodes", [f"0x{number:04x}" for number in range(MAX_NODES)]),
    changed("state.nodes.0", "0x" + "00" * MAX_NODE_BYTES),
    changed("state.header", "0x" + "00" * MAX_HEADER_BYTES),
]

REFUSED: list[tuple[Change, str, str]] = [
    (removed("format"), "missing-member", "$"),
    (removed("digest"), "missing-member", "$"),
    (removed("inclusion"), "missing-member", "$"),
    (removed("anchor"), "missing-member", "$"),
    (removed("digest.algorithm"), "missing-member", "$.digest"),
    (removed("inclusion.index"), "missing-member", "$.inclusion"),
    (removed("anchor.size"), "missing-member", "$.anchor"),
    (removed("state.header"), "missing-member", "$.state"),
    (changed("type", "LedgerAnchorProof"), "unknown-member", "$"),
    (changed("status", "active"), "unknown-member", "$"),
    (changed("digest.note", ""), "unknown-member", "$.digest"),
    (changed("inclusion.size", 1000), "unknown-member", "$.inclusion"),
    (changed("anchor.time", 1), "unknown-member", "$.anchor"),
    (changed("state.keys", []), "unknown-member", "$.state"),
    (changed("format", None), "wrong-type", "$.format"),
    (changed("format", 1), "wrong-type", "$.format"),
    (changed("digest", []), "wrong-type", "$.digest"),
    (changed("digest.algorithm", "sha-512"), "wrong-value", "$.digest.algorithm"),
    (changed("digest.algorithm", "SHA-256"), "wrong-value", "$.digest.algorithm"),
    (changed("digest.canonicalization", "jcs"), "wrong-value", "$.digest.canonicalization"),
    (changed("digest.canonicalization", "none"), "wrong-value", "$.digest.canonicalization"),
    (changed("digest.value", "AB" * 32), "not-a-digest", "$.digest.value"),
    (changed("digest.value", "0x" + "ab" * 32), "not-a-digest", "$.digest.value"),
    (changed("digest.value", "ab" * 31), "not-a-digest", "$.digest.value"),
    (changed("digest.value", "ab" * 31 + "a "), "not-a-digest", "$.digest.value"),
    (changed("digest.value", "\uff11" * 64), "not-a-digest", "$.digest.value"),
    (changed("digest.value", 1), "wrong-type", "$.digest.value"),
    (changed("inclusion.index", -1), "out-of-range", "$.inclusion.index"),
    (changed("inclusion.index", MAX_SIZE), "out-of-range", "$.inclusion.index"),
    (changed("inclusion.index", True), "wrong-type", "$.inclusion.index"),
    (changed("inclusion.index", False), "wrong-type", "$.inclusion.index"),
    (changed("inclusion.index", 5.5), "wrong-type", "$.inclusion.index"),
    (changed("inclusion.index", "5"), "wrong-type", "$.inclusion.index"),
    (changed("inclusion.path", None), "wrong-type", "$.inclusion.path"),
    (changed("inclusion.path", ["01" * 32] * 49), "too-many", "$.inclusion.path"),
    (changed("inclusion.path.1", "zz" * 32), "not-a-digest", "$.inclusion.path[1]"),
    (changed("inclusion.path.1", None), "wrong-type", "$.inclusion.path[1]"),
    (changed("anchor.chain", "31337"), "not-a-chain", "$.anchor.chain"),
    (changed("anchor.chain", "eip155:0"), "not-a-chain", "$.anchor.chain"),
    (changed("anchor.chain", "eip155:01"), "not-a-chain", "$.anchor.chain"),
    (changed("anchor.chain", "eip155:" + "9" * 19), "not-a-chain", "$.anchor.chain"),
    (changed("anchor.registry", REGISTRY[2:]), "not-an-address", "$.anchor.registry"),
    (changed("anchor.registry", REGISTRY[:-1]), "not-an-address", "$.anchor.registry"),
    (changed("anchor.issuer", 0), "out-of-range", "$.anchor.issuer"),
    (changed("anchor.issuer", MAX_ISSUER + 1), "out-of-range", "$.anchor.issuer"),
    (changed("anchor.issuer", True), "wrong-type", "$.anchor.issuer"),
    (changed("anchor.root", "0x" + "cd" * 32), "not-a-digest", "$.anchor.root"),
    (changed("anchor.size", 0), "out-of-range", "$.anchor.size"),
    (changed("anchor.size", MAX_SIZE + 1), "out-of-range", "$.anchor.size"),
    (changed("anchor.transaction", "ef" * 32), "not-a-hash", "$.anchor.transaction"),
    (changed("anchor.transaction", "0x" + "EF" * 32), "not-a-digest", "$.anchor.transaction"),
    (changed("anchor.transaction", None), "wrong-type", "$.anchor.transaction"),
    (changed("credential", None), "wrong-type", "$.credential"),
    (changed("credential", []), "wrong-type", "$.credential"),
    (changed("state", None), "wrong-type", "$.state"),
    (changed("state.header", "0x"), "not-hex", "$.state.header"),
    (changed("state.header", "0xF9"), "not-hex", "$.state.header"),
    (changed("state.header", "0xf9zz"), "not-hex", "$.state.header"),
    (changed("state.header", "0xf9 "), "not-hex", "$.state.header"),
    (changed("state.header", "0x" + "00" * 4097), "too-large", "$.state.header"),
    (changed("state.nodes.0", "0x0"), "not-hex", "$.state.nodes[0]"),
    (changed("state.nodes.1", "00"), "not-hex", "$.state.nodes[1]"),
    (changed("state.nodes.1", "0x" + "00" * 1025), "too-large", "$.state.nodes[1]"),
    (changed("state.nodes", ["0x00", "0x00"]), "duplicate-node", "$.state.nodes"),
    (changed("state.nodes", ["0x00"] * 513), "too-many", "$.state.nodes"),
]

BEYOND_THE_SCHEMA: list[tuple[Change, str]] = [
    (changed("anchor.registry", REGISTRY.lower()), "not-an-address"),
    (changed("anchor.registry", "0x" + REGISTRY[2:].upper()), "not-an-address"),
    (changed("inclusion.index", 5.0), "wrong-type"),
    (changed("anchor.size", 1000.0), "wrong-type"),
]


def refusal(parse: Callable[[Any], object], value: object) -> LedgerError:
    with pytest.raises(LedgerError) as caught:
        parse(value)
    return caught.value


def test_every_member_is_read() -> None:
    proof = parse_proof(sample())
    assert proof.canonicalization is Canonicalization.RFC8785
    assert proof.digest == bytes.fromhex("ab" * 32)
    assert proof.inclusion.index == 5
    assert proof.inclusion.path == (bytes.fromhex("01" * 32), bytes.fromhex("02" * 32))
    assert proof.anchor.home == parse_home(f"eip155:31337:{REGISTRY}:1")
    assert proof.anchor.root == bytes.fromhex("cd" * 32)
    assert proof.anchor.size == 1000
    assert proof.anchor.transaction == Hash32(bytes.fromhex("ef" * 32))
    assert proof.credential == sample()["credential"]
    assert proof.state == StateProof(b"\xf9", (b"\x00", b"\x01\xff"))


def test_members_are_written_in_the_order_of_the_reference() -> None:
    assert json.dumps(format_proof_file(parse_proof(sample()))) == json.dumps(sample())
    embedded = embedded_sample()
    assert json.dumps(format_embedded(parse_embedded(embedded))) == json.dumps(embedded)


@pytest.mark.parametrize("change", ACCEPTED, ids=name_of)
def test_parser_and_schema_accept(change: Change) -> None:
    value = sample()
    change(value)
    DETACHED.validate(value)
    assert format_proof_file(parse_proof(value)) == value


@pytest.mark.parametrize(("change", "code", "where"), REFUSED, ids=name_of)
def test_parser_and_schema_refuse(change: Change, code: str, where: str) -> None:
    value = sample()
    change(value)
    error = refusal(parse_proof, value)
    assert isinstance(error, MalformedInputError)
    assert (error.code, error.message.split(": ")[0]) == (code, where)
    assert not DETACHED.is_valid(value)


@pytest.mark.parametrize(("change", "code"), BEYOND_THE_SCHEMA, ids=name_of)
def test_the_parser_refuses_what_a_schema_cannot_see(change: Change, code: str) -> None:
    value = sample()
    change(value)
    assert refusal(parse_proof, value).code == code
    DETACHED.validate(value)


@pytest.mark.parametrize(
    "path",
    ["digest.value", "anchor.chain", "anchor.registry", "anchor.transaction", "state.header"],
)
def test_an_end_of_line_is_no_part_of_a_spelling(path: str) -> None:
    # Not asked of the schema: `$` stands before an end of line in Python's patterns only.
    value = sample()
    container, member = path.split(".")
    value[container][member] += "\n"
    assert refusal(parse_proof, value).message.startswith(f"$.{path}: ")


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "ledger-proof/1", [], [sample()]])
def test_what_is_no_object_is_no_proof_file(value: object) -> None:
    assert refusal(parse_proof, value).code == "wrong-type"
    assert refusal(parse_embedded, value).code == "wrong-type"
    assert not DETACHED.is_valid(value)
    assert not EMBEDDED.is_valid(value)


@pytest.mark.parametrize("parse", [parse_proof, parse_embedded])
@pytest.mark.parametrize("name", ["ledger-proof/2", "", "Ledger-Proof/1"])
def test_a_format_of_another_release_is_unknown_and_not_malformed(
    parse: Callable[[object], object], name: str
) -> None:
    error = refusal(parse, {"format": name, "anything": 1.5})
    assert isinstance(error, UnknownFormatError)
    assert not isinstance(error, MalformedInputError)
    assert (error.code, error.exit_code) == ("unknown-format", 3)


def test_a_file_proof_has_no_credential_inside() -> None:
    value = sample()
    value["digest"]["canonicalization"] = "none"
    del value["credential"]
    DETACHED.validate(value)
    assert parse_proof(value).canonicalization is Canonicalization.NONE


def test_the_embedded_form_is_accepted_by_its_parser_and_schema_only() -> None:
    EMBEDDED.validate(embedded_sample())
    parse_embedded(embedded_sample())
    assert not DETACHED.is_valid(embedded_sample())
    assert refusal(parse_proof, embedded_sample()).code == "unknown-member"


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        (removed("type"), "missing-member", "LedgerAnchorProof"),
        (changed("type", "DataIntegrityProof"), "wrong-value", "LedgerAnchorProof.type"),
        (changed("type", ["LedgerAnchorProof"]), "wrong-type", "LedgerAnchorProof.type"),
        (changed("credential", {}), "unknown-member", "LedgerAnchorProof"),
        (
            changed("digest.canonicalization", "none"),
            "wrong-value",
            "LedgerAnchorProof.digest.canonicalization",
        ),
        (changed("anchor.size", 0), "out-of-range", "LedgerAnchorProof.anchor.size"),
    ],
    ids=name_of,
)
def test_the_embedded_form_has_rules_of_its_own(change: Change, code: str, where: str) -> None:
    value = embedded_sample()
    change(value)
    error = refusal(parse_embedded, value)
    assert (error.code, error.message.split(": ")[0]) == (code, where)
    assert not EMBEDDED.is_valid(value)


def test_an_embedded_proof_is_written_without_the_credential() -> None:
    assert format_embedded(parse_proof(sample())) == embedded_sample()


def test_credentials_and_proof_files_mean_the_same_type() -> None:
    assert EMBEDDED_TYPE == ANCHOR_PROOF_TYPE


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"format": "ledger-proof/1", "format": "ledger-proof/1"}', "duplicate-member"),
        ('{"format": "ledger-proof/2", "a": {"b": 1, "b": 1}}', "duplicate-member"),
        ('{"format": NaN}', "not-a-number"),
        ('{"format": "ledger-proof/2", "size": 9007199254740992}', "integer-too-large"),
        ('\ufeff{"format": "ledger-proof/1"}', "not-json"),
        ('{"format": "ledger-proof/2", "a": "\\ud800"}', "lone-surrogate"),
        ("[" * 65 + "]" * 65, "too-deep"),
        ("", "not-json"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(text: str, code: str) -> None:
    assert refusal(parse_proof_file, text.encode()).code == code


def test_an_integer_in_the_spelling_of_a_float_is_refused() -> None:
    for spelling in ("5.0", "5e0", "5E0"):
        text = json.dumps(sample()).replace('"index": 5', f'"index": {spelling}')
        assert refusal(parse_proof_file, text.encode()).code == "wrong-type"


def test_a_file_is_read_up_to_its_bound() -> None:
    data = json.dumps(sample()).encode()
    parse_proof_file(data.ljust(MAX_PROOF_FILE_BYTES))
    assert refusal(parse_proof_file, data.ljust(MAX_PROOF_FILE_BYTES + 1)).code == "too-large"


def test_the_schema_is_a_schema_and_names_the_format() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["title"] == FORMAT


def test_a_long_foreign_string_is_not_repeated_whole() -> None:
    value = sample()
    value["x" * 10_000] = None
    assert len(refusal(parse_proof, value).message) < 300
    assert len(refusal(parse_proof, {"format": "x" * 10_000}).message) < 300
