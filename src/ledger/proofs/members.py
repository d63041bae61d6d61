"""Readers of JSON values that accept one spelling and say where another one stands.

`where` is the path of the value from the top of the document, `$`, such as
`$.inclusion.path[3]`. JSON's `true` is no integer here, and neither is `1.0`.

Source: RFC 9535 (JSONPath) for the paths.
"""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

from ledger.errors import MalformedInputError

_Value = TypeVar("_Value")

_SHOWN: Final = 80
"""How much of a foreign string an error message repeats."""

_HEX_DATA: Final = re.compile(r"0x(?:[0-9a-f]{2})+", re.ASCII)


def read_object(
    value: object, where: str, *, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return `value`, an object with all `required` members and no unknown one.

    Raises:
        MalformedInputError: it is no object (`wrong-type`), or a member is missing
            (`missing-member`) or unknown (`unknown-member`).

    """
    if not isinstance(value, dict):
        raise _wrong_type(where, "an object", value)
    for name in required:
        if name not in value:
            raise MalformedInputError("missing-member", f"{where}: the member {name!r} is missing")
    for name in value:
        if name not in required and name not in optional:
            raise MalformedInputError(
                "unknown-member",
                f"{where}: {str(name)[:_SHOWN]!r} is no member here: remove it; known are "
                + ", ".join(required + optional),
            )
    return value


def read_array(value: object, where: str, *, most: int) -> list[Any]:
    """Return `value`, an array of at most `most` elements.

    Raises:
        MalformedInputError: it is no array (`wrong-type`) or longer (`too-many`).

    """
    if not isinstance(value, list):
        raise _wrong_type(where, "an array", value)
    if len(value) > most:
        raise MalformedInputError(
            "too-many", f"{where}: {len(value)} elements; there can be at most {most}"
        )
    return value


def read_integer(value: object, where: str, *, least: int, most: int) -> int:
    """Return `value`, an integer from `least` to `most`.

    Raises:
        MalformedInputError: it is none (`wrong-type`) or outside (`out-of-range`).

    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type(where, "an integer", value)
    if not least <= value <= most:
        raise MalformedInputError("out-of-range", f"{where}: must be from {least} to {most}")
    return value


def read_text(value: object, where: str) -> str:
    """Return `value`, a string.

    Raises:
        MalformedInputError: it is none (`wrong-type`).

    """
    if not isinstance(value, str):
        raise _wrong_type(where, "a string", value)
    return value


def read_choice(value: object, where: str, choices: tuple[str, ...]) -> str:
    """Return `value`, one of the strings `choices`.

    Raises:
        MalformedInputError: it is no string (`wrong-type`) or another (`wrong-value`).

    """
    text = read_text(value, where)
    if text not in choices:
        raise MalformedInputError(
            "wrong-value", f"{where}: {text[:_SHOWN]!r} must be {' or '.join(choices)}"
        )
    return text


def read_spelling(value: object, where: str, parse: Callable[[str], _Value]) -> _Value:
    """Return what `parse`, a parser of `ledger.primitives`, makes of the string `value`.

    Raises:
        MalformedInputError: it is no string (`wrong-type`), or the parser's error, which
            then begins with `where`.

    """
    text = read_text(value, where)
    try:
        return parse(text)
    except MalformedInputError as error:
        raise MalformedInputError(error.code, f"{where}: {error.message}") from None


def read_data(value: object, where: str, *, most_bytes: int) -> bytes:
    """Return the bytes spelled by `value`: `0x` and pairs of lower-case hex digits.

    Raises:
        MalformedInputError: it is no string (`wrong-type`), has no byte or is spelled
            otherwise (`not-hex`), or has more than `most_bytes` (`too-large`).

    """
    text = read_text(value, where)
    if len(text) > 2 + 2 * most_bytes:
        raise MalformedInputError("too-large", f"{where}: more than {most_bytes} bytes")
    if not _HEX_DATA.fullmatch(text):
        raise MalformedInputError(
            "not-hex", f"{where}: not 0x and pairs of lower-case hex digits: {text[:_SHOWN]!r}"
        )
    return bytes.fromhex(text[2:])


def _wrong_type(where: str, wanted: str, value: object) -> MalformedInputError:
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    kinds |= {int: "an integer", float: "a number with a fraction or exponent"}
    found = "null" if value is None else kinds.get(type(value), type(value).__name__)
    return MalformedInputError("wrong-type", f"{where}: must be {wanted}, not {found}")
