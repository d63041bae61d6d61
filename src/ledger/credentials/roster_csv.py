"""Rosters as CSV, the way spreadsheets write it.

UTF-8, with or without a byte order mark. The first line that is not empty names the
columns, in any order and case. Cells are separated by commas, or by semicolons or tabs
when the first line has more of those (a French Excel writes semicolons). Lines whose
cells are all empty are passed over. A byte that is not UTF-8 is a problem of its cell.

Source: RFC 4180.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from ledger.credentials.problems import LineProblem
from ledger.credentials.roster import (
    Record,
    RosterError,
    Row,
    ScoreCheck,
    check_columns,
    check_file,
    read_rows,
)
from ledger.credentials.roster_cells import COLUMNS

_SEPARATORS: Final = ",;\t"
"""The first wins a draw."""

MAX_LINE_CHARACTERS: Final = 128 << 10
"""Ours: as many as Python's reader takes in one cell; every column at its longest has 4,500."""

_ADVICE: Final = "check the quotation marks"

_Line = tuple[int, list[str]]
"""The number of a line from 1, and its cells."""


def read_csv(data: bytes, *, check_score: ScoreCheck = lambda _score: None) -> tuple[Row, ...]:
    """Return the rows of a CSV roster, in its order; never none.

    Raises:
        MalformedInputError: more than what a roster may have.
        RosterError: something is wrong in it; every problem is named with its place.

    """
    check_file(data)
    lines = _read_lines(data.decode("utf-8-sig", "surrogateescape"))
    header = next(lines, LineProblem(1, None, "the file is empty"))
    if isinstance(header, LineProblem):
        raise RosterError([header])
    number, cells = header
    columns = _column_names(cells)
    problems = check_columns(columns, number)
    return read_rows(_records(columns, lines), check_score=check_score, problems=problems)


def _column_names(cells: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    # Spreadsheets end lines with separators of columns that were emptied.
    while not names[-1]:
        names.pop()
    return names


def _separator(text: str) -> str:
    header = text.lstrip().partition("\n")[0]
    return max(_SEPARATORS, key=header.count)


def _read_lines(text: str) -> Iterator[_Line | LineProblem]:
    """Give every line that has a cell which is not empty.

    A quoted cell may hold line breaks; its line counts where it begins.
    """
    reader = csv.reader(_bounded(text), delimiter=_separator(text), strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield LineProblem(number, None, f"cannot be cut into cells: {error}; {_ADVICE}")
            continue
        if any(map(str.strip, cells)):
            yield number, cells


def _bounded(text: str) -> Iterator[str]:
    """Give the lines of `text`; a hostile one could be cut into millions of cells."""
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        if len(line) > MAX_LINE_CHARACTERS:
            message = f"has {len(line)} characters; at most {MAX_LINE_CHARACTERS} are read"
            raise RosterError([LineProblem(number, None, message)])
        yield line


def _records(
    columns: Sequence[str], lines: Iterator[_Line | LineProblem]
) -> Iterator[Record | LineProblem]:
    for line in lines:
        if isinstance(line, LineProblem):
            yield line
            continue
        number, cells = line
        if any(map(str.strip, cells[len(columns) :])):
            yield LineProblem(
                number, None, f"{len(cells)} cells under {len(columns)} columns; {_ADVICE}"
            )
        else:
            filled = zip(columns, cells, strict=False)
            yield Record(
                number,
                {column: text for column, text in filled if column in COLUMNS and text.strip()},
            )
