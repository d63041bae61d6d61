"""What a document is follows from its bytes, and a credential cannot pass for a file."""

import json

import pytest

from ledger.credentials.document import (
    MAX_CREDENTIAL_BYTES,
    MAX_DOCUMENT_BYTES,
    Document,
    document_of,
    read_document,
)
from ledger.errors import MalformedInputError
from ledger.primitives import Canonicalization, sha256

PLAIN = b'{"type": ["VerifiableCredential", "OpenBadgeCredential"], "name": "Zo\xc3\xa9"}'
DUPLICATE = b'{"type": "x", "type": ["VerifiableCredential"]}'

FILES = {
    "empty": b"",
    "text": b"A diploma, as text.",
    "a text about credentials": b"The type VerifiableCredential is {explained} here.",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20 + b'{"type":"VerifiableCredential"}',
    "a page": b'<!doctype html><script>{"type":"VerifiableCredential"}</script>',
    "a PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj <</Type /Catalog>> VerifiableCredential",
    "a UTF-16 text": "Un relevé de notes : VerifiableCredential".encode("utf-16"),
    "CSV": b"name;type\nZo\xe9;VerifiableCredential\n",
    "a JSON value of another type": b'{"type": ["Diploma"], "about": "VerifiableCredential"}',
    "JSON without a type": b'{"credential": {"type": ["VerifiableCredential"]}}',
    "a JSON array": b'[{"type": ["VerifiableCredential"]}]',
    "a JSON string": b'"VerifiableCredential"',
    "a program": b"{ not JSON, and it does not name the type }",
    "almost the word": b"{ Verifiable Credential, VerifiableCredentia }",
    "only a comment": b"/* {VerifiableCredential} */",
    "an endless comment": b"/* {VerifiableCredential}",
    "a great file of zeros": bytes(MAX_CREDENTIAL_BYTES + 1),
}

LAUNDERED = {
    "a duplicate type": DUPLICATE,
    "a duplicate type, the last wins": b'{"type": ["VerifiableCredential"], "type": "x"}',
    "a duplicate member elsewhere": PLAIN[:-1] + b', "a": 1, "a": 2}',
    "NaN": PLAIN[:-1] + b', "score": NaN}',
    "an infinity": PLAIN[:-1] + b', "score": 1e999}',
    "a huge integer": PLAIN[:-1] + b', "score": 9007199254740993}',
    "an integer of many digits": PLAIN[:-1] + b', "n": ' + b"9" * 5000 + b"}",
    "half a surrogate pair": PLAIN[:-1] + b', "a": "\\ud800"}',
    "a byte order mark": b"\xef\xbb\xbf" + PLAIN,
    "UTF-16 with a mark": PLAIN.decode().encode("utf-16"),
    "UTF-16, little end first": PLAIN.decode().encode("utf-16-le"),
    "UTF-16, big end first": PLAIN.decode().encode("utf-16-be"),
    "UTF-32 with a mark": PLAIN.decode().encode("utf-32"),
    "UTF-32, little end first": PLAIN.decode().encode("utf-32-le"),
    "UTF-32, big end first": PLAIN.decode().encode("utf-32-be"),
    "Latin-1": PLAIN.decode().encode("latin-1"),
    "an undecodable byte inside the word": PLAIN.replace(b"Verifiable", b"Verif\xffiable"),
    "trailing junk": PLAIN + b" junk",
    "trailing zero": PLAIN + b"\0",
    "a second value": PLAIN + b"\n" + PLAIN,
    "a leading control character": b"\x1e" + PLAIN,
    "a leading zero": b"\0" + PLAIN,
    "a leading form feed and a wide space": "\f\u3000".encode() + PLAIN,
    "a leading comment": b"// made by hand\r\n/* { */ # x\n" + PLAIN,
    "a leading comment longer than the head": b"/*" + b"." * 9000 + b"*/" + PLAIN,
    "leading white space longer than the head": b" \n" * 9000 + PLAIN + b"x",
    "a comment inside": PLAIN[:-1] + b"/* VC */}",
    "a trailing comma": PLAIN[:-1] + b",}",
    "single quotes": b"{'type': 'VerifiableCredential'}",
    "no quotes": b'{type: "VerifiableCredential"}',
    "a control character in a string": PLAIN[:-1] + b', "a": "\t"}',
    "a leading zero in a number": PLAIN[:-1] + b', "a": 01}',
    "cut short": PLAIN[:-1],
    "cut in the type": b'{"type": ["VerifiableCredential',
    "escapes": b'{"type": "\\u0056erifiable\\u0043redential",}',
    "escapes of all letters": b'{"type": "%s",}'
    % b"".join(b"\\u%04X" % ord(letter) for letter in "VerifiableCredential"),
    "JSON5 escapes": b"{'type': '\\x56\\e\\u{0072}ifiable\\\r\nCredential'}",
    "too deep": PLAIN[:-1] + b', "a": ' + b"[" * 500 + b"]" * 500 + b"}",
    "too large": PLAIN[:-1] + b', "a": "' + b"." * MAX_CREDENTIAL_BYTES + b'"}',
    "too large by white space": b" " * MAX_CREDENTIAL_BYTES + PLAIN,
    "the member in capitals": b'{"Type": ["VerifiableCredential"]}',
    "the member in capitals beside another": b'{"type": "x", "TYPE": "VerifiableCredential"}',
    "the JSON-LD keyword": b'{"@type": "VerifiableCredential"}',
}


