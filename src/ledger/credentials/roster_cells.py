"""How each column of a roster is read: one function a column, text in, normal form out.

    name         text in NFC                         Zoé Lefèvre-N'Diaye
    email        the part after @ in lower case      zoe@example.org
    learner_id   did:, urn: or https:                did:key:z6Mk...
    awarded      a day                               2026-09-30
    started      a day, not after `ended`            2026-09-01
    ended        a day                               2026-09-20
    score        a number, point or comma            87.5
    credits      a number above 0, point or comma    0.5

One meaning has one normal form (`2`, `2.0` and `2,00` are `2`), because the normal form
is what tells one award from another. Each function raises `BadCellError` with a sentence
for the person who keeps the roster.

Source: EU Council Recommendation on micro-credentials (16 June 2022), Annex I: learner,
date of issuing, grade, and credits earned.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from ledger.credentials.plain_text import FORMULA_STARTS, find_misleading, tidy
from ledger.errors import MalformedInputError

MAX_CELL_CHARACTERS: Final = 500
"""Ours: far more than a name needs, and little enough to show in a message."""

_MAX_EMAIL_CHARACTERS: Final = 254
"""RFC 5321 section 4.5.3.1.3, less the angle brackets."""

_EMAIL: Final = re.compile(
    r"[^@\s<>()\[\],;:\"\\]{1,64}@[^@\s<>()\[\],;:\"\\.]+(\.[^@\s<>()\[\],;:\"\\.]+)+"
)
_LEARNER_ID: Final = re.compile(r"(did:[a-z0-9]+:|urn:[a-z0-9-]+:|https://)[!-~]+", re.ASCII)
_FOREIGN_BYTE: Final = re.compile("[\udc80-\udcff]")
"""What Python's `surrogateescape` makes of a byte that is not UTF-8."""

_NUMBER: Final = re.compile(r"(\d{1,9})(?:[.,](\d{1,6}))?", re.ASCII)


class BadCellError(MalformedInputError):
    """One cell cannot be read; whoever knows its line and column makes a problem of it."""

    def __init__(self, message: str) -> None:
        super().__init__("bad-cell", message)


def read_cell(column: str, text: str) -> str:
    """Return the normal form of a cell that is not empty.

    Raises:
        BadCellError: it is not what `column` holds.

    """
    trimmed = text.strip()
    if len(trimmed) > MAX_CELL_CHARACTERS:
        raise BadCellError(f"has {len(trimmed)} characters; at most {MAX_CELL_CHARACTERS} fit")
    if foreign := _FOREIGN_BYTE.search(trimmed):
        byte = ord(foreign[0]) - 0xDC00
        raise BadCellError(f"has the byte 0x{byte:02x}, which is not UTF-8: save it as UTF-8")
    if (misleading := find_misleading(trimmed)) is not None:
        raise BadCellError(f"has the character {misleading}, which cannot be seen: delete it")
    return COLUMNS[column](tidy(trimmed))


def _name(text: str) -> str:
    if not any(character.isalpha() for character in text):
        raise BadCellError(f"{text[:40]!r} has no letter: write the learner's name")
    if text.startswith(FORMULA_STARTS):
        raise BadCellError(f"{text[:40]!r} begins as a formula does: write the learner's name")
    return text


def _email(text: str) -> str:
    local, _, domain = text.rpartition("@")
    if len(text) > _MAX_EMAIL_CHARACTERS or not _EMAIL.fullmatch(text):
        raise BadCellError(f"{text[:80]!r} is not one e-mail address such as ana@example.org")
    return f"{local}@{domain.lower()}"


def _learner_id(text: str) -> str:
    if not _LEARNER_ID.fullmatch(text):
        raise BadCellError(f"{text[:80]!r} does not begin with did:, urn: or https://")
    return text


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text).isoformat()
    except ValueError:
        day = ""
    # fromisoformat also takes 20260930 and 2026-W40-3.
    if day != text:
        raise BadCellError(f"{text[:40]!r} is not a day written as year-month-day: 2026-09-30")
    return text


def _number(text: str) -> str:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise BadCellError(f"{text[:40]!r} is not a number such as 87 or 87.5")
    whole, fraction = str(int(match[1])), (match[2] or "").rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def _credits(text: str) -> str:
    number = _number(text)
    if number == "0":
        raise BadCellError("is 0: leave it empty when no credits were earned")
    return number


COLUMNS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {
        "name": _name,
        "email": _email,
        "learner_id": _learner_id,
        "awarded": _day,
        "started": _day,
        "ended": _day,
        "score": _number,
        "credits": _credits,
    }
)
"""Every column, in the order of the documentation, and how its cells are read."""
