"""One server: ours, or the least that could be done.

    python -m benchmarks.load.server bare URL FD            our routes on a database, no chain
    python -m benchmarks.load.server installation HOME FD   our routes as `ledger serve` has them
    python -m benchmarks.load.server floor URL FD           one row and one commit, or one row read

It listens on the socket that is open as file descriptor FD, until it is ended.
"""

import socket
import sys
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import Body, FastAPI, Response
from starlette.types import ASGIApp

from ledger.cli.installation import Installation
from ledger.cli.serving import open_service
from ledger.config import Settings
from ledger.database import Database
from ledger.logs import open_log
from ledger.primitives import Address
from ledger.verification.policy import parse_policy
from ledger.web.access_log import AccessLog
from ledger.web.app import create_app
from ledger.web.limits import RateLimiter
from ledger.web.service import Service

RATES = RateLimiter(per_second=1e9, burst=1_000_000_000)
"""All requests come from one client."""


def bare(url: str) -> ASGIApp:
    """Return our application on a database."""
    settings = Settings(Path("/"), 1, ("http://127.0.0.1:1",), Address(bytes(20)), url)
    service = Service(
        settings=settings,
        database=Database(url),
        policy=lambda: parse_policy(""),
        now=lambda: int(time.time()),
        rates=RATES,
    )
    return AccessLog(create_app(service), open_log())


def installation(home: str) -> ASGIApp:
    """Return our application on an installation, with its signing key."""
    opened = Installation.open(Path(home))
    service = replace(open_service(opened), rates=RATES)
    return AccessLog(create_app(service), open_log())


def floor(url: str) -> ASGIApp:
    """Return an application that does the least: no key, no rule, one table."""
    database = Database(url)
    app = FastAPI()

    @app.post("/v1/digests", status_code=202)
    def add(body: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        public_id = str(uuid.uuid4())
        with database.write() as tx:
            tx.exec_driver_sql("INSERT INTO floor VALUES (?, ?)", (public_id, body["digests"][0]))
        return {"accepted": 1, "ids": [public_id]}

    @app.get("/v1/proofs/{public_id}")
    def get(public_id: str) -> Response:
        with database.read() as tx:
            found = tx.exec_driver_sql("SELECT content FROM floor WHERE id = ?", (public_id,))
            return Response(found.scalar_one(), media_type="application/json")

    return app


if __name__ == "__main__":
    kind, of, descriptor = sys.argv[1:]
    app = {"bare": bare, "installation": installation, "floor": floor}[kind](of)
    config = uvicorn.Config(app, log_level="error", access_log=False)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(descriptor))])