@pytest.mark.parametrize("data", FILES.values(), ids=FILES.keys())
def test_anything_that_is_no_credential_is_a_file(data: bytes) -> None:
    assert read_document(data) == Document(None, sha256(data), Canonicalization.NONE)


@pytest.mark.parametrize("data", LAUNDERED.values(), ids=LAUNDERED.keys())
def test_a_credential_that_readers_would_read_differently_is_no_file(data: bytes) -> None:
    with pytest.raises(MalformedInputError):
        read_document(data)


def test_the_refusal_says_that_it_looks_like_a_credential_and_why() -> None:
    with pytest.raises(MalformedInputError) as caught:
        read_document(DUPLICATE)
    assert caught.value.code == "duplicate-member"
    assert "looks like a credential" in caught.value.message
    assert "'type' stands twice" in caught.value.message


def test_one_credential_has_one_digest_however_it_is_spelled() -> None:
    spellings = [
        PLAIN,
        PLAIN.replace(b" ", b""),
        b"\n" + PLAIN + b"\r\n",
        PLAIN.replace(b"V", b"\\u0056"),
        json.dumps(dict(reversed(json.loads(PLAIN).items()))).encode(),
    ]
    documents = [read_document(data) for data in spellings]
    assert len({document.digest for document in documents}) == 1
    assert {document.canonicalization for document in documents} == {Canonicalization.RFC8785}
    assert all(document.credential == json.loads(PLAIN) for document in documents)


def test_a_parsed_credential_is_the_same_document_as_its_bytes() -> None:
    assert document_of(json.loads(PLAIN)) == read_document(PLAIN)


@pytest.mark.parametrize("value", [{}, {"type": "Diploma"}])
def test_a_parsed_object_of_another_type_is_no_credential(value: dict[str, object]) -> None:
    with pytest.raises(MalformedInputError) as caught:
        document_of(value)
    assert caught.value.code == "not-a-credential"


def test_a_credential_with_two_anchor_proofs_is_malformed() -> None:
    credential = {**json.loads(PLAIN), "proof": 2 * [{"type": "LedgerAnchorProof"}]}
    with pytest.raises(MalformedInputError) as caught:
        read_document(json.dumps(credential).encode())
    assert caught.value.code == "several-anchor-proofs"


def test_a_document_beyond_the_bound_is_refused_unread() -> None:
    with pytest.raises(MalformedInputError) as caught:
        read_document(bytes(MAX_DOCUMENT_BYTES + 1))
    assert caught.value.code == "too-large"


CONTEXTS = ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/2018/credentials/v1"]


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize(
    "members",
    [
        {},
        {"type": []},
        {"type": 7},
        {"type": "OpenBadgeCredential"},
        {"type": ["https://www.w3.org/2018/credentials#VerifiableCredential"]},
        {"type": ["cred:VerifiableCredential", "VerifiablePresentation"]},
        {"kind": "VerifiableCredential"},
    ],
)
def test_a_credential_by_another_name_of_json_ld_is_no_file(
    context: str, members: dict[str, object]
) -> None:
    for contexts in (context, [context], [{"kind": "@type"}, context]):
        document = json.dumps({"@context": contexts, **members}).encode()
        with pytest.raises(MalformedInputError) as caught:
            read_document(document)
        assert caught.value.code == "type-alias"


@pytest.mark.parametrize(
    "value",
    [
        {"@context": CONTEXTS[0], "type": "VerifiablePresentation"},
        {"@context": CONTEXTS, "type": ["EnvelopedVerifiableCredential"], "id": "data:,x"},
        {"@context": "https://schema.org", "type": "OpenBadgeCredential"},
        {"@context": {"a": CONTEXTS[0]}, "type": "Person"},
        {"context": CONTEXTS},
        {},
    ],
)
def test_what_nobody_takes_for_a_credential_stays_a_file(value: dict[str, object]) -> None:
    assert read_document(json.dumps(value).encode()).credential is None
