"""A folder in which every file is whole, whenever its writer dies.

A file grows under a hidden name and takes its own by a rename, so a writer that is killed
leaves at most hidden files, which nobody takes for badges. Files are not synced one by
one: that costs more than making them. `sync` is called once, before the batch is noted as
delivered; when power fails earlier, its files may be missing or empty, and are written
again.
"""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from ledger.errors import ConflictError

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


File = tuple[str, bytes]
"""What is to be written: a name, and what is in it."""


class BadgeFolder:
    """A folder that is being written to; `open_folder` gives one."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        # One name for file after file: a directory that need not grow twice for each is
        # written to in half the time.
        self._part = f".{secrets.token_hex(8)}.part"

    def write(self, name: str, content: bytes) -> None:
        """Add the file `name`, or put it in the place of the one there."""
        file = os.open(self._part, _NEW, 0o666, dir_fd=self._descriptor)
        try:
            written = os.write(file, content)
            while written < len(content):  # The disk is about to be full.
                written += os.write(file, content[written:])
        finally:
            os.close(file)
        os.rename(self._part, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    @contextmanager
    def lines(self, name: str) -> Iterator[TextIO]:
        """Give a text file that is named `name` when the block ends, unless it raises."""
        part = self._path / f"{self._part}.{name}"
        try:
            with part.open("w", encoding="utf-8", newline="") as file:
                yield file
            part.replace(self._path / name)
        finally:
            part.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove what did not become whole."""
        (self._path / self._part).unlink(missing_ok=True)
        os.close(self._descriptor)


@contextmanager
def open_folder(path: Path) -> Iterator[BadgeFolder]:
    """Give the folder `path`, made if there is none.

    Raises:
        ConflictError: `unwritable`: something cannot be written there, as when the disk is
            full.

    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        folder = BadgeFolder(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY))
        try:
            yield folder
        finally:
            folder.close()
    except OSError as error:
        raise ConflictError(
            "unwritable", f"{path}: {error.strerror}: mend that, then run the same again"
        ) from None


def write_files(path: Path, files: Sequence[File]) -> int:
    """Write `files` into the folder `path`, and return their number.

    Raises:
        ConflictError: as `open_folder`.

    """
    with open_folder(path) as folder:
        for name, content in files:
            folder.write(name, content)
    return len(files)


def sync() -> None:
    """Return when all that was written is on the disk."""
    os.sync()
