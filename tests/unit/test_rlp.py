"""RLP: what every implementation agrees on, and what only a strict one refuses."""

import pytest

from ledger.chain.rlp import MAX_DEPTH, Item, decode, decode_integer, encode, encode_integer
from ledger.errors import MalformedInputError

LOREM = b"Lorem ipsum dolor sit amet, consectetur adipisicing elit"

PAIRS: list[tuple[Item, str]] = [
    (b"", "80"),
    (b"\x00", "00"),
    (b"\x7f", "7f"),
    (b"\x80", "8180"),
    (b"dog", "83646f67"),
    ([], "c0"),
    ([b"cat", b"dog"], "c88363617483646f67"),
    ([[], [[]], [[], [[]]]], "c7c0c1c0c3c0c1c0"),
    (LOREM, "b838" + LOREM.hex()),
    (bytes(55), "b7" + "00" * 55),
    (bytes(1024), "b90400" + "00" * 1024),
    ([bytes(55)], "f838b7" + "00" * 55),
]


@pytest.mark.parametrize(("item", "encoded"), PAIRS)
def test_an_item_has_one_encoding(item: Item, encoded: str) -> None:
    assert encode(item).hex() == encoded
    assert decode(bytes.fromhex(encoded)) == item


@pytest.mark.parametrize(
    "encoded",
    [
        "",  # nothing
        "81",  # cut off
        "83646f",
        "b8",
        "b838",
        "c883636174",
        "8000",  # more behind it
        "c000",
        "8100",  # a single byte with a length
        "817f",
        "b800",  # a long form for what is short
        "b837" + "00" * 55,
        "f80180",
        "f837" + "80" * 55,
        "b90038" + "00" * 56,  # a length with a leading zero
        "f90038" + "80" * 56,
        "bf" + "ff" * 8,  # a length beyond any memory
        "ff" + "ff" * 8,
        "c183",  # an item that leaves its list
        "c28361626364",
        "c5c283616263",
        "c0" * 2,
    ],
)
def test_what_no_writer_writes_is_refused(encoded: str) -> None:
    with pytest.raises(MalformedInputError) as caught:
        decode(bytes.fromhex(encoded))
    assert caught.value.code == "bad-rlp"


def test_lists_stand_inside_each_other_so_far_and_no_further() -> None:
    item: Item = []
    for _ in range(MAX_DEPTH - 1):
        item = [item]
    assert decode(encode(item)) == item
    with pytest.raises(MalformedInputError):
        decode(encode([item]))
    with pytest.raises(MalformedInputError):
        decode(bytes.fromhex("f90400") + b"\xc0" * 0 + bytes([0xF9, 3, 0xFD]) + b"\xc1" * 1021)


def test_a_number_has_no_leading_zero() -> None:
    for value in (0, 1, 127, 128, 255, 256, 2**64, 2**256 - 1):
        assert decode_integer(encode_integer(value)) == value
    assert encode_integer(0) == b""
    no_number: list[Item] = [b"\x00", b"\x00\x01", []]
    for item in no_number:
        with pytest.raises(MalformedInputError):
            decode_integer(item)
