"""Who gets a badge: the rows of a roster, checked all at once.

A reader of some file format (`ledger.credentials.roster_csv`, `roster_jsonl`) hands over
records; what a record may say, and how records fit together, is decided here for every
format. All problems are found in one pass, each with its line and column, so that a roster
is repaired once.

A row's identity is SHA-256(JCS([issuer's DID, template digest in hex, normalised row])).
It is unique in a database: issuing the same roster twice issues once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.credentials.canonical import canonical_bytes
from ledger.credentials.problems import MAX_PROBLEMS, LineProblem, LinesError
from ledger.credentials.roster_cells import COLUMNS, BadCellError, read_cell
from ledger.errors import MalformedInputError
from ledger.primitives import Hash32, sha256

MAX_ROWS: Final = 100_000
"""Ours: a hundred thousand badges are issued from memory; a longer roster is cut in files."""

MAX_ROSTER_BYTES: Final = 400 * MAX_ROWS
"""Ours: 400 bytes for each of `MAX_ROWS`; a row with every column has some 200."""

MAX_COLUMNS: Final = 100
"""Ours: with more, something else than a roster was cut at its commas."""

REQUIRED: Final = "name"


class RosterError(LinesError):
    """A roster that cannot be issued from; nothing is issued."""

    def __init__(self, problems: Iterable[LineProblem]) -> None:
        super().__init__("bad-roster", "the roster", problems)


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


def check_file(data: bytes) -> None:
    """Return when `data` may be the bytes of a roster.

    Raises:
        MalformedInputError: more than `MAX_ROSTER_BYTES`.
        RosterError: it is UTF-16 or UTF-32, where no cell can be named.

    """
    if len(data) > MAX_ROSTER_BYTES:
        raise MalformedInputError(
            "too-large", f"{len(data)} bytes; a roster has at most {MAX_ROSTER_BYTES}"
        )
    # With or without a byte order mark, their first ASCII character has a zero beside it.
    if b"\0" in data[:4]:
        raise RosterError([LineProblem(1, None, "this is UTF-16 or no text: save it as UTF-8")])


ScoreCheck = Callable[[str], str | None]
"""Returns why a score, in its normal form, does not fit what is issued; None when it does."""


def check_columns(columns: Sequence[str], line: int) -> list[LineProblem]:
    """Return what is wrong with the columns that a roster names in `line`.

    Raises:
        RosterError: they are not worth reading on: `name` is missing, or they are too many.

    """
    if len(columns) > MAX_COLUMNS:
        raise RosterError([LineProblem(line, None, f"{len(columns)} columns: this is no roster")])
    problems = [
        LineProblem(line, column[:40], f"no such column; there are {', '.join(COLUMNS)}")
        for column in columns
        if column not in COLUMNS
    ]
    problems += [
        LineProblem(line, column, "stands twice") for column in COLUMNS if columns.count(column) > 1
    ]
    if REQUIRED not in columns:
        problems.append(LineProblem(line, REQUIRED, "is missing; every roster has it"))
        raise RosterError(problems)
    return problems


def read_rows(
    records: Iterable[Record | LineProblem],
    *,
    check_score: ScoreCheck = lambda _score: None,
    problems: Iterable[LineProblem] = (),
) -> tuple[Row, ...]:
    """Return the rows of a roster, in its order; never none.

    A reader gives a problem in place of a record that it cannot cut into cells, and in
    `problems` what was wrong before the first record.

    Raises:
        RosterError: something is wrong; every problem of every line is in it.

    """
    reading = _Reading(check_score, problems)
    for record in records:
        reading.add(record)
        if reading.is_enough(record.line):
            break
    if not reading.rows and not reading.problems:
        reading.problems.append(LineProblem(1, None, "there is no learner in it"))
    if reading.problems:
        raise RosterError(reading.problems)
    return tuple(reading.rows)


class _Reading:
    """The rows and problems found so far, and which learners were met where."""

    def __init__(self, check_score: ScoreCheck, problems: Iterable[LineProblem]) -> None:
        self.rows: list[Row] = []
        self.problems = list(problems)
        self._check_score = check_score
        self._lines: dict[tuple[str, str], int] = {}

    def add(self, record: Record | LineProblem) -> None:
        """Read one record."""
        if isinstance(record, LineProblem):
            self.problems.append(record)
            return
        cells, problems = _read_cells(record)
        problems += _check_days(record.line, cells)
        if "score" in cells and (wrong := self._check_score(cells["score"])):
            problems.append(LineProblem(record.line, "score", wrong))
        if not problems:
            row = Row(line=record.line, **cells)
            problems += self._check_new(row)
            self.rows.append(row)
        self.problems += problems

    def is_enough(self, line: int) -> bool:
        """Return whether reading must end at `line`, and note why."""
        if len(self.rows) > MAX_ROWS:
            self.problems.append(
                LineProblem(line, None, f"more than {MAX_ROWS} learners: cut the roster in files")
            )
        elif len(self.problems) >= MAX_PROBLEMS:
            self.problems.append(LineProblem(line, None, "the rest was not read"))
        else:
            return False
        return True

    def _check_new(self, row: Row) -> list[LineProblem]:
        return [
            LineProblem(row.line, column, f"the same learner as in line {line}{advice}")
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


def _read_cells(record: Record) -> tuple[dict[str, str], list[LineProblem]]:
    cells: dict[str, str] = {}
    problems = []
    if REQUIRED not in record.cells:
        problems.append(LineProblem(record.line, REQUIRED, "is empty"))
    for column, text in record.cells.items():
        try:
            cells[column] = read_cell(column, text)
        except BadCellError as error:
            problems.append(LineProblem(record.line, column, error.message))
    return cells, problems


def _check_days(line: int, cells: Mapping[str, str]) -> list[LineProblem]:
    started, ended = cells.get("started"), cells.get("ended")
    if started is None or ended is None or started <= ended:
        return []
    return [LineProblem(line, "ended", f"{ended} is before `started`, {started}")]
