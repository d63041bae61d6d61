"""The canonical form is that of RFC 8785, whichever writer made it."""

import json
from copy import deepcopy
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.credentials.canonical import (
    Shared,
    Surroundings,
    _is_plain,
    canonical_bytes,
    credential_digest,
    embed,
)
from ledger.credentials.document import read_document
from ledger.errors import MalformedInputError
from ledger.strict_json import MAX_INTEGER

KEYS = st.one_of(st.text(st.characters(max_codepoint=127)), st.text())
INTEGERS = st.one_of(
    st.integers(), st.integers(-MAX_INTEGER - 2, -MAX_INTEGER + 2), st.integers(MAX_INTEGER - 2)
)
SCALARS = st.one_of(st.none(), st.booleans(), INTEGERS, st.floats(), st.text())


def values(scalars: st.SearchStrategy[Any], keys: st.SearchStrategy[str]) -> Any:
    return st.recursive(
        scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20
    )


PLAIN = values(
    st.one_of(st.none(), st.booleans(), st.integers(-MAX_INTEGER, MAX_INTEGER), st.text()),
    st.text(st.characters(max_codepoint=127)),
)
ANY = values(SCALARS, KEYS)
FRACTIONS = st.floats(1e-4, MAX_INTEGER, exclude_max=True).filter(lambda x: not x.is_integer())


def share(value: Any, data: st.DataObject) -> Any:
    """`value`, some of whose objects are `Shared` now."""
    if isinstance(value, list):
        return [share(item, data) for item in value]
    if isinstance(value, dict):
        members = {name: share(item, data) for name, item in value.items()}
        return Shared(members) if data.draw(st.booleans()) else members
    return value


@given(PLAIN)
@example('\x00\x1f\x7f\x80\u2028\u2029\ufeff\uffff\U0001f600"\\/\b\f\n\r\t')
@example({"\x7f": 1, "\x00": 2, '"': 3, "\\": 4, "a": 5, "A": 6, "": 7, "aa": 8})
def test_the_fast_writer_gives_the_bytes_of_the_slow_one(value: Any) -> None:
    assert _is_plain(value)
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(ANY)
@example({"\U0001f600": 1, "\ufb33": 2})
@example([1.0, 1e21, -0.0, 5e-324])
@example(2**53)
@example(["\ud800"])
def test_every_value_gets_the_slow_writers_bytes_or_its_refusal(value: Any) -> None:
    try:
        expected = rfc8785.dumps(value)
    except ValueError:
        expected = None
    try:
        found = canonical_bytes(value)
    except MalformedInputError:
        found = None
    assert found == expected


@given(FRACTIONS | FRACTIONS.map(float.__neg__))
@example(1e-4)
@example(9007199254740.991)
@example(4503599627370495.5)
def test_the_fast_writer_spells_a_fraction_as_the_slow_one_does(number: float) -> None:
    assert _is_plain(number)
    assert canonical_bytes([number]) == rfc8785.dumps([number])


@pytest.mark.parametrize("number", [1.0, -0.0, 0.0, 9.999e-5, 5e-324, 1e16, 1e300, 2.0**53])
def test_every_other_float_is_left_to_the_slow_writer(number: float) -> None:
    assert not _is_plain(number)


@given(ANY, st.data())
def test_an_object_written_once_gives_the_bytes_it_gives_when_written_anew(
    value: Any, data: st.DataObject
) -> None:
    try:
        expected = rfc8785.dumps(value)
    except ValueError:
        return
    shared = share(value, data)
    assert shared == value
    assert canonical_bytes({"a": shared, "b": shared}) == b'{"a":%b,"b":%b}' % (expected, expected)


def test_a_copy_of_a_shared_object_is_written_as_what_was_made_of_it() -> None:
    shared = Shared({"inner": Shared({"n": 1})})
    canonical_bytes(shared)
    for changed in (deepcopy(shared), deepcopy([shared])[0]):
        changed["inner"]["n"] = 2
        assert canonical_bytes(changed) == b'{"inner":{"n":2}}'
    assert canonical_bytes(shared) == b'{"inner":{"n":1}}'


@given(
    st.dictionaries(KEYS | st.just("@context"), ANY, max_size=5),
    st.text(st.characters(max_codepoint=127)) | st.just("@context"),
    ANY,
)
@example({"\U0001f600": 1, "\ufb33": 2, "A": 3, "0": 4}, "@context", [])
@example({"a": 2**53}, "a", 1)
@example({}, "a", 1)
def test_an_object_written_around_a_member_has_the_form_of_the_whole(
    members: dict[str, Any], name: str, value: Any
) -> None:
    others = {kept: held for kept, held in members.items() if kept != name}
    try:
        whole, without = canonical_bytes({**others, name: value}), canonical_bytes(others)
    except MalformedInputError:
        with pytest.raises(MalformedInputError):
            Surroundings(members, name).bytes_with(value)
        return
    surroundings = Surroundings(members, name)
    assert surroundings.bytes_with(value) == whole
    assert surroundings.bytes_without() == without


@given(st.dictionaries(KEYS, values(st.text() | st.integers(-5, 5), KEYS)))
def test_a_credential_is_one_document_with_or_without_an_anchor_proof(
    members: dict[str, Any],
) -> None:
    proofs = members.get("proof", [])
    credential = {**members, "type": ["VerifiableCredential"]}
    if not isinstance(proofs, list):
        del credential["proof"]
    anchored = embed(credential, {"type": "LedgerAnchorProof"})
    digest = credential_digest(credential)
    for one in (credential, anchored):
        for ascii_only in (True, False):
            data = json.dumps(one, ensure_ascii=ascii_only, indent=1).encode()
            assert read_document(data).digest == digest


@given(st.binary(max_size=200))
@example(b'{"type":"VerifiableCredential"')
def test_any_bytes_are_a_document_or_malformed(data: bytes) -> None:
    for document in (data, b"{" + data, b'{"type":"VerifiableCredential"' + data):
        try:
            found = read_document(document)
        except MalformedInputError:
            continue
        assert found.credential is not None or b"VerifiableCredential" not in document


@given(st.dictionaries(st.text(max_size=5), st.integers(0, 9), max_size=3), st.data())
def test_no_change_of_one_byte_makes_a_credential_a_file(
    members: dict[str, int], data: st.DataObject
) -> None:
    document = bytearray(json.dumps({**members, "type": ["VerifiableCredential"], "x": 1}).encode())
    word = document.index(b"VerifiableCredential")
    at = data.draw(
        st.integers(1, len(document) - 1).filter(lambda n: not word <= n < word + 20), label="at"
    )
    document[at] = data.draw(st.integers(0, 255), label="byte")
    try:
        found = read_document(bytes(document))
    except MalformedInputError:
        return
    # Still strict JSON: then it says so itself whether it is a credential.
    assert (found.credential is None) == (
        json.loads(document).get("type") != ["VerifiableCredential"]
    )
