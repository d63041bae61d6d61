"""`serve`: the HTTP service of an installation."""

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.installation import Installation
from ledger.cli.options import Home
from ledger.cli.output import show
from ledger.clock import now

if TYPE_CHECKING:
    from ledger.web.service import Service

REQUESTS_PER_SECOND = 20.0
BURST = 100
"""Of one API key, and of one address without a key."""

MAX_CONNECTIONS = 1_000


def add_commands(app: typer.Typer) -> None:
    """Add this module's command to `app`."""
    app.command()(serve)


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8000,
    home: Home = None,
) -> None:
    """Serve the HTTP interface, until interrupted.

    Anyone may verify and fetch proofs; issuers need an API key (`ledger issuer key create`).
    Put a proxy with TLS before it when it is not for this machine alone.
    """
    import uvicorn

    from ledger.web.app import create_app

    application = create_app(open_service(Installation.open(home)))
    show(f"Serving on http://{host}:{port}; Ctrl-C ends it.")
    uvicorn.run(
        application,
        host=host,
        port=port,
        # An access log would keep who asked for which credential.
        access_log=False,
        log_level="warning",
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=5,
        server_header=False,
    )


def open_service(installation: Installation) -> "Service":
    """Return what the routes of `installation` work with."""
    from ledger.web.limits import RateLimiter
    from ledger.web.service import PolicyFile, Service

    return Service(
        settings=installation.settings,
        database=installation.database,
        policy=PolicyFile(installation.settings.policy),
        now=now,
        rates=RateLimiter(per_second=REQUESTS_PER_SECOND, burst=BURST),
    )
