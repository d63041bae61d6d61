"""Rosters as CSV, the way spreadsheets write it.

UTF-8, with or without a byte order mark. The first line that is not empty names the
columns, in any order and case. Cells are separated by commas, or by semicolons or tabs
when the first line has more of those (a French Excel writes semicolons). Lines whose
cells are all empty are passed over.

Source: RFC 4180.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from ledger.credentials.roster import (
    MAX_ROWS,
    Record,
    RosterError,
    RosterProblem,
    Row,
    check_columns,
    read_rows,
)
from ledger.errors import MalformedInputError

MAX_ROSTER_BYTES: Final = 400 * MAX_ROWS
"""Ours: 400 bytes for each of `MAX_ROWS`; a row with every column has some 200."""

_SEPARATORS: Final = ",;\t"
"""The first wins a draw."""

_Line = tuple[int, list[str]]
"""The number of a line from 1, and its cells."""


def read_csv(data: bytes) -> tuple[Row, ...]:
    """Return the rows of a CSV roster, in its order; never none.

    Raises:
        MalformedInputError: more than `MAX_ROSTER_BYTES`, or not UTF-8.
        RosterError: something is wrong in it; every problem is named with its place.

    """
    lines = _read_lines(_decoded(data))
    header = next(lines, RosterProblem(1, None, "the file is empty"))
    if isinstance(header, RosterProblem):
        raise RosterError([header])
    number, cells = header
    columns = _column_names(cells)
    if problems := check_columns(columns, number):
        raise RosterError(problems)
    return read_rows(_records(columns, lines))


def _column_names(cells: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    # Spreadsheets end lines with separators of columns that were emptied.
    while not names[-1]:
        names.pop()
    return names


def _decoded(data: bytes) -> str:
    if len(data) > MAX_ROSTER_BYTES:
        raise MalformedInputError(
            "too-large", f"{len(data)} bytes; a roster has at most {MAX_ROSTER_BYTES}"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + data.count(b"\n", 0, error.start)
        raise MalformedInputError(
            "not-utf-8",
            f"line {line}: byte 0x{data[error.start]:02x} is not UTF-8: "
            "save the roster as `CSV UTF-8`",
        ) from None


def _separator(text: str) -> str:
    header = text.lstrip().partition("\n")[0]
    return max(_SEPARATORS, key=header.count)


def _read_lines(text: str) -> Iterator[_Line | RosterProblem]:
    """Give every line that has a cell which is not empty.

    A quoted cell may hold line breaks; its line counts where it begins.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield RosterProblem(number, None, f"its quotation marks do not pair up ({error})")
            continue
        if any(map(str.strip, cells)):
            yield number, cells


def _records(
    columns: Sequence[str], lines: Iterator[_Line | RosterProblem]
) -> Iterator[Record | RosterProblem]:
    for line in lines:
        if isinstance(line, RosterProblem):
            yield line
            continue
        number, cells = line
        if any(map(str.strip, cells[len(columns) :])):
            yield RosterProblem(
                number, None, f"{len(cells)} cells under {len(columns)} columns: quote the commas"
            )
        else:
            filled = zip(columns, cells, strict=False)
            yield Record(number, {column: text for column, text in filled if text.strip()})
