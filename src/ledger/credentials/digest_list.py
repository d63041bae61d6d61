"""Digests made elsewhere, in a file: 64 lower-case hex digits a line, and nothing else.

A line ends with a line feed, perhaps after a carriage return; the last one need not. A byte
order mark at the beginning is passed over. Nothing else is: the ids that come back stand in
the order of the lines.

The file is read twice, first to name every bad line and then to accept, and never held in
memory.
"""

import codecs
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from ledger.credentials.problems import MAX_PROBLEMS, LineProblem, LinesError
from ledger.errors import MalformedInputError
from ledger.primitives import Hash32, hash32

MAX_DIGESTS: Final = 10_000_000
"""Ours: one database transaction holds them all."""

_LINE_BYTES: Final = 256
"""What is read of one line: enough to show what is wrong with it."""

_MAX_SKIPPED: Final = 1 << 16
"""Ours: pieces of `_LINE_BYTES`, 16 MiB in all, after which a line is taken for endless."""


class DigestListError(LinesError):
    """A list of digests with lines that are none; nothing is accepted."""

    def __init__(self, problems: Iterable[LineProblem]) -> None:
        super().__init__("bad-digests", "the list of digests", problems)


def check_digests(file: BinaryIO) -> int:
    """Return how many digests `file`, a seekable one, has.

    Raises:
        DigestListError: lines that are no digest, none at all, or more than `MAX_DIGESTS`.

    """
    count, problems = 0, []
    for number, found in _read_lines(file):
        count = number
        if isinstance(found, LineProblem):
            problems.append(found)
        if number > MAX_DIGESTS:
            problems.append(LineProblem(number, None, f"more than {MAX_DIGESTS} digests: cut it"))
            break
        if len(problems) >= MAX_PROBLEMS:
            problems.append(LineProblem(number, None, "the rest was not read"))
            break
    if not count:
        problems.append(LineProblem(1, None, "there is no digest in it"))
    if problems:
        raise DigestListError(problems)
    return count


def read_digests(file: BinaryIO) -> Iterator[Hash32]:
    """Give the digests of a file that `check_digests` found good, in order.

    Raises:
        DigestListError: the file is another by now.

    """
    for _number, found in _read_lines(file):
        if isinstance(found, LineProblem):
            raise DigestListError([found])
        yield found


def _read_lines(file: BinaryIO) -> Iterator[tuple[int, Hash32 | LineProblem]]:
    file.seek(0)
    number = 0
    while line := file.readline(_LINE_BYTES):
        number += 1
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        yield number, _read_line(number, line)
        _skip_rest(file, number, line)


def _skip_rest(file: BinaryIO, number: int, line: bytes) -> None:
    """Read on to the end of a line of which `line` was read; it may be a device without one."""
    for _ in range(_MAX_SKIPPED):
        if len(line) < _LINE_BYTES or line.endswith(b"\n"):
            return
        line = file.readline(_LINE_BYTES)
    raise DigestListError([LineProblem(number, None, "does not end: this is no list of digests")])


def _read_line(number: int, line: bytes) -> Hash32 | LineProblem:
    text = line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "backslashreplace")
    try:
        return hash32(text)
    except MalformedInputError as error:
        return LineProblem(number, None, error.message if text else "is empty")
