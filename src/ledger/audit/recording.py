"""Logs in a file: what `audit export` writes, `--logs` reads, and `--cursor` goes on from.

One JSON object a line:

    {"format": "ledger-logs/1", "chain": "eip155:1", "registry": "0x..."}     first
    {"address": ..., "topics": ..., "data": ..., "blockNumber": ..., ...}      a log, as
                                                                    eth_getLogs answers it
    {"through": 123, "hash": "0x..."}      every log up to this block stands above
    {"through": 123, "hash": "0x...", "proved": true}        ... and the heads agreed

Only the logs are needed: what `jq -c '.result[]'` makes of a node's answer is a recording
too. Nothing in it is believed, so it may come from anywhere; the heads decide.

Logs are on disk before the mark that ends them is written, and what stands behind the last
mark does not count, so that whoever writes one may die at any byte.

docs/reference/audit.md describes the format for others.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

from ledger.chain.logs import format_log, parse_log
from ledger.chain.registry.events import Log
from ledger.chain.state import Block
from ledger.errors import ChainError, ConflictError, MalformedInputError
from ledger.primitives import (
    Address,
    Hash32,
    format_address,
    format_chain,
    parse_address,
    parse_chain,
    prefixed_hash32,
)

FORMAT: Final = "ledger-logs/1"

MAX_LINE_BYTES: Final = 16_384
"""Ours: a log with the longest DID, 2,048 bytes, has about 6,000."""


@dataclass(frozen=True, slots=True)
class Header:
    """Whose logs a recording says it holds."""

    chain: int
    registry: Address


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to which block a recording says it is whole."""

    through: int
    hash: Hash32
    proved: bool
    offset: int
    """Of the byte after its line."""


_MARK_BEGINS: Final = b'{"through":'
"""How `Recorder` writes a mark."""

Line = Header | Log | Mark


def read_recording(path: Path) -> Iterator[Line]:
    """Give the lines of a recording, one at a time.

    Raises:
        MalformedInputError: the file is missing or unreadable (`no-file`, `unreadable`), or a
            line is not what the module says (`bad-recording`).

    """
    offset = 0
    with _opened(path) as file:
        lines = iter(lambda: file.readline(MAX_LINE_BYTES + 1), b"")
        for number, text in enumerate(lines, start=1):
            offset += len(text)
            yield _parse_line(text, offset, f"{path} line {number}")


def read_marks(path: Path) -> tuple[Header, list[Mark]]:
    """Return the header and the marks of a recording that `Recorder` wrote.

    Raises:
        MalformedInputError: as `read_recording`, or it begins with no header.

    """
    marks: list[Mark] = []
    with _opened(path) as file:
        first = file.readline(MAX_LINE_BYTES + 1)
        header = _parse_line(first, len(first), f"{path} line 1")
        if not isinstance(header, Header):
            raise _bad(str(path), "it does not begin with a header: name another file")
        offset = len(first)
        for text in iter(lambda: file.readline(MAX_LINE_BYTES + 1), b""):
            offset += len(text)
            if text.startswith(_MARK_BEGINS) and text.endswith(b"\n"):
                mark = _parse_line(text, offset, f"{path} byte {offset}")
                assert isinstance(mark, Mark)  # noqa: S101 - by how it begins
                marks.append(mark)
    return header, marks


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise MalformedInputError("no-file", f"there is no file {path}") from None
    except OSError as error:
        raise MalformedInputError("unreadable", f"{path}: {error.strerror}") from None


def _parse_line(text: bytes, offset: int, where: str) -> Line:
    import orjson

    if len(text) > MAX_LINE_BYTES:
        raise _bad(where, f"longer than {MAX_LINE_BYTES} bytes")
    try:
        # A member that stands twice could hide nothing: what a log says is proved by the heads.
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _bad(where, "no JSON object") from None
    if not isinstance(value, dict):
        raise _bad(where, "no JSON object")
    try:
        if "topics" in value:
            if value.get("removed"):
                raise MalformedInputError("bad-recording", "a log that was reorganised away")
            return parse_log(value)
        if "through" in value:
            return _mark(value, offset)
        return _header(value)
    except (ChainError, MalformedInputError, KeyError, TypeError) as error:
        why = error.message if isinstance(error, ChainError | MalformedInputError) else "members"
        raise _bad(where, f"neither header, log nor mark: {why}") from None


def _mark(value: dict[str, Any], offset: int) -> Mark:
    through, proved = value["through"], value.get("proved", False)
    if type(through) is not int or through < 0 or not isinstance(proved, bool):
        raise TypeError
    return Mark(through, prefixed_hash32(value["hash"]), proved, offset)


def _header(value: dict[str, Any]) -> Header:
    if value["format"] != FORMAT:
        raise TypeError
    return Header(parse_chain(value["chain"]), parse_address(value["registry"]))


def _bad(where: str, what: str) -> MalformedInputError:
    return MalformedInputError("bad-recording", f"{where}: {what}")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConflictError("unwritable", f"{path}: {error.strerror}") from None


class Recorder:
    """Appends to a recording.

    Each method raises a ConflictError (`unwritable`) when the file cannot be written.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file

    @classmethod
    def begin(cls, path: Path, header: Header) -> Self:
        """Begin a new recording in `path`."""
        with _writing(path):
            recorder = cls(path, path.open("wb"))
        chain, registry = format_chain(header.chain), format_address(header.registry)
        recorder._write([{"format": FORMAT, "chain": chain, "registry": registry}])
        recorder._sync()
        return recorder

    @classmethod
    def resume(cls, path: Path, mark: Mark) -> Self:
        """Go on after `mark`; what stands behind it is dropped."""
        with _writing(path):
            file = path.open("r+b")
            file.truncate(mark.offset)
            file.seek(mark.offset)
        return cls(path, file)

    def add(self, logs: Iterable[Log]) -> None:
        """Write logs; they count when `mark` follows."""
        self._write(map(format_log, logs))

    def mark(self, through: Block, *, proved: bool = False) -> Mark:
        """Note, once all logs are on disk, that they are whole up to this block."""
        self._sync()
        value: dict[str, Any] = {"through": through.number, "hash": "0x" + through.hash.hex()}
        self._write([value | ({"proved": True} if proved else {})])
        self._sync()
        return Mark(through.number, through.hash, proved, self._file.tell())

    def close(self) -> None:
        """Close the file."""
        with _writing(self._path):
            self._file.close()

    def _write(self, values: Iterable[dict[str, Any]]) -> None:
        import orjson

        with _writing(self._path):
            for value in values:
                self._file.write(orjson.dumps(value) + b"\n")

    def _sync(self) -> None:
        with _writing(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())
