"""The canonical form is that of RFC 8785, whichever writer made it."""

import json
from typing import Any

import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.credentials.canonical import _is_plain, canonical_bytes, credential_digest, embed
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
