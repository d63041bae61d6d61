"""Read a backup file, of which nothing is believed before its sums were checked."""

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from ledger.backup.archive import (
    MANIFEST,
    MAX_MANIFEST_BYTES,
    MAX_ROW_BYTES,
    Entry,
    Manifest,
    parse_manifest,
    parse_row,
    table_entry,
)
from ledger.errors import MalformedInputError

_CHUNK_BYTES: Final = 2**20

_UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
)
"""What the standard library raises for an archive that is damaged or made by an enemy."""


class BackupReader:
    """An archive whose manifest was read."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.manifest = self._read_manifest()

    def check(self) -> None:
        """Return when every entry is there, whole, and has its sum, and no other is.

        Raises:
            MalformedInputError: so it is not.

        """
        listed = [entry.name for entry in self.manifest.entries]
        if sorted([*listed, MANIFEST]) != sorted(self._archive.namelist()):
            raise _bad("its entries are not those of its manifest")
        for entry in self.manifest.entries:
            digest, size = hashlib.sha256(), 0
            for chunk in self._chunks(entry):
                digest.update(chunk)
                size += len(chunk)
            if (digest.hexdigest(), size) != (entry.sha256, entry.bytes):
                raise _bad(f"{entry.name} is damaged")

    def find_table(self, name: str) -> Entry | None:
        """Return the entry of a table."""
        wanted = table_entry(name)
        return next((e for e in self.manifest.entries if e.name == wanted), None)

    def read_rows(self, entry: Entry) -> Iterator[list[Any]]:
        """Give the rows of a table.

        Raises:
            MalformedInputError: a row cannot be read.

        """
        columns = entry.columns or []
        with self._archive.open(entry.name) as file:
            while line := file.readline(MAX_ROW_BYTES):
                yield parse_row(line, columns)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Give the installation's files: the path in its folder, and what is in it."""
        for entry in self.manifest.entries:
            if entry.file is not None:
                yield entry.file, self._archive.read(entry.name)

    def _chunks(self, entry: Entry) -> Iterator[bytes]:
        try:
            with self._open(entry.name) as file:
                # What is larger than it says is not read to its end.
                left = entry.bytes + 1
                while left and (chunk := file.read(min(_CHUNK_BYTES, left))):
                    left -= len(chunk)
                    yield chunk
        except _UNREADABLE:
            raise _bad(f"{entry.name} is damaged") from None

    def _open(self, name: str) -> IO[bytes]:
        entry = self._archive.getinfo(name)
        if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise _bad(f"{name} is compressed in another way")
        return self._archive.open(entry)

    def _read_manifest(self) -> Manifest:
        try:
            with self._open(MANIFEST) as file:
                text = file.read(MAX_MANIFEST_BYTES)
        except (KeyError, *_UNREADABLE):
            raise _bad("it has no manifest") from None
        return parse_manifest(text)


@contextmanager
def open_backup(path: Path) -> Iterator[BackupReader]:
    """Open a backup and read its manifest.

    Raises:
        MalformedInputError: there is no such file, or it is no backup.

    """
    if not path.exists():
        raise MalformedInputError("no-file", f"there is no file {path}")
    if not path.is_file():
        # The library would read a stream to its end, and some have none.
        raise _bad(f"{path} is a folder or a stream")
    try:
        archive = zipfile.ZipFile(path)
    except _UNREADABLE:
        raise _bad(f"{path} is none, or is cut short") from None
    with archive:
        yield BackupReader(archive)


def _bad(why: str) -> MalformedInputError:
    return MalformedInputError("bad-backup", f"the backup cannot be used: {why}")
