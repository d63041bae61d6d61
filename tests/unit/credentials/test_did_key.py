"""did:key, and the base58 it is written in."""

import pytest

from ledger.credentials.did_key import (
    format_base58btc,
    format_did_key,
    is_did_key,
    key_method,
    parse_base58btc,
    parse_did_key,
)
from ledger.errors import MalformedInputError

# The key pair of the W3C test vectors for eddsa-jcs-2022.
DID = "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
P256 = "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "z"),
        (b"\0", "z1"),
        (b"\0\0\1", "z112"),
        (b"\xff", "z5Q"),
        (b"Hello World!", "z2NEpo7TZRRrLZSi2U"),
        (bytes.fromhex("0000287fb4cd"), "z11233QC4"),
    ],
)
def test_base58_has_one_spelling_and_keeps_leading_zeros(data: bytes, text: str) -> None:
    assert format_base58btc(data) == text
    assert parse_base58btc(text, length=len(data)) == data


@pytest.mark.parametrize(
    "text", ["", "Q", "m5Q", "z0", "zO", "zI", "zl", "z5Q ", "zé", "z" + "1" * 9**6]
)
def test_what_is_not_base58btc_is_refused(text: str) -> None:
    with pytest.raises(MalformedInputError) as caught:
        parse_base58btc(text, length=1)
    assert caught.value.code == "not-base58btc"


def test_base58_longer_than_anything_here_is_refused_uncounted() -> None:
    with pytest.raises(MalformedInputError, match="not z and base58btc digits"):
        parse_base58btc("z" + "2" * 180, length=132)


@pytest.mark.parametrize("length", [0, 2, 64])
def test_base58_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(MalformedInputError, match=f"spells 1 bytes, not {length}"):
        parse_base58btc("z5Q", length=length)


def test_a_did_key_is_its_public_key() -> None:
    public = parse_did_key(DID)
    assert len(public) == 32
    assert format_did_key(public) == DID
    assert key_method(DID) == f"{DID}#{DID.removeprefix('did:key:')}"


@pytest.mark.parametrize(
    "did",
    ["", "did:key:", "did:web:example.org", DID.upper(), DID[:-1], DID + "2", P256, DID[8:]],
)
def test_what_is_no_did_key_of_ed25519_is_refused(did: str) -> None:
    with pytest.raises(MalformedInputError):
        parse_did_key(did)


def test_another_kind_of_key_is_still_a_did_key() -> None:
    assert is_did_key(P256)
    assert not is_did_key("did:web:example.org")
