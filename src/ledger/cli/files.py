"""Files that people name on the command line."""

from pathlib import Path
from typing import Final

from ledger.errors import ConflictError, MalformedInputError

MAX_FILE_BYTES: Final = 64 * 2**20
"""No more than this of a file is read into memory, whatever its size claims to be."""


def read_file(path: Path) -> bytes:
    """Return what is in a file.

    Raises:
        MalformedInputError: there is no such file, it is a folder, unreadable, or above
            `MAX_FILE_BYTES`.

    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise MalformedInputError("no-file", f"there is no file {path}") from None
    except OSError as error:
        raise MalformedInputError("unreadable", f"{path}: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise MalformedInputError(
            "too-large", f"{path} is above {MAX_FILE_BYTES // 2**20} MiB: that is no badge"
        )
    return data


def write_file(path: Path, data: bytes) -> None:
    """Write a file so that at any moment there is the old one or the new one, whole.

    Raises:
        ConflictError: it cannot be written there.

    """
    beside = path.with_name(f"{path.name}.part")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except OSError as error:
        raise ConflictError("unwritable", f"{path}: {error.strerror}") from None
