"""Values and their only spellings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import MalformedInputError
from ledger.primitives import (
    Address,
    Home,
    format_address,
    hash32,
    keccak256,
    parse_address,
    parse_chain,
    parse_home,
    prefixed_hash32,
)

# The examples of EIP-55.
CHECKSUMMED = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
]


@pytest.mark.parametrize("text", CHECKSUMMED)
def test_an_address_is_spelled_as_eip_55_says(text: str) -> None:
    assert format_address(parse_address(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        CHECKSUMMED[2].lower(),
        CHECKSUMMED[2].upper(),
        CHECKSUMMED[2][2:],
        CHECKSUMMED[2] + "0",
        CHECKSUMMED[2][:-1] + "g",
        CHECKSUMMED[2] + "\n",
        "0x" + "\N{FULLWIDTH DIGIT ONE}" * 40,
    ],
)
def test_an_address_spelled_otherwise_is_refused(text: str) -> None:
    with pytest.raises(MalformedInputError):
        parse_address(text)


@pytest.mark.parametrize(
    "text", ["", "0" * 63, "0" * 65, "A" * 64, "0x" + "0" * 62, "\N{FULLWIDTH DIGIT ZERO}" * 64]
)
def test_a_digest_spelled_otherwise_is_refused(text: str) -> None:
    with pytest.raises(MalformedInputError):
        hash32(text)


def test_a_block_hash_needs_its_prefix() -> None:
    with pytest.raises(MalformedInputError):
        prefixed_hash32("00" * 32)
    assert prefixed_hash32("0x" + "00" * 32) == bytes(32)


def test_keccak_is_ethereums_and_not_nists() -> None:
    empty = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"").hex() == empty


@given(
    st.integers(1, 10**17),
    st.binary(min_size=20, max_size=20),
    st.integers(1, 2**256 - 1),
)
def test_a_home_survives_its_text(chain: int, registry: bytes, issuer: int) -> None:
    home = Home(chain, Address(registry), issuer)
    assert parse_home(str(home)) == home


@given(st.text(max_size=80))
def test_garbage_is_refused_by_our_own_error(text: str) -> None:
    for parse in (parse_home, parse_chain, parse_address, hash32, prefixed_hash32):
        with pytest.raises(MalformedInputError):
            parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "eip155:0:" + CHECKSUMMED[0] + ":1",
        "eip155:01:" + CHECKSUMMED[0] + ":1",
        "eip155:1:" + CHECKSUMMED[0] + ":0",
        "eip155:1:" + CHECKSUMMED[0] + ":01",
        "eip155:1:" + CHECKSUMMED[0] + f":{2**256}",
        "eip155:1:" + CHECKSUMMED[2].lower() + ":1",
        "eip155:1:1",
    ],
)
def test_a_home_spelled_otherwise_is_refused(text: str) -> None:
    with pytest.raises(MalformedInputError):
        parse_home(text)
