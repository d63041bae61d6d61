"""Bounds that hold before any work starts: bytes, time to send them, and how often.

Rates are token buckets in memory, one a client: a bucket holds `burst` tokens, and each
request takes one. Several processes each have their own buckets, so N processes let N times
as much through.
"""

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger.errors import LimitError
from ledger.web.problems import problem_of

MAX_BODY_BYTES: Final = 8 * 2**20
"""A hundred thousand digests as JSON, or the largest badge; bulk routes have their own bound."""

BODY_SECONDS: Final = 30.0
"""In which a body must have arrived whole: a client that drips holds nothing for long."""

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


class BoundedBody:
    """Middleware that reads a body whole, within its bounds, before a route sees it."""

    def __init__(
        self, app: ASGIApp, *, max_bytes: int = MAX_BODY_BYTES, seconds: float = BODY_SECONDS
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
        except LimitError as error:
            await problem_of(error)(scope, receive, send)
            return
        if body is None:
            return
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, replay, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """Return the body; None when the client has gone."""
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._max_bytes:
            raise self._too_large()
        body = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    body += message.get("body", b"")
                    if len(body) > self._max_bytes:
                        raise self._too_large()
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError:
            raise LimitError(
                "too-slow",
                f"the body did not arrive within {self._seconds:.0f} seconds",
                retry_after_seconds=1,
            ) from None

    def _too_large(self) -> LimitError:
        return LimitError("too-large", f"a body has at most {self._max_bytes} bytes here")
