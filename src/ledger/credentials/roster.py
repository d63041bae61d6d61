"""Who gets a badge: the rows of a roster, checked all at once.

A reader of some file format (`ledger.credentials.roster_csv`) hands over records; what a
record may say, and how records fit together, is decided here for every format. All
problems are found in one pass, each with its line and column, so that a roster is
repaired once.

A row's identity is SHA-256(JCS([issuer's DID, template digest in hex, normalised row])).
It is unique in a database: issuing the same roster twice issues once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ledger.credentials.canonical import canonical_bytes
from ledger.credentials.roster_cells import COLUMNS, BadCellError, read_cell
from ledger.errors import MalformedInputError
from ledger.primitives import Hash32, sha256

MAX_ROWS: Final = 100_000
"""Ours: a hundred thousand badges are issued from memory; a longer roster is cut in files."""

MAX_PROBLEMS: Final = 200
"""Ours: nobody reads more, and a wrong column makes one for every row."""

REQUIRED: Final = "name"


@dataclass(frozen=True, slots=True)
class RosterProblem:
    """One thing to repair in a roster."""

    line: int
    """From 1; where the record begins."""
    column: str | None
    """None when the whole line, or the file, is meant."""
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}" + (f", column {self.column}" if self.column else "")
        return f"{place}: {self.message}"


class RosterError(MalformedInputError):
    """A roster that cannot be issued from, with everything that is wrong in it."""

    def __init__(self, problems: Iterable[RosterProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        """In the order of the lines, at most about `MAX_PROBLEMS`."""
        shown = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__("bad-roster", f"the roster has problems:\n{shown}")


@dataclass(frozen=True, slots=True)
class Record:
    """What a reader found of one learner: the cells that are not empty, by column."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One learner's award, every text in its normal form."""

    line: int
    """Where it stands in the roster, for messages; no part of what it says."""
    name: str
    email: str | None = None
    learner_id: str | None = None
    awarded: str | None = None
    """The day it was earned, as 2026-09-30."""
    started: str | None = None
    ended: str | None = None
    score: str | None = None
    """A decimal number with a point."""
    credits: str | None = None
    """A decimal number with a point, above 0."""

    def normalised(self) -> dict[str, str]:
        """Return what the row says: its columns that are not empty.

        Empty ones are left out so that a column added one day changes no identity.
        """
        cells = {column: getattr(self, column) for column in COLUMNS}
        return {column: text for column, text in cells.items() if text is not None}


def row_identity(issuer_did: str, template_digest: Hash32, row: Row) -> Hash32:
    """Return what tells this award from every other of this issuer and template."""
    return sha256(canonical_bytes([issuer_did, template_digest.hex(), row.normalised()]))


def check_columns(columns: Iterable[str], line: int) -> list[RosterProblem]:
    """Return what is wrong with the columns a roster names in `line`."""
    named = list(columns)
    problems = [
        RosterProblem(line, column[:40], f"no such column; there are {', '.join(COLUMNS)}")
        for column in named
        if column not in COLUMNS
    ]
    problems += [
        RosterProblem(line, column, "stands twice") for column in COLUMNS if named.count(column) > 1
    ]
    if REQUIRED not in named:
        problems.append(RosterProblem(line, REQUIRED, "is missing; every roster has it"))
    return problems


def read_rows(records: Iterable[Record | RosterProblem]) -> tuple[Row, ...]:
    """Return the rows of a roster, in its order; never none.

    A reader gives a problem in place of a record that it cannot cut into cells.

    Raises:
        RosterError: something is wrong; every problem of every line is in it.

    """
    reading = _Reading()
    for record in records:
        reading.add(record)
        if reading.is_enough(record.line):
            break
    if not reading.rows and not reading.problems:
        reading.problems.append(RosterProblem(1, None, "there is no learner in it"))
    if reading.problems:
        raise RosterError(reading.problems)
    return tuple(reading.rows)


class _Reading:
    """The rows and problems found so far, and which learners were met where."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.problems: list[RosterProblem] = []
        self._lines: dict[tuple[str, str], int] = {}

    def add(self, record: Record | RosterProblem) -> None:
        """Read one record."""
        if isinstance(record, RosterProblem):
            self.problems.append(record)
            return
        cells, problems = _read_cells(record)
        problems += _check_days(record.line, cells)
        if not problems:
            row = Row(line=record.line, **cells)
            problems += self._check_new(row)
            self.rows.append(row)
        self.problems += problems

    def is_enough(self, line: int) -> bool:
        """Return whether reading must end at `line`, and note why."""
        if len(self.rows) > MAX_ROWS:
            self.problems.append(
                RosterProblem(line, None, f"more than {MAX_ROWS} learners: cut the roster in files")
            )
        elif len(self.problems) >= MAX_PROBLEMS:
            self.problems.append(RosterProblem(line, None, "the rest was not read"))
        else:
            return False
        return True

    def _check_new(self, row: Row) -> list[RosterProblem]:
        return [
            RosterProblem(row.line, column, f"the same learner as in line {line}{advice}")
            for column, value, advice in _learner_keys(row)
            if (line := self._lines.setdefault((column, value), row.line)) != row.line
        ]


def _learner_keys(row: Row) -> Iterator[tuple[str, str, str]]:
    """Give what names the learner, each as (column, value, advice when it is met twice)."""
    if row.learner_id:
        yield "learner_id", row.learner_id, ""
    if row.email:
        yield "email", row.email.casefold(), ""
    if not row.learner_id and not row.email:
        yield "name", row.name.casefold(), ": if it is another, add their e-mail or learner_id"


def _read_cells(record: Record) -> tuple[dict[str, str], list[RosterProblem]]:
    cells: dict[str, str] = {}
    problems = []
    if REQUIRED not in record.cells:
        problems.append(RosterProblem(record.line, REQUIRED, "is empty"))
    for column, text in record.cells.items():
        try:
            cells[column] = read_cell(column, text)
        except BadCellError as error:
            problems.append(RosterProblem(record.line, column, error.message))
    return cells, problems


def _check_days(line: int, cells: Mapping[str, str]) -> list[RosterProblem]:
    started, ended = cells.get("started"), cells.get("ended")
    if started is None or ended is None or started <= ended:
        return []
    return [RosterProblem(line, "ended", f"{ended} is before `started`, {started}")]
