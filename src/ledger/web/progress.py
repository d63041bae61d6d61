"""Streams that tell where batches stand, and one look at the database for all of them.

    stream --follows--> Progress --once a pause--> look(every batch that is followed)

A stream has its newest moment and nothing else: a client that reads slowly gets fewer
moments, not a longer queue. It ends after the last moment there can be, when the client is gone
or takes nothing for `SEND_SECONDS`, and after `STREAM_SECONDS` in any case: clients come again
by themselves, and then with a key that is looked at again. While nobody follows nothing is
asked.

Source: HTML Living Standard, section 9.2, server-sent events.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ledger.errors import LedgerError, LimitError

MAX_STREAMS: Final = 200
"""Of one process; each is a connection and a few kilobytes."""

MAX_STREAMS_OF_A_KEY: Final = 10

LOOK_SECONDS: Final = 1.0
"""Between two looks at the database."""

HEARTBEAT_SECONDS: Final = 15.0
"""After which a comment is sent, so that no proxy takes the connection for dead."""

SEND_SECONDS: Final = 10.0
"""In which a client must take what is sent."""

STREAM_SECONDS: Final = 900.0

MEDIA_TYPE: Final = "text/event-stream"

_HEADERS: Final = {
    "Cache-Control": "no-store",
    # nginx would keep what it is sent until it has a page of it.
    "X-Accel-Buffering": "no",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a batch stands at one look."""

    id: str
    """Another one whenever something is different."""
    event: str
    data: str
    """JSON, on one line."""
    is_last: bool

    def __bytes__(self) -> bytes:
        """Return the moment as it is sent."""
        return f"id: {self.id}\nevent: {self.event}\ndata: {self.data}\n\n".encode()


Look = Callable[[Collection[int]], dict[int, Moment]]
"""Returns where each of these batches stands."""


@dataclass(eq=False)
class _Stream:
    batch: int
    key: int
    newest: Moment | None = None
    is_over: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Progress:
    """The streams of one process."""

    def __init__(
        self,
        look: Look,
        *,
        look_seconds: float = LOOK_SECONDS,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        send_seconds: float = SEND_SECONDS,
        stream_seconds: float = STREAM_SECONDS,
    ) -> None:
        self.look = look
        self._look_seconds = look_seconds
        self.heartbeat_seconds = heartbeat_seconds
        self.send_seconds = send_seconds
        self.stream_seconds = stream_seconds
        self._streams: set[_Stream] = set()
        self._of_key: Counter[int] = Counter()
        self._looking: asyncio.Task[None] | None = None

    def follow(self, batch: int, *, key: int, first: Moment, seen: str | None) -> "ProgressStream":
        """Return the answer that follows `batch`, for which there must be room.

        It begins with `first`, unless that is what the client has `seen` last.

        Raises:
            LimitError: there are as many streams as there may be.

        """
        if len(self._streams) >= MAX_STREAMS or self._of_key[key] >= MAX_STREAMS_OF_A_KEY:
            raise LimitError(
                "too-many-streams",
                f"at most {MAX_STREAMS_OF_A_KEY} streams of one API key, and {MAX_STREAMS} of "
                "all, are open at once: close one, or ask for the batch now and then",
                retry_after_seconds=30,
            )
        stream = _Stream(batch, key, first)
        if first.id != seen:
            stream.changed.set()
        self._streams.add(stream)
        self._of_key[key] += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._keep_looking())
        return ProgressStream(self, stream)

    def leave(self, stream: _Stream) -> None:
        """Make room."""
        self._streams.discard(stream)
        self._of_key[stream.key] -= 1
        if not self._of_key[stream.key]:
            del self._of_key[stream.key]

    def count(self) -> int:
        """Return how many streams are open."""
        return len(self._streams)

    async def close(self) -> None:
        """Look no more, and end every stream."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        self._end_all()

    async def _keep_looking(self) -> None:
        """Look for all streams, until there is none."""
        try:
            while self._streams:
                await asyncio.sleep(self._look_seconds)
                followed = {stream.batch for stream in self._streams}
                # While the database does not answer, streams say that they are there.
                with suppress(LedgerError):
                    self._tell(await run_in_threadpool(self.look, followed))
        finally:
            # There are streams only when something broke: a stream that nobody feeds is a lie.
            self._end_all()

    def _end_all(self) -> None:
        for stream in self._streams:
            stream.is_over = True
            stream.changed.set()

    def _tell(self, found: dict[int, Moment]) -> None:
        for stream in self._streams:
            moment = found.get(stream.batch, stream.newest)
            if moment and stream.newest and moment.id != stream.newest.id:
                stream.newest = moment
                stream.changed.set()


class ProgressStream(Response):
    """The answer that follows one batch; it leaves `Progress` however it ends."""

    def __init__(self, progress: Progress, stream: _Stream) -> None:
        super().__init__(media_type=MEDIA_TYPE, headers=_HEADERS)
        del self.headers["content-length"]
        self._progress = progress
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until it is over, or the client is gone."""
        del scope
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_wait_until_gone(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._progress.leave(self._stream)
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        progress, stream = self._progress, self._stream

        async def put(body: bytes, *, more: bool = True) -> None:
            async with asyncio.timeout(progress.send_seconds):
                await send({"type": "http.response.body", "body": body, "more_body": more})

        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        ends_at = asyncio.get_running_loop().time() + progress.stream_seconds
        while asyncio.get_running_loop().time() < ends_at:
            moment = await self._next()
            if stream.is_over:
                break
            await put(b": here\n\n" if moment is None else bytes(moment))
            if moment is not None and moment.is_last:
                break
        await put(b"", more=False)

    async def _next(self) -> Moment | None:
        """Return the newest moment when there is one, None when it is time for a heartbeat."""
        stream = self._stream
        try:
            async with asyncio.timeout(self._progress.heartbeat_seconds):
                await stream.changed.wait()
        except TimeoutError:
            return None
        stream.changed.clear()
        return stream.newest


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
