"""What is wrong in a file of many lines: all of it, each thing with its place.

A file is repaired once, so whoever reads one goes on after a problem and raises one error
with all of them. The error's message shows a screenful; its `problems` are for a report.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.credentials.plain_text import visible
from ledger.errors import MalformedInputError

MAX_PROBLEMS: Final = 10_000
"""Ours: a wrong column makes one for every line, and nobody repairs more by hand."""

SHOWN_PROBLEMS: Final = 20
"""Ours: what a terminal shows without scrolling."""


@dataclass(frozen=True, slots=True)
class LineProblem:
    """One thing to repair."""

    line: int
    """From 1; where the record begins."""
    column: str | None
    """None when the whole line, or the file, is meant."""
    message: str

    def __str__(self) -> str:
        column = "" if self.column is None else f", column {visible(self.column)}"
        return f"line {self.line}{column}: {self.message}"


class LinesError(MalformedInputError):
    """A file that cannot be used, with everything that is wrong in its lines."""

    def __init__(self, code: str, what: str, problems: Iterable[LineProblem]) -> None:
        """Make the error of `what`, the file in the words of its user."""
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        """In the order of the lines, at most about `MAX_PROBLEMS`."""
        more = "; --report FILE lists them all"
        super().__init__(code, describe_problems(what, self.problems, more))


def describe_problems(what: str, problems: Sequence[object], more: str = "") -> str:
    """Return how many problems `what` has, and below it the first ones, each on a line.

    `more` says where the others are, if there are others.
    """
    count = f"{len(problems)} problems" if len(problems) > 1 else "a problem"
    lines = [f"{what} has {count}:", *(f"  {one}" for one in problems[:SHOWN_PROBLEMS])]
    if len(problems) > SHOWN_PROBLEMS:
        lines.append(f"  and {len(problems) - SHOWN_PROBLEMS} more{more}")
    return "\n".join(lines)
