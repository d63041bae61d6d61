"""What of a DID document counts: keys for assertion, and homes."""

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.clock import format_time
from ledger.credentials.did_document import DidDocument, parse_did_document
from ledger.credentials.did_key import parse_did_key
from ledger.credentials.signature import SigningKey
from ledger.errors import MalformedInputError

NOW = 1_790_000_000
DID = "did:web:univ.example.org"
KEY_ID = f"{DID}#key-1"
SIGNER = SigningKey(bytes(32))
PUBLIC = parse_did_key(SIGNER.did)
MULTIKEY = SIGNER.did.removeprefix("did:key:")
P256 = "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"
HOME = "eip155:1:0x1111111111111111111111111111111111111111:7"


def method(**changed: Any) -> dict[str, Any]:
    """Return a verification method; a member given as None is left out."""
    members = {
        "id": KEY_ID,
        "type": "Multikey",
        "controller": DID,
        "publicKeyMultibase": MULTIKEY,
        **changed,
    }
    return {name: value for name, value in members.items() if value is not None}


def jwk(kind: str = "JsonWebKey2020", **changed: Any) -> dict[str, Any]:
    x = base64.urlsafe_b64encode(PUBLIC).decode().rstrip("=")
    key = {"kty": "OKP", "crv": "Ed25519", "x": x, **changed}
    return method(type=kind, publicKeyMultibase=None, publicKeyJwk=key)


def parsed(*, now: int = NOW, **members: Any) -> DidDocument:
    return parse_did_document(json.dumps({"id": DID, **members}).encode(), DID, now=now)


def keys(*methods: Any, listed: Any = (KEY_ID,), now: int = NOW) -> dict[str, bytes]:
    document = parsed(verificationMethod=list(methods), assertionMethod=listed, now=now)
    return dict(document.assertion_keys)


@pytest.mark.parametrize(
    "found",
    [
        method(),
        method(type="Ed25519VerificationKey2020"),
        method(id="#key-1"),
        method(expires=format_time(NOW + 1)),
        jwk(),
        jwk("JsonWebKey"),
    ],
)
def test_a_listed_ed25519_key_counts_in_each_spelling(found: dict[str, Any]) -> None:
    assert keys(found) == {KEY_ID: PUBLIC}
    assert keys(found, listed="#key-1") == {KEY_ID: PUBLIC}
    assert keys(listed=[found]) == {KEY_ID: PUBLIC}


@pytest.mark.parametrize(
    "found",
    [
        method(controller="did:web:other.example.org"),
        method(controller=None),
        method(controller=[DID]),
        method(revoked=format_time(NOW - 1)),
        method(revoked=format_time(NOW + 1)),
        method(expires=format_time(NOW)),
        method(expires="soon"),
        method(type="X25519KeyAgreementKey2020"),
        method(type=["Multikey"]),
        method(type=None),
        method(publicKeyMultibase=None),
        method(publicKeyMultibase=7),
        method(publicKeyMultibase=P256),
        method(publicKeyMultibase="zzzz"),
        method(id=None),
        method(id=7),
        method(id="did:web:other.example.org#key-1"),
        method(id=f"{DID}#key-2"),
        jwk(kty="EC"),
        jwk(crv="P-256"),
        jwk(x=None),
        jwk(x=7),
        jwk(x="AAAA"),
        jwk(x="!" * 43),
        method(type="JsonWebKey2020", publicKeyMultibase=None, publicKeyJwk="x"),
        "did:web:univ.example.org#key-1",
        None,
        7,
    ],
)
def test_a_key_that_is_not_the_issuers_ed25519_key_in_force_does_not_count(found: Any) -> None:
    assert keys(found) == {}


@pytest.mark.parametrize(
    "listed", [None, [], {}, 7, [7], [KEY_ID + "x"], ["#key-2"], ["key-1"], [DID], [""]]
)
def test_a_key_that_is_not_listed_for_assertion_does_not_count(listed: Any) -> None:
    assert keys(method(), listed=listed) == {}


def test_a_key_for_something_else_does_not_sign_credentials() -> None:
    document = parsed(verificationMethod=[method()], authentication=[KEY_ID])
    assert document.assertion_keys == {}


def test_an_id_that_two_methods_have_names_none_of_them() -> None:
    other = parse_did_key(SigningKey(bytes(31) + b"1").did)
    twin = jwk(x=base64.urlsafe_b64encode(other).decode().rstrip("="))
    assert keys(method(), twin) == {}
    assert keys(method(), listed=[twin]) == {}
    assert keys(method(), method(id=f"{DID}#key-2"), listed=["#key-2"]) == {f"{DID}#key-2": PUBLIC}


@pytest.mark.parametrize(
    "service",
    [
        {"type": "LedgerIssuerHome", "serviceEndpoint": HOME},
        {"id": "#ledger", "type": ["LedgerIssuerHome", "Other"], "serviceEndpoint": [HOME]},
    ],
)
def test_a_home_is_listed_as_a_service(service: dict[str, Any]) -> None:
    assert parsed(service=[service]).homes == {HOME}
    assert parsed(service=service).homes == {HOME}


@pytest.mark.parametrize(
    "service",
    [
        None,
        HOME,
        [HOME],
        {"type": "LinkedDomains", "serviceEndpoint": HOME},
        {"serviceEndpoint": HOME},
        {"type": "LedgerIssuerHome"},
        {"type": "LedgerIssuerHome", "serviceEndpoint": {"uri": HOME}},
        {"type": "LedgerIssuerHome", "serviceEndpoint": [7, None, {}]},
    ],
)
def test_anything_else_lists_no_home(service: Any) -> None:
    assert parsed(service=service).homes == frozenset()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"id": "did:web:other.example.org"}', "other-did-document"),
        (b'{"id": ["did:web:univ.example.org"]}', "other-did-document"),
        (b"{}", "other-did-document"),
        (b"[]", "other-did-document"),
        (b'"did:web:univ.example.org"', "other-did-document"),
        (b"", "not-json"),
        (b"<html>", "not-json"),
        (
            b'{"id": "did:web:univ.example.org", "id": "did:web:univ.example.org"}',
            "duplicate-member",
        ),
        (b'{"id": NaN}', "not-a-number"),
        (b"[" * 100_000, "too-deep"),
        (b" " * (2**18 + 1), "too-large"),
        (b"\xff", "not-utf-8"),
    ],
)
def test_what_is_not_this_dids_document_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(MalformedInputError) as caught:
        parse_did_document(data, DID, now=NOW)
    assert caught.value.code == code


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text() | st.sampled_from([DID, KEY_ID]),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from([*method(), "publicKeyJwk", "x"]), inner)
    ),
)


@given(
    st.dictionaries(
        st.sampled_from(["assertionMethod", "verificationMethod", "service", "id"]), JSON
    )
)
def test_whatever_a_document_holds_it_is_read_or_refused(members: dict[str, Any]) -> None:
    with suppress(MalformedInputError):
        parsed(**members)
