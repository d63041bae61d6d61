"""Digests in great numbers, taken as they arrive and kept in a temporary file.

    application/octet-stream    32 bytes a digest, nothing between
    application/x-ndjson        one JSON string of 64 lower-case hex digits a line

Memory does not grow with their number: what has arrived is checked at once and written to a
file, at most 32 bytes a digest. The database is not touched before all has arrived, so a
client that drips holds no lock.
"""

import asyncio
import re
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import Final

from starlette.requests import ClientDisconnect, Request

from ledger.errors import LimitError, MalformedInputError
from ledger.primitives import HASH_BYTES, Hash32

MAX_DIGESTS: Final = 1_000_000
MAX_BYTES: Final = 100 * MAX_DIGESTS
"""A line has 67; room for spaces and carriage returns."""
MAX_SECONDS: Final = 300.0
"""In which a body must have arrived whole."""

BINARY: Final = "application/octet-stream"
LINES: Final = "application/x-ndjson"

_IN_MEMORY_BYTES: Final = 1 << 20
_LINE: Final = re.compile(rb'[ \t]*"([0-9a-f]{64})"[ \t\r]*', re.ASCII)
_MAX_LINE_BYTES: Final = 256


class DigestSpool:
    """Digests that are arriving; use it as a context, its file goes when the context ends."""

    def __init__(self, media_type: str) -> None:
        """Begin with none.

        Raises:
            MalformedInputError: digests do not come in this media type.

        """
        if media_type not in {BINARY, LINES}:
            raise MalformedInputError(
                "bad-media-type", f"say Content-Type: {BINARY} or {LINES}, as what follows is"
            )
        self._lines = media_type == LINES
        self._file = SpooledTemporaryFile[bytes](_IN_MEMORY_BYTES)
        self._rest = b""
        self._line = self._bytes = 0
        self.count = 0

    def __enter__(self) -> "DigestSpool":
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            MalformedInputError: a line is no digest.
            LimitError: there are more than `MAX_DIGESTS`.

        """
        self._bytes += len(chunk)
        if self._bytes > MAX_BYTES:
            raise _too_many()
        data = self._rest + chunk
        if self._lines:
            *lines, self._rest = data.split(b"\n")
            self._add(b"".join(map(self._digest, lines)))
            if len(self._rest) > _MAX_LINE_BYTES:
                raise _refused(f"line {self._line + 1} is longer than a digest")
        else:
            whole = len(data) - len(data) % HASH_BYTES
            self._rest = data[whole:]
            self._add(data[:whole])

    def finish(self) -> None:
        """Note that the body has ended.

        Raises:
            MalformedInputError: it ends within a digest, or has none.

        """
        if self._lines:
            self._add(self._digest(self._rest))
        elif self._rest:
            raise _refused(f"it ends {len(self._rest)} bytes after digest {self.count}")
        if not self.count:
            raise _refused("there is no digest in it")

    def digests(self) -> Iterator[Hash32]:
        """Give what arrived, in its order."""
        self._file.seek(0)
        while page := self._file.read(1_000 * HASH_BYTES):
            for at in range(0, len(page), HASH_BYTES):
                yield Hash32(page[at : at + HASH_BYTES])

    def _add(self, digests: bytes) -> None:
        self.count += len(digests) // HASH_BYTES
        if self.count > MAX_DIGESTS:
            raise _too_many()
        self._file.write(digests)

    def _digest(self, line: bytes) -> bytes:
        self._line += 1
        match = _LINE.fullmatch(line)
        if match:
            return bytes.fromhex(match[1].decode())
        if line.strip():
            raise _refused(f'line {self._line} is not "<64 lower-case hex digits>"')
        return b""


async def receive(request: Request, spool: DigestSpool) -> None:
    """Take the whole body of `request` into `spool`.

    Raises:
        MalformedInputError, LimitError: as `DigestSpool`; or it came too slowly, or not whole.

    """
    try:
        async with asyncio.timeout(MAX_SECONDS):
            async for chunk in request.stream():
                spool.feed(chunk)
        spool.finish()
    except TimeoutError:
        raise LimitError(
            "too-slow",
            f"the body did not arrive within {MAX_SECONDS:.0f} seconds: send less at once",
            retry_after_seconds=1,
        ) from None
    except ClientDisconnect:
        raise _refused("the client left before its end") from None


def _too_many() -> LimitError:
    return LimitError("too-large", f"more than {MAX_DIGESTS} digests: send them in parts")


def _refused(why: str) -> MalformedInputError:
    return MalformedInputError("bad-digests", f"the body: {why}; nothing was accepted")
