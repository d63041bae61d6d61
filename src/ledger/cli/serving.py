"""`serve`: the HTTP service of an installation."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.installation import Installation
from ledger.cli.options import Home, PasswordFile
from ledger.cli.output import show
from ledger.cli.readiness import tell_ready
from ledger.clock import now
from ledger.errors import ConflictError

if TYPE_CHECKING:
    from socket import socket

    from starlette.types import ASGIApp
    from uvicorn import Config

    from ledger.chain.keystore import Secret
    from ledger.credentials.signature import SigningKey
    from ledger.web.service import Service

REQUESTS_PER_SECOND = 20.0
BURST = 100
"""Of one API key, and of one address without a key."""

MAX_CONNECTIONS = 1_000

GRACE_SECONDS = 10
"""Which answers under way have when the service is told to end; then they are cut off."""


def add_commands(app: typer.Typer) -> None:
    """Add this module's command to `app`."""
    app.command()(serve)


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")
    ] = 8000,
    access_log: Annotated[
        bool, typer.Option(help="Log a line for each request, on standard error.")
    ] = True,
    home: Home = None,
    password_file: PasswordFile = None,
) -> None:
    """Serve the HTTP interface, until interrupted.

    Anyone may verify and fetch proofs; issuers need an API key (`ledger issuer key create`).
    With a password file it signs credentials from templates and, on SQLite, is the worker
    too; without one it holds no key and needs `ledger worker` beside it.
    Put a proxy with TLS before it when it is not for this machine alone.
    """
    import signal

    from ledger.logs import open_log
    from ledger.web.access_log import AccessLog
    from ledger.web.app import create_app
    from ledger.web.server import Server

    installation = Installation.open(home, password_file)
    app = create_app(open_service(installation))
    application = AccessLog(app, open_log()) if access_log else app
    config = configured(application, installation.settings.trusted_proxies)
    server = Server(config, app.state.progress)
    with listening(host, port) as listener, working_beside(installation):
        show(f"Serving on http://{host}:{listener.getsockname()[1]}; Ctrl-C ends it.")
        tell_ready()
        # Both end it in order; it raises the signal again then, which must not end the worker.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def configured(application: "ASGIApp", proxies: tuple[str, ...]) -> "Config":
    """Return how `application` is served; only `proxies` may say for whom they ask."""
    from uvicorn import Config

    return Config(
        application,
        # The library's has addresses and paths in it: who asked for which credential.
        access_log=False,
        log_level="warning",
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
        # The library's own default believes every process of this machine.
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
    )


@contextmanager
def listening(host: str, port: int) -> Iterator["socket"]:
    """Give a socket that listens there as long as the block lasts.

    Raises:
        ConflictError: the port is taken, or the address is none of this machine's.

    """
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        # The library repeats the address in brackets.
        reason = str(error.strerror).partition(" (")[0]
        raise ConflictError(
            "cannot-listen", f"cannot listen on {host}, port {port}: {reason}"
        ) from None
    with listener:
        yield listener


@contextmanager
def working_beside(installation: Installation) -> Iterator[None]:
    """Be the worker, in a thread, as long as the block lasts; where others work, do nothing.

    On PostgreSQL `ledger worker` does the work. A round that has begun is finished. A worker that
    breaks ends the service: one that goes on taking credentials nobody anchors helps nobody.

    Raises:
        ConflictError: another worker runs on this SQLite database.
        Exception: what the worker broke with, a bug.

    """
    import os
    import signal
    from threading import Event, Thread

    from ledger.cli.working import only_one, open_worker

    if not (installation.has_password_file and installation.settings.database.startswith("sqlite")):
        yield
        return
    with only_one(installation):
        stop, worker = Event(), open_worker(installation)
        broken: list[Exception] = []

        def work() -> None:
            try:
                worker.run(stop)
            except Exception as error:  # noqa: BLE001 - raised again below, by the main thread
                broken.append(error)
                os.kill(os.getpid(), signal.SIGTERM)

        thread = Thread(target=work, name="worker")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        if broken:
            raise broken[0]


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
        signing_key=_signing_key(installation),
        webhook_key=_webhook_key(installation),
    )


def _signing_key(installation: Installation) -> "SigningKey | None":
    """Open the key that signs credentials; never ask for the password, nobody may be there."""
    from ledger.credentials.signature import SigningKey

    if not installation.has_password_file:
        return None
    return SigningKey(installation.signing_key().reveal())


def _webhook_key(installation: Installation) -> "Secret | None":
    """Open the key of webhooks; None without a password file, or before `ledger init` drew it."""
    from ledger.chain.keystore import KeyName

    if not (installation.has_password_file and installation.keystore.has(KeyName.WEBHOOK)):
        return None
    return installation.webhook_key()
