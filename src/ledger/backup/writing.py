"""Write a backup file so that there is a whole one under its name, or none."""

import hashlib
import os
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ledger.backup.archive import (
    MANIFEST,
    Entry,
    Manifest,
    file_entry,
    format_manifest,
    format_row,
    table_entry,
)
from ledger.errors import ConflictError


class BackupWriter:
    """Writes an archive from first to last byte; nothing is there under its name before."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._entries: list[Entry] = []

    def add_rows(self, table: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
        """Write the rows of a table."""
        count, name = 0, table_entry(table)
        with self._open(name) as entry:
            for row in rows:
                entry.write(format_row(row))
                count += 1
        self._entries.append(Entry(name, entry.size, entry.sum.hexdigest(), count, columns))

    def add_file(self, path: str, content: bytes) -> None:
        """Write a file of the installation."""
        name = file_entry(path)
        with self._open(name) as entry:
            entry.write(content)
        self._entries.append(Entry(name, entry.size, entry.sum.hexdigest()))

    def finish(self, *, made_at: int, release: str, schema: str) -> Manifest:
        """Write the manifest."""
        manifest = Manifest(made_at, release, schema, self._entries)
        self._archive.writestr(MANIFEST, format_manifest(manifest))
        return manifest

    @contextmanager
    def _open(self, name: str) -> Iterator["_Summed"]:
        with self._archive.open(name, "w", force_zip64=True) as file:
            yield _Summed(file)


class _Summed:
    """A file that is summed while it is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = 0
        self.sum = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)
        self.sum.update(data)


@contextmanager
def new_backup(path: Path) -> Iterator[BackupWriter]:
    """Write a backup that is at `path` when the block has ended well, whole and on disk.

    Raises:
        ConflictError: `path` is there already, or cannot be written.

    """
    if path.exists():
        raise ConflictError("backup-exists", f"{path} is there: no backup is overwritten")
    beside = path.with_name(path.name + ".part")
    try:
        # Keys are in it, encrypted: nobody else reads it, from the first byte on.
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConflictError(
            "backup-exists", f"{beside} is there: another backup runs, or was cut short; remove it"
        ) from None
    except OSError as error:
        raise ConflictError("backup-unwritable", f"{beside}: {error.strerror}") from None
    try:
        with (
            os.fdopen(descriptor, "wb") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        ):
            yield BackupWriter(archive)
            archive.close()
            file.flush()
            os.fsync(file.fileno())
        _publish(beside, path)
    except OSError as error:
        raise ConflictError("backup-unwritable", f"{beside}: {error.strerror}") from None
    finally:
        beside.unlink(missing_ok=True)


def _publish(beside: Path, path: Path) -> None:
    """Give a finished file its name, for good."""
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
