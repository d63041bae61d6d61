"""RLP, Ethereum's encoding of byte strings and lists of them, one encoding for one value.

    00..7f           the byte itself
    80..b7  bytes    a string of 0 to 55 bytes
    b8..bf  n bytes  a longer string; its length n in 1 to 8 bytes
    c0..f7  items    a list whose items take 0 to 55 bytes
    f8..ff  n items  a longer list; their length n in 1 to 8 bytes

Many readers also take what no writer would write: a length with leading zeros, a long
form for a short string, bytes after the end. Two encodings of one value are two hashes,
so all of that is refused here.

Source: Ethereum yellow paper, appendix B.
"""

from typing import Final, TypeAlias

from ledger.errors import MalformedInputError

Item: TypeAlias = "bytes | list[Item]"
"""A string, or a list of items."""

MAX_DEPTH: Final = 8
"""Lists inside each other. A trie node embeds four at most, a header none."""

_SHORT: Final = 55
"""The longest string, and the longest list, whose length the first byte holds."""


def decode(data: bytes) -> Item:
    """Return the one item that `data` encodes, lists as Python lists.

    Raises:
        MalformedInputError: `data` is cut off, goes on after the item, is nested deeper
            than `MAX_DEPTH`, or is not how the item is encoded.

    """
    item, end = _decode_at(data, 0, depth=0)
    if end != len(data):
        raise _refused(f"{len(data) - end} bytes follow the end")
    return item


def encode(item: Item) -> bytes:
    """Return the encoding of a string or a list."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _prefix(0x80, len(item)) + item
    content = b"".join(encode(part) for part in item)
    return _prefix(0xC0, len(content)) + content


def encode_integer(value: int) -> bytes:
    """Return the string that stands for a number of 0 or more: no byte more than needed."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def decode_integer(text: Item) -> int:
    """Return the number that a string stands for.

    Raises:
        MalformedInputError: a list, or a string that begins with a zero byte.

    """
    if not isinstance(text, bytes) or text.startswith(b"\0"):
        raise _refused("no number, or one that begins with a zero byte")
    return int.from_bytes(text, "big")


def _decode_at(data: bytes, start: int, *, depth: int) -> tuple[Item, int]:
    """Return the item that begins at `start`, and where it ends."""
    if start >= len(data):
        raise _refused("it is cut off")
    first = data[start]
    if first < 0x80:
        return data[start : start + 1], start + 1
    offset = 0x80 if first < 0xC0 else 0xC0
    begin, end = _content(data, start, first - offset)
    if offset == 0x80:
        text = data[begin:end]
        if len(text) == 1 and text[0] < 0x80:
            raise _refused("a single byte has a length before it")
        return text, end
    if depth == MAX_DEPTH:
        raise _refused(f"more than {MAX_DEPTH} lists stand inside each other")
    items: list[Item] = []
    while begin < end:
        item, begin = _decode_at(data, begin, depth=depth + 1)
        items.append(item)
    if begin != end:
        raise _refused("an item goes on after the end of its list")
    return items, end


def _content(data: bytes, start: int, length: int) -> tuple[int, int]:
    """Return where the content begins and ends; `length` is what the first byte says of it."""
    begin = start + 1
    if length > _SHORT:
        width = length - _SHORT
        spelled = data[begin : begin + width]
        begin += width
        length = int.from_bytes(spelled, "big")
        if len(spelled) < width or spelled[0] == 0 or length <= _SHORT:
            raise _refused("a length is not spelled as it must be")
    if begin + length > len(data):
        raise _refused("it is cut off")
    return begin, begin + length


def _prefix(offset: int, length: int) -> bytes:
    if length <= _SHORT:
        return bytes([offset + length])
    spelled = encode_integer(length)
    return bytes([offset + _SHORT + len(spelled)]) + spelled


def _refused(what: str) -> MalformedInputError:
    return MalformedInputError("bad-rlp", f"not strict RLP: {what}")
