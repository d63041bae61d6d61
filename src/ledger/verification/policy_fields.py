"""The values that a trust policy is made of, read one by one.

Each function takes `where` the value stands, and raises `MalformedInputError` with
the code `bad-policy` and that place when the value is not what it must be.
"""

import tomllib
from collections.abc import Callable
from typing import Any, Final, TypeVar

from ledger.errors import MalformedInputError

MAX_POLICY_CHARACTERS: Final = 2**20
"""Ten thousand homes; no policy written by people comes near."""

T = TypeVar("T")


def policy_error(where: str, what: str) -> MalformedInputError:
    """Return the error that something at `where` in the file is wrong."""
    return MalformedInputError("bad-policy", f"trust policy: {where} {what}")


def parse_toml(text: str) -> dict[str, Any]:
    """Return the tables of a TOML text."""
    if len(text) > MAX_POLICY_CHARACTERS:
        raise policy_error("the file", f"has more than {MAX_POLICY_CHARACTERS} characters")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise policy_error("the file", f"is not TOML: {error}"[:200]) from None


def check_keys(where: str, found: dict[str, Any], *, known: set[str], needed: set[str]) -> None:
    """Return when a table has the keys it needs and none that nobody knows."""
    if unknown := sorted(found.keys() - known):
        raise policy_error(
            where + unknown[0][:80], f"is no key; there are {', '.join(sorted(known))}"
        )
    if missing := sorted(needed - found.keys()):
        raise policy_error(where + missing[0], "is missing")


def parse_text(where: str, value: object) -> str:
    """Return a string."""
    if not isinstance(value, str):
        raise policy_error(where, "must be a string")
    return value


def parse_texts(where: str, value: object) -> tuple[str, ...]:
    """Return a list of strings."""
    if not isinstance(value, list):
        raise policy_error(where, "must be a list of strings")
    return tuple(parse_text(f"{where}[{n}]", item) for n, item in enumerate(value))


def parse_with(where: str, value: object, parse: Callable[[str], T]) -> T:
    """Return what `parse` makes of a string; its refusal is told with the place."""
    try:
        return parse(parse_text(where, value))
    except MalformedInputError as error:
        raise policy_error(where, f"is refused: {error}") from None


def parse_boolean(where: str, value: object) -> bool:
    """Return true or false; nothing else stands for them."""
    if not isinstance(value, bool):
        raise policy_error(where, "must be true or false")
    return value
