"""A roster in a file: which reader reads it follows from the file's name.

.jsonl .ndjson    JSON lines
anything else     CSV
"""

from pathlib import Path
from typing import Final

from ledger.credentials.roster import Row
from ledger.credentials.roster_csv import read_csv
from ledger.credentials.roster_jsonl import read_json_lines
from ledger.credentials.template import Template

JSON_LINES_SUFFIXES: Final = (".jsonl", ".ndjson")


def read_roster(data: bytes, name: str, template: Template) -> tuple[Row, ...]:
    """Return the rows in the bytes of the file `name`, all of them fit for `template`.

    Raises:
        MalformedInputError, RosterError: as `read_csv`.

    """
    is_json = Path(name).suffix.lower() in JSON_LINES_SUFFIXES
    read = read_json_lines if is_json else read_csv
    return read(data, check_score=template.score_problem)
