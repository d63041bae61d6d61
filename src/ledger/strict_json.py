"""JSON that means one thing to every reader: I-JSON, within stated bounds.

Parsers disagree about duplicate members, `NaN`, lone surrogates and integers a
double cannot hold. A document that two readers read differently could be valid
to one of them and forged to the other, so it is refused.

Source: RFC 7493 (I-JSON), RFC 8259.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from ledger.errors import MalformedInputError

MAX_DEPTH: Final = 64
"""Arrays and objects inside each other; Open Badges documents need about ten."""

MAX_INTEGER: Final = 2**53 - 1
"""The greatest integer every JSON reader holds exactly (RFC 7493 section 2.2)."""


class NotJsonError(MalformedInputError):
    """The text breaks the grammar of JSON."""

    def __init__(self, error: json.JSONDecodeError) -> None:
        place = f"line {error.lineno} column {error.colno}"
        super().__init__("not-json", f"not JSON at {place}: {error.msg}")
        self.character = error.colno
        """From 1, in its line."""
        self.reason = error.msg


def parse(data: bytes, *, max_bytes: int) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Return the JSON value in `data`.

    Raises:
        MalformedInputError: more than `max_bytes` or `MAX_DEPTH`, not UTF-8, not JSON,
            a duplicate member, `NaN` or an infinity, an integer beyond 2^53 - 1, a lone
            surrogate.

    """
    if len(data) > max_bytes:
        raise MalformedInputError(
            "too-large", f"{len(data)} bytes of JSON; at most {max_bytes} are read"
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedInputError(
            "not-utf-8", f"byte {error.start} is not UTF-8: save the file as UTF-8"
        ) from None
    _check_depth(text)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotJsonError(error) from None
    if "\\u" in text:
        _check_surrogates(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise MalformedInputError("duplicate-member", f"the member {twice[:80]!r} stands twice")
    return found


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > MAX_INTEGER:
        raise MalformedInputError(
            "integer-too-large", f"the integer {digits[:20]} is beyond 2^53 - 1"
        )
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise MalformedInputError("not-a-number", f"the number {digits[:20]} is beyond a double")
    return number


def _constant(name: str) -> float:
    raise MalformedInputError("not-a-number", f"{name} is not JSON")


_STRING: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""One that does not end is taken whole: looked at again from each of its quotes, it would cost
the square of its length."""
_BRACKET: Final = re.compile(r"[][{}]")

_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _check_depth(text: str) -> None:
    """Return when nothing in `text` is deeper than `MAX_DEPTH`, as far as it is JSON.

    Asked before parsing: the parser recurses, and where a library has raised Python's
    recursion limit, as web3's do, a deep document would end the whole process.
    """
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise MalformedInputError("too-deep", f"nested deeper than {MAX_DEPTH} levels")


def _strings(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            yield from item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _check_surrogates(value: object) -> None:
    for text in _strings(value):
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise MalformedInputError(
                "lone-surrogate", "a string has half of a surrogate pair, which is no character"
            )
