"""The server: told to end, it ends the streams first, and then waits for answers under way."""

import socket

import uvicorn

from ledger.web.progress import Progress


class Server(uvicorn.Server):
    """A server of an application whose streams would not end by themselves."""

    def __init__(self, config: uvicorn.Config, progress: Progress) -> None:
        super().__init__(config)
        self._progress = progress

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End in order; clients that follow a batch come again, to whoever serves then."""
        await self._progress.close()
        await super().shutdown(sockets)
