"""`worker`: seal, anchor and deliver without anybody asking."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.installation import Installation
from ledger.cli.options import Home, PasswordFile
from ledger.cli.proving import state_source
from ledger.cli.readiness import tell_ready
from ledger.errors import ConflictError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from ledger.webhooks.courier import Courier
    from ledger.worker import Worker


def add_commands(app: typer.Typer) -> None:
    """Add this module's command to `app`."""
    app.command()(worker)


def worker(
    once: Annotated[bool, typer.Option("--once", help="Do one round, and end.")] = False,
    home: Home = None,
    password_file: PasswordFile = None,
) -> None:
    """Seal on schedule, anchor, follow, write badges.

    Runs until it is interrupted or terminated, and then finishes what it is at. Any number may
    share a PostgreSQL database; with SQLite there is one. Says what it does on standard error,
    one JSON object a line.
    """
    import signal
    import threading

    installation = Installation.open(home, password_file)
    with only_one(installation):
        ready = open_worker(installation)
        if once:
            ready.round()
            ready.send_messages()
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        ready.log.info("worker started")
        tell_ready()
        ready.run(stop)
        ready.log.info("worker stopped")


@contextmanager
def only_one(installation: Installation) -> Iterator[None]:
    """Be the only worker of this folder's SQLite database; on PostgreSQL there may be many.

    Raises:
        ConflictError: another worker runs.

    """
    import fcntl

    if not installation.settings.database.startswith("sqlite"):
        yield
        return
    with (installation.settings.home / "worker.lock").open("w") as lock:
        try:
            # The system gives it back when the process ends, however it ends.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConflictError(
                "worker-running",
                "another worker runs on this database: SQLite has one, PostgreSQL any number",
            ) from None
        yield


def open_worker(installation: Installation) -> "Worker":
    """Return the worker of `installation`; its keys are opened here."""
    from ledger.chain.keystore import KeyName
    from ledger.logs import open_log
    from ledger.worker import Worker

    log = open_log()
    worker = Worker(
        outbox=installation.outbox,
        home=installation.home_of(0),
        badges=installation.settings.badges,
        sender=installation.sender(KeyName.ANCHOR),
        log=log,
        status_sender=installation.sender(KeyName.STATUS),
        states=state_source(installation),
        patience=installation.patience,
        courier=_open_courier(installation, log),
    )
    if worker.courier is None:
        worker.log.warning("no webhook key")
    return worker


def _open_courier(installation: Installation, log: "FilteringBoundLogger") -> "Courier | None":
    """Return what sends messages; None where the key for it is not there or cannot be opened."""
    from threading import Lock

    from ledger.chain.keystore import KeyName, Secret
    from ledger.clock import now
    from ledger.fetching import PublicWeb
    from ledger.webhooks.courier import POST_SECONDS, Courier

    # With a signer program nobody may be there who knows the password.
    is_closed = installation.settings.signer and not installation.has_password_file
    if is_closed or not installation.keystore.has(KeyName.WEBHOOK):
        return None
    turn = Lock()

    def key() -> Secret:
        # Opened for the first message: it takes a while and much memory, so by one courier alone.
        with turn:
            return installation.webhook_key()

    internal = frozenset(installation.settings.internal_receivers)
    return Courier(
        database=installation.database,
        home=installation.home_of(0),
        key=key,
        post=PublicWeb(internal=internal, timeout_seconds=POST_SECONDS).post,
        clock=now,
        log=log,
    )
