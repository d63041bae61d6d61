"""Bounds that hold before any work starts: bytes, time to send them, how many, how often.

Rates are token buckets in memory, one a client: a bucket holds `burst` tokens, and each
request takes one. Several processes each have their own buckets, so N processes let N times
as much through.
"""

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger.errors import LimitError
from ledger.web.problems import problem_of

MAX_BODY_BYTES: Final = 8 * 2**20
"""A hundred thousand digests as JSON, or the largest badge; bulk routes have their own bound."""

BODY_SECONDS: Final = 30.0
"""In which a body must have arrived whole: a client that drips holds nothing for long."""

MAX_BUFFERED_BYTES: Final = 256 * 2**20
"""Of all bodies that are arriving; what comes beyond is asked to come again."""

MAX_BUCKETS: Final = 100_000
"""Clients remembered; the one not seen longest is forgotten first."""


class RateLimiter:
    """Token buckets by client."""

    def __init__(
        self, *, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, client: str) -> None:
        """Take one token of `client`.

        Raises:
            LimitError: there is none left; it says after how many seconds there will be.

        """
        with self._lock:
            now = self._clock()
            tokens, seen = self._buckets.pop(client, (self._burst, now))
            tokens = min(self._burst, tokens + (now - seen) * self._per_second)
            left = tokens - 1 if tokens >= 1 else tokens
            self._buckets[client] = (left, now)
            if len(self._buckets) > MAX_BUCKETS:
                self._buckets.popitem(last=False)
        if tokens < 1:
            raise LimitError(
                "too-often",
                "too many requests: wait as Retry-After says",
                retry_after_seconds=(1 - tokens) / self._per_second,
            )


class Slots:
    """So many at once; one more is turned away and does not wait."""

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Have a place as long as the block lasts.

        Raises:
            LimitError: there is none.

        """
        if not self._free.acquire(blocking=False):
            raise _too_busy()
        try:
            yield
        finally:
            self._free.release()


class BoundedBody:
    """Middleware that reads a body whole, within its bounds, before a route sees it.

    Routes under `streamed` read their own, and bound it themselves.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        streamed: Collection[str] = (),
        max_bytes: int = MAX_BODY_BYTES,
        max_buffered_bytes: int = MAX_BUFFERED_BYTES,
        seconds: float = BODY_SECONDS,
    ) -> None:
        self._app = app
        self._streamed = streamed
        self._max_bytes = max_bytes
        self._max_buffered_bytes = max_buffered_bytes
        self._seconds = seconds
        self._buffered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in self._streamed or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        body = bytearray()
        try:
            is_whole = await self._read(scope, receive, body)
        except LimitError as error:
            await problem_of(error)(scope, receive, send)
            return
        finally:
            self._buffered -= len(body)
        if not is_whole:
            return
        waiting: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, replay, send)

    async def _read(self, scope: Scope, receive: Receive, body: bytearray) -> bool:
        """Read into `body`; return False when the client has gone."""
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._max_bytes:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return False
                    part = message.get("body", b"")
                    body += part
                    self._buffered += len(part)
                    if len(body) > self._max_bytes:
                        raise self._too_large()
                    if self._buffered > self._max_buffered_bytes:
                        raise _too_busy()
                    if not message.get("more_body"):
                        return True
        except TimeoutError:
            raise LimitError(
                "too-slow",
                f"the body did not arrive within {self._seconds:.0f} seconds",
                retry_after_seconds=1,
            ) from None

    def _too_large(self) -> LimitError:
        return LimitError("too-large", f"a body has at most {self._max_bytes} bytes here")


def _has_body(scope: Scope) -> bool:
    """Tell whether a body follows: a request without either header has none (RFC 9112, 6.3)."""
    return any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"])


def _too_busy() -> LimitError:
    return LimitError(
        "too-busy",
        "the service has as much to do as it takes at once: wait as Retry-After says",
        retry_after_seconds=2,
    )
