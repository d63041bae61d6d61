"""The backup file `ledger-backup/1`: a ZIP archive with a manifest and sums.

    manifest.json         what this is, when and of what it was made; rows, bytes and SHA-256
                          of every other entry
    tables/NAME.jsonl     one JSON array a row, in the order of the manifest's columns
    files/PATH            keystore, policy and settings, as they are in the installation

In a row, bytes are `{"utf8": TEXT}` or `{"hex": DIGITS}`, and JSON is `{"json": VALUE}`. The
file says nothing of the kind of database it came from, so it goes into either. Every sum is
checked before anything is restored.

docs/reference/backup.md is the reference.
"""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Final

from ledger import strict_json
from ledger.errors import MalformedInputError

FORMAT: Final = "ledger-backup/1"
MANIFEST: Final = "manifest.json"
MAX_MANIFEST_BYTES: Final = 2**20
MAX_FILE_BYTES: Final = 2**24
MAX_ROW_BYTES: Final = 64 * 2**20
"""No row of ours comes near it."""

_TABLE: Final = re.compile(r"tables/([a-z_]{1,63})\.jsonl")
_FILE: Final = re.compile(r"files/((?:keystore/)?[a-z][a-z0-9.-]{0,63})")

_SHORTEST_TEXT: Final = 65
"""Bytes from this length on are tried as text; shorter ones are hashes and addresses."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in the archive."""

    name: str
    bytes: int
    sha256: str
    rows: int | None = None
    """Of a table."""
    columns: list[str] | None = None
    """Of a table."""

    @property
    def table(self) -> str | None:
        """Return the name of the table that is in it."""
        found = _TABLE.fullmatch(self.name)
        return found[1] if found else None

    @property
    def file(self) -> str | None:
        """Return the path of the file, in the installation, that is in it."""
        found = _FILE.fullmatch(self.name)
        return found[1] if found else None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself."""

    made_at: int
    """Unix seconds, before the database was read."""
    release: str
    schema: str
    """The version of the tables."""
    entries: list[Entry]
    format: str = FORMAT


def table_entry(table: str) -> str:
    """Return where the rows of a table are."""
    return f"tables/{table}.jsonl"


def file_entry(path: str) -> str:
    """Return where a file of the installation is."""
    return f"files/{path}"


def format_manifest(manifest: Manifest) -> str:
    """Write a manifest as JSON."""
    return json.dumps(asdict(manifest), indent=1)


def parse_manifest(text: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        MalformedInputError: it is none, or names entries that a backup does not have.

    """
    try:
        found = strict_json.parse(text, max_bytes=MAX_MANIFEST_BYTES)
        manifest = Manifest(**{**found, "entries": [Entry(**e) for e in found["entries"]]})
    except (KeyError, TypeError, MalformedInputError):
        raise _bad_manifest("is none") from None
    if manifest.format != FORMAT:
        raise _bad_manifest(f"says another format than {FORMAT}")
    if not _is_sound(manifest):
        raise _bad_manifest("has a value of another type")
    return manifest


def _bad_manifest(why: str) -> MalformedInputError:
    return MalformedInputError("bad-backup", f"the backup's manifest {why}")


def _is_sound(manifest: Manifest) -> bool:
    return (
        type(manifest.made_at) is int
        and isinstance(manifest.release, str)
        and isinstance(manifest.schema, str)
        and all(map(_is_sound_entry, manifest.entries))
    )


def _is_sound_entry(entry: Entry) -> bool:
    if not isinstance(entry.name, str) or type(entry.bytes) is not int or entry.bytes < 0:
        return False
    if entry.table is None:
        return entry.file is not None and entry.bytes <= MAX_FILE_BYTES
    return isinstance(entry.columns, list) and all(isinstance(c, str) for c in entry.columns)


def format_row(row: tuple[Any, ...]) -> bytes:
    """Write a row as one line of JSON."""
    import orjson

    return orjson.dumps([_format_value(value) for value in row]) + b"\n"


def parse_row(line: bytes, columns: list[str]) -> list[Any]:
    """Read what `format_row` wrote.

    Raises:
        MalformedInputError: it is no row of these columns.

    """
    import orjson

    try:
        row = [_parse_value(value) for value in orjson.loads(line)]
    except (ValueError, TypeError):
        row = []
    if len(row) != len(columns):
        raise MalformedInputError("bad-backup", "a row of the backup cannot be read")
    return row


def _format_value(value: object) -> object:
    if isinstance(value, (list, dict)):
        return {"json": value}
    if not isinstance(value, bytes):
        return value
    if len(value) >= _SHORTEST_TEXT:
        try:
            return {"utf8": value.decode("utf-8")}
        except UnicodeDecodeError:
            pass
    return {"hex": value.hex()}


def _parse_value(value: object) -> object:
    match value:
        case {"hex": str(digits)}:
            return bytes.fromhex(digits)
        case {"utf8": str(text)}:
            return text.encode("utf-8")
        case {"json": found}:
            return found
        case None | bool() | int() | str():
            return value
    raise ValueError
