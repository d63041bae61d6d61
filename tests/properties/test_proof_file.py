"""Proof files: what is written is read back, and nothing else is."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import LedgerError, MalformedInputError
from ledger.merkle.inclusion import InclusionProof
from ledger.merkle.tree import MAX_SIZE
from ledger.primitives import Address, Canonicalization, Hash32, Home
from ledger.proofs.file import (
    MAX_HEADER_BYTES,
    MAX_ISSUER,
    MAX_NODE_BYTES,
    AnchorReference,
    ProofFile,
    StateProof,
    UnknownFormatError,
    format_embedded,
    format_proof_file,
    parse_embedded,
    parse_proof,
    parse_proof_file,
)

HASHES = st.binary(min_size=32, max_size=32).map(Hash32)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["ledger-proof/1", "LedgerAnchorProof", "0x", "00" * 32, "0x" + "00" * 32]),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
CREDENTIALS = st.dictionaries(st.text(st.characters(codec="utf-8")), st.booleans() | st.text("é"))

anchors = st.builds(
    AnchorReference,
    home=st.builds(
        Home,
        chain=st.integers(1, 10**18 - 1),
        registry=st.binary(min_size=20, max_size=20).map(Address),
        issuer=st.integers(1, MAX_ISSUER),
    ),
    root=HASHES,
    size=st.integers(1, MAX_SIZE),
    transaction=st.none() | HASHES,
)
states = st.builds(
    StateProof,
    header=st.binary(min_size=1, max_size=MAX_HEADER_BYTES),
    nodes=st.lists(st.binary(min_size=1, max_size=MAX_NODE_BYTES), max_size=5, unique=True).map(
        tuple
    ),
)
embeddable = st.builds(
    ProofFile,
    canonicalization=st.just(Canonicalization.RFC8785),
    digest=HASHES,
    inclusion=st.builds(
        InclusionProof,
        index=st.integers(0, MAX_SIZE - 1),
        path=st.lists(HASHES, max_size=48).map(tuple),
    ),
    anchor=anchors,
    credential=st.none() | CREDENTIALS,
    state=st.none() | states,
)
of_files = embeddable.map(
    lambda proof: replace(proof, canonicalization=Canonicalization.NONE, credential=None)
)

SCHEMA_FILE = Path(__file__).parents[2] / "docs" / "reference" / "proof-file.schema.json"
SCHEMA = jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text("utf-8")))


@given(embeddable | of_files)
def test_a_proof_file_is_read_as_it_was_written(proof: ProofFile) -> None:
    data = json.dumps(format_proof_file(proof)).encode()
    assert parse_proof_file(data) == proof


@given(embeddable)
def test_an_embedded_proof_is_read_as_it_was_written_without_the_credential(
    proof: ProofFile,
) -> None:
    value = json.loads(json.dumps(format_embedded(proof)))
    assert parse_embedded(value) == replace(proof, credential=None)


@given(embeddable | of_files)
def test_the_schema_accepts_what_is_written(proof: ProofFile) -> None:
    SCHEMA.validate(format_proof_file(proof))


def places(value: object) -> list[tuple[dict[str, Any] | list[Any], Any]]:
    """Every member and element of a JSON value outside `credential`, as container and key."""
    found: list[tuple[dict[str, Any] | list[Any], Any]] = []
    waiting = [value]
    while waiting:
        container = waiting.pop()
        if isinstance(container, dict):
            keys: list[Any] = list(container)
        elif isinstance(container, list):
            keys = list(range(len(container)))
        else:
            continue
        found += [(container, key) for key in keys]
        waiting += [container[key] for key in keys if key != "credential"]
    return found


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A proof file with one member or element replaced, removed or added."""
    value: dict[str, Any] = json.loads(json.dumps(format_proof_file(draw(embeddable | of_files))))
    container, key = draw(st.sampled_from(places(value)))
    change = draw(st.sampled_from(["replace", "remove", "add", "respell"]))
    if change == "remove":
        del container[key]
    elif change == "add" and isinstance(container, dict):
        container[draw(st.text())] = draw(JSON)
    elif change == "respell" and isinstance(container[key], str):
        container[key] = draw(st.sampled_from([str.upper, str.title, str.swapcase]))(container[key])
    else:
        container[key] = draw(JSON)
    return value


@given(mutated())
def test_what_is_read_is_the_one_spelling_of_its_value(value: dict[str, Any]) -> None:
    if parser_error(value) is None:
        # As text, because to Python `true` equals 1.
        written = format_proof_file(parse_proof(value))
        assert json.dumps(written, sort_keys=True) == json.dumps(value, sort_keys=True)


def parser_error(value: object) -> LedgerError | None:
    try:
        parse_proof(value)
    except LedgerError as error:
        return error
    return None


def is_beyond_a_schema(error: LedgerError) -> bool:
    """What JSON Schema cannot say: the letters of EIP-55, and that 1.0 is not 1."""
    return "EIP-55" in error.message or "not a number with a fraction" in error.message


@given(mutated())
def test_schema_and_parser_refuse_the_same(value: dict[str, Any]) -> None:
    error = parser_error(value)
    if error is None:
        SCHEMA.validate(value)
    else:
        assert is_beyond_a_schema(error) or not SCHEMA.is_valid(value)


@given(JSON)
def test_any_other_json_is_refused_by_name(value: object) -> None:
    for parse in (parse_proof, parse_embedded):
        try:
            parse(value)
        except MalformedInputError:
            continue
        except UnknownFormatError:
            assert isinstance(value, dict)
            assert isinstance(value["format"], str)
            continue
        raise AssertionError(value)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_other_bytes_are_refused_by_name(data: bytes) -> None:
    try:
        parse_proof_file(data)
    except LedgerError:
        return
    raise AssertionError(data)
