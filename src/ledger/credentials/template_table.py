"""Read one table of a template strictly, noting every problem with its key path.

    table.get("title", text)               required
    table.find("url", web_address)         None when it is missing
    table.items("tags", text)              a list, empty when it is missing
    table.tables("outcomes", read_outcome) a list of tables
    table.close()                          notes the keys that nobody asked for

A wrong value becomes a problem, and reading goes on: the caller refuses the template at
the end, with all problems at once.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeVar, cast

from ledger.credentials.plain_text import find_misleading, tidy, visible
from ledger.errors import MalformedInputError

MAX_TEXT_CHARACTERS: Final = 4_000
"""Ours: what a wallet shows of a badge is a page, not a book."""

MAX_ITEMS: Final = 50
"""Ours, of each list: every badge carries all of it."""

_URL: Final = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?(?:[/?#][!-~]*)?", re.ASCII)

T = TypeVar("T")


class BadValueError(MalformedInputError):
    """A value is not what its key holds; the table, which knows the key, notes a problem."""

    def __init__(self, message: str) -> None:
        super().__init__("bad-value", message)


def text(value: object) -> str:
    """Return a text in NFC, its lines and words set apart by single spaces and breaks."""
    if not isinstance(value, str):
        raise BadValueError("is not a text in quotes")
    lines = "\n".join(map(tidy, value.strip().splitlines()))
    if not lines:
        raise BadValueError("is empty")
    if len(lines) > MAX_TEXT_CHARACTERS:
        raise BadValueError(f"has more than {MAX_TEXT_CHARACTERS} characters")
    if (misleading := find_misleading(value.replace("\r\n", "").replace("\n", ""))) is not None:
        raise BadValueError(f"has the character {misleading}, which cannot be seen: delete it")
    return lines


def web_address(value: object) -> str:
    """Return an http or https URL with a host."""
    address = text(value)
    if not _URL.fullmatch(address):
        raise BadValueError(f"{address[:80]!r} is not an address such as https://example.org/a")
    return address


def matching(pattern: str, example: str) -> Callable[[object], str]:
    """Return a reader of texts of one form."""

    def read(value: object) -> str:
        if not re.fullmatch(pattern, text(value), re.ASCII):
            raise BadValueError(f"{text(value)[:40]!r} is not such as {example!r}")
        return text(value)

    return read


def one_of(words: Collection[str]) -> Callable[[object], str]:
    """Return a reader of texts that are one of `words`."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise BadValueError(f"is not one of {', '.join(words)}")
        return value

    return read


def integer(low: int, high: int) -> Callable[[object], int]:
    """Return a reader of whole numbers from `low` to `high`."""

    def read(value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise BadValueError(f"is not a whole number from {low} to {high}")
        return value

    return read


def number(high: int) -> Callable[[object], str]:
    """Return a reader of numbers from 0 to `high`; it gives the shortest decimal."""

    def read(value: object) -> str:
        if type(value) not in (int, float):
            raise BadValueError("is not a number")
        # Not `value > high`: nan is on neither side.
        if not 0 <= cast(float, value) <= high:
            raise BadValueError(f"is not from 0 to {high}")
        digits = f"{Decimal(str(value)):f}"
        return digits.rstrip("0").rstrip(".") if "." in digits else digits

    return read


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """One thing to repair in a template."""

    path: str
    """The key, such as `outcomes[2].url`, counted from 1; empty for the file."""
    message: str

    def __str__(self) -> str:
        return f"{visible(self.path)} {self.message}" if self.path else self.message


class TableReader:
    """One table and the problems found in it so far."""

    def __init__(
        self, table: Mapping[str, object], problems: list[TemplateProblem], path: str = ""
    ) -> None:
        self._left = dict(table)
        self._problems = problems
        self._path = path
        self._known: list[str] = []

    def get(self, key: str, read: Callable[[object], T]) -> T:
        """Return the value of a required key.

        After a problem it is None, and the template is never made.
        """
        if key not in self._left:
            self._note(key, "is missing")
        return cast(T, self.find(key, read))

    def find(self, key: str, read: Callable[[object], T]) -> T | None:
        """Return the value of an optional key; None also after a problem."""
        self._known.append(key)
        if key not in self._left:
            return None
        return self._read(key, self._left.pop(key), read)

    def items(self, key: str, read: Callable[[object], T], *, least: int = 0) -> tuple[T, ...]:
        """Return the values of a list that has `least` or more."""
        return self._each(self._list(key, least), lambda _place: read)

    def find_table(self, key: str, read: Callable[["TableReader"], T]) -> T | None:
        """Return what `read` makes of the optional table `[key]`."""
        return self.find(key, self._nested(key, read))

    def tables(
        self, key: str, read: Callable[["TableReader"], T], *, least: int = 0
    ) -> tuple[T, ...]:
        """Return what `read` makes of every `[[key]]`, of which there are `least` or more."""
        return self._each(self._list(key, least), lambda place: self._nested(place, read))

    def _list(self, key: str, least: int) -> list[tuple[str, object]]:
        missing = key not in self._left
        values = self.find(key, _short_list)
        if least and (missing or values == []):
            self._note(key, "is missing" if missing else "is empty")
        return [(f"{key}[{n}]", value) for n, value in enumerate(values or (), 1)]

    def _each(
        self, found: list[tuple[str, object]], reader: Callable[[str], Callable[[object], T]]
    ) -> tuple[T, ...]:
        read = [self._read(place, value, reader(place)) for place, value in found]
        return tuple(value for value in read if value is not None)

    def close(self) -> None:
        """Note every key that nobody asked for."""
        for key in self._left:
            self._note(key[:40], f"is no key here; there are {', '.join(self._known)}")

    def _nested(self, key: str, read: Callable[["TableReader"], T]) -> Callable[[object], T]:
        def read_table(value: object) -> T:
            if not isinstance(value, dict):
                raise BadValueError("is not a table")
            inner = TableReader(value, self._problems, f"{self._path}{key}.")
            made = read(inner)
            inner.close()
            return made

        return read_table

    def _read(self, key: str, value: object, read: Callable[[object], T]) -> T | None:
        try:
            return read(value)
        except BadValueError as error:
            self._note(key, error.message)
            return None

    def _note(self, key: str, message: str) -> None:
        self._problems.append(TemplateProblem(self._path + key, message))


def _short_list(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise BadValueError(f"is not a list of at most {MAX_ITEMS}")
    return value
