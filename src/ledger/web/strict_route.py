"""Routes whose JSON bodies mean one thing to every reader, and are bounded before parsing."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from ledger import strict_json
from ledger.web.limits import MAX_BODY_BYTES


class StrictRequest(Request):
    """A request that reads JSON as `ledger.strict_json` does."""

    async def json(self) -> Any:  # noqa: ANN401 - JSON has no narrower type
        """Return the body.

        Raises:
            MalformedInputError: as `strict_json.parse`; most of all, a body that is nested so
                deep that the parser of the standard library could end the process.

        """
        return strict_json.parse(await self.body(), max_bytes=MAX_BODY_BYTES)


class StrictRoute(APIRoute):
    """A route that is given a `StrictRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the framework, behind ours."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strictly
