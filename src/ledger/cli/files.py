"""Files that people name on the command line."""

from pathlib import Path
from typing import Final

from ledger.errors import MalformedInputError

MAX_FILE_BYTES: Final = 64 * 2**20
"""A file above this is refused before it is read into memory."""


def read_file(path: Path) -> bytes:
    """Return what is in a file.

    Raises:
        MalformedInputError: there is no such file, it is a folder, unreadable, or above
            `MAX_FILE_BYTES`.

    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise MalformedInputError(
                "too-large", f"{path} is above {MAX_FILE_BYTES // 2**20} MiB: that is no badge"
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise MalformedInputError("no-file", f"there is no file {path}") from None
    except OSError as error:
        raise MalformedInputError("unreadable", f"{path}: {error.strerror}") from None
