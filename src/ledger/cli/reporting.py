"""`--report FILE`: what is wrong in a file of lines, as a table to work through.

    line,column,problem

One row a problem, and none when all is well. A spreadsheet opens it: UTF-8 with a byte
order mark, and no cell that would be calculated. A report replaces a report, and no other
file, so that a slip of the hand destroys nothing.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ledger.cli.files import write_file
from ledger.credentials.plain_text import spreadsheet_safe, visible
from ledger.errors import ConflictError, MalformedInputError

if TYPE_CHECKING:
    from ledger.credentials.problems import LineProblem

COLUMNS: Final = ("line", "column", "problem")

ReportFile = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="Write every problem to this CSV file."),
]


@contextmanager
def reporting(report: Path | None) -> Iterator[None]:
    """Write to `report` what a LinesError from inside the block says, or that all is well.

    Raises:
        ConflictError: there is a file of this name, and it is no report; or it cannot be
            written.

    """
    from ledger.credentials.problems import LinesError

    if report is None:
        yield
        return
    _check_replaceable(report)
    try:
        yield
    except LinesError as error:
        write_file(report, format_report(error.problems))
        raise
    write_file(report, format_report(()))


def format_report(problems: Iterable["LineProblem"]) -> bytes:
    """Return the bytes of the report of `problems`."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for problem in problems:
        cells = (str(problem.line), problem.column or "", problem.message)
        writer.writerow(spreadsheet_safe(visible(cell)) for cell in cells)
    return text.getvalue().encode("utf-8-sig")


def _check_replaceable(report: Path) -> None:
    header = format_report(())
    try:
        with report.open("rb") as file:
            found = file.read(len(header))
    except FileNotFoundError:
        return
    except OSError as error:
        raise MalformedInputError("unreadable", f"{report}: {error.strerror}") from None
    if found not in (header, b""):
        raise ConflictError("not-a-report", f"{report} is there and is no report: name another")
