"""Rosters as JSON lines: one object a line, with the columns of the CSV as its members.

    {"name": "Zoé Lefèvre", "email": "zoe@example.org", "score": 87.5}

Strict JSON in UTF-8. A value is a text; `score` and `credits` may be numbers. `null` and
`""` are an empty cell. Lines without anything in them are passed over.

Source: jsonlines.org, RFC 7493 (I-JSON).
"""

import codecs
import io
from collections.abc import Iterator, Sequence
from typing import Final

from ledger import strict_json
from ledger.credentials.problems import LineProblem
from ledger.credentials.roster import Record, Row, ScoreCheck, check_file, read_rows
from ledger.credentials.roster_cells import COLUMNS
from ledger.errors import MalformedInputError

MAX_LINE_BYTES: Final = 64 << 10
"""Ours: room for every column at its longest, in JSON's escapes."""

_NUMBERS: Final = ("score", "credits")


def read_json_lines(
    data: bytes, *, check_score: ScoreCheck = lambda _score: None
) -> tuple[Row, ...]:
    """Return the rows of a roster in JSON lines, in its order; never none.

    Raises:
        MalformedInputError, RosterError: as `read_csv`.

    """
    check_file(data)
    return read_rows(_records(data.removeprefix(codecs.BOM_UTF8)), check_score=check_score)


def read_objects(
    objects: Sequence[object], *, check_score: ScoreCheck = lambda _score: None
) -> tuple[Row, ...]:
    """Return the rows that parsed JSON objects are, as if each stood in a line of its own.

    Raises:
        RosterError: as `read_json_lines`.

    """
    records = (record for n, found in enumerate(objects, 1) for record in _read_object(n, found))
    return read_rows(records, check_score=check_score)


def _records(data: bytes) -> Iterator[Record | LineProblem]:
    # Only at line feeds: a text may hold the other line breaks that Python would split at.
    for number, line in enumerate(io.BytesIO(data), 1):
        if not line.strip():
            continue
        try:
            found = strict_json.parse(line, max_bytes=MAX_LINE_BYTES)
        except strict_json.NotJsonError as error:
            yield LineProblem(
                number, None, f"not JSON at character {error.character}: {error.reason}"
            )
        except MalformedInputError as error:
            yield LineProblem(number, None, error.message)
        else:
            yield from _read_object(number, found)


def _read_object(number: int, found: object) -> Iterator[Record | LineProblem]:
    if not isinstance(found, dict):
        yield LineProblem(number, None, "is no object: write one learner a line, in braces")
        return
    cells = {}
    for column, value in found.items():
        if column not in COLUMNS:
            yield LineProblem(
                number, column[:40], f"no such column; there are {', '.join(COLUMNS)}"
            )
        elif isinstance(value, str):
            cells[column] = value
        elif column in _NUMBERS and type(value) in (int, float):
            cells[column] = str(value)
        elif value is not None:
            yield LineProblem(number, column, "is not a text in quotation marks")
    yield Record(number, {column: text for column, text in cells.items() if text.strip()})
