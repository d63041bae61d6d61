"""One line in the log for each request: what kind of thing was asked, by whom, how it ended.

    {"time": "2026-10-01T09:00:03Z", "level": "info", "event": "request", "method": "GET",
     "route": "/v1/proofs/{id}", "status": 200, "ms": 1.3, "request": "9f2c...", "key": 3}

Nothing that a client wrote is in it: the route is our template and not the path, which may have
an id in it that opens a proof; a method that is none of HTTP's is `other`; the key is the number
of one that was in force. So no line can be broken, and none says who asked for which credential.
`request` is drawn here, and is in the answer's `X-Request-Id`, for whoever complains.
"""

import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

METHODS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

_ID_BYTES: Final = 8


class AccessLog:
    """An application that says of each request how another answered it."""

    def __init__(self, app: ASGIApp, log: "FilteringBoundLogger") -> None:
        self._app = app
        self.log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or whatever else there is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request = secrets.token_hex(_ID_BYTES)
        status: int | None = None

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = message.get("headers", ())
                message["headers"] = [*own, (b"x-request-id", request.encode())]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            took_ms = round((time.perf_counter() - started) * 1e3, 1)
            # Whoever asked need not suffer from a full disk under the log.
            with suppress(OSError):
                self._say(scope, request, status, took_ms)

    def _say(self, scope: Scope, request: str, status: int | None, took_ms: float) -> None:
        method, route = scope["method"], scope.get("route")
        self.log.info(
            "request",
            method=method if method in METHODS else "other",
            route=route.path if route else None,
            status=status,
            ms=took_ms,
            request=request,
            key=scope.get("state", {}).get("api_key"),
        )
