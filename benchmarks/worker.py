"""How fast batches are sealed and anchored, how soon they are final, and what a worker keeps.

    python -m benchmarks.worker [SECONDS]

On each database, with an installation and an Anvil of one block a second of its own: a hundred
thousand digests sealed into one batch; a hundred batches submitted and followed; ten single
credentials that a `ledger worker` process takes from waiting to final; and that process's
memory under load for SECONDS (120 unless given). Writes docs/reference/worker-figures.md.
"""

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.site import Site, WorkerProcess, running_site, wait_until_done
from tests.postgres import postgres_server

from ledger.batches import sealing, store
from ledger.batches.anchoring import follow, submit_all
from ledger.batches.status import BatchStatus
from ledger.chain.keystore import KeyName
from ledger.clock import now
from ledger.database import Database, migrate

PAGE: Final = Path(__file__).parents[1] / "docs" / "reference" / "worker-figures.md"
DIGESTS: Final = 100_000
BATCHES: Final = 100
SINGLES: Final = 10
LOAD_SECONDS: Final = 120
LOAD_DIGESTS: Final = 20
LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured on one database."""

    database: str
    seal_seconds: float
    submit_seconds: float
    followed_seconds: float
    """From the last submission until all were final."""
    final_seconds: list[float]
    """From stored and sent to final, of single batches."""
    memory_mib: list[float]
    """Of the worker, once a second under load."""
    loaded: int
    """Credentials that it anchored meanwhile."""


def measure(name: str, url: str, folder: Path, seconds: int) -> Figures:
    """Measure everything on one database."""
    with running_site(url, folder) as site:
        database, issuer = site.installation.database, site.issuer
        site.accept(DIGESTS)
        seal_seconds = timed(lambda: sealing.seal(database, issuer, now=now()))
        for _ in range(BATCHES):
            site.accept(1)
            sealing.seal(database, issuer, now=now())
        outbox, registry = site.installation.outbox, site.installation.registry
        sender = site.installation.sender(KeyName.ANCHOR)
        submit_seconds = timed(lambda: submit_all(outbox, sender, registry, issuer))
        followed = timed(lambda: follow(outbox, registry, issuer, timeout_seconds=120))
        worker = WorkerProcess(site.home)
        try:
            worker.begun()
            wait_until_done(site)
            final_seconds = [wait_for_one(site) for _ in range(SINGLES)]
            before = site.accepted
            memory = load(site, worker, seconds)
            wait_until_done(site)
        finally:
            worker.close()
        site.check()
        loaded = site.accepted - before
    return Figures(name, seal_seconds, submit_seconds, followed, final_seconds, memory, loaded)


def timed(work: Callable[[], object]) -> float:
    """Return how long `work` took by the clock."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def wait_for_one(site: Site) -> float:
    """Let one credential come in; return the seconds from submitted to final."""
    site.accept(1)
    submitted = 0.0
    while True:
        with site.installation.database.read() as tx:
            newest = store.list_batches(tx, site.issuer)[-1]
            is_waiting = sealing.find_waiting(tx, site.issuer) is not None
        if not submitted and not is_waiting and newest.status is not BatchStatus.SEALED:
            submitted = time.perf_counter()
        if not is_waiting and newest.status is BatchStatus.FINAL:
            return time.perf_counter() - submitted
        time.sleep(LOOK_SECONDS)


def load(site: Site, worker: WorkerProcess, seconds: int) -> list[float]:
    """Let credentials come in every second; return the worker's memory at each, in MiB."""
    memory = []
    for _ in range(seconds):
        site.accept(LOAD_DIGESTS)
        time.sleep(1)
        status = Path(f"/proc/{worker.pid}/status").read_text("ascii")
        (resident,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
        memory.append(int(resident.split()[1]) / 1024)
    return memory


def format_page(figures: list[Figures], seconds: int, busy: float) -> str:
    """Return the page, as Markdown."""
    machine = f"{os.cpu_count()} processors, {platform.system()}"
    lines = [
        "# Figures of the worker",
        "",
        f"Written by `python -m benchmarks.worker {seconds}`, in one run on {machine}.",
        f"When it began, {busy:.1f} other processes wanted a processor; they are in every time.",
        "",
        "| | " + " | ".join(f.database for f in figures) + " |",
        "|---|" + "---:|" * len(figures),
    ]

    def row(what: str, value: Callable[[Figures], str]) -> None:
        lines.append(f"| {what} | " + " | ".join(map(value, figures)) + " |")

    row(f"{DIGESTS:,} digests sealed", lambda f: f"{f.seal_seconds:.1f} s")
    row("digests sealed a second", lambda f: f"{DIGESTS / f.seal_seconds:,.0f}")
    row(
        "batches submitted a second, one after the other",
        lambda f: f"{(BATCHES + 1) / f.submit_seconds:.1f}",
    )
    row("from the last of them until all were final", lambda f: f"{f.followed_seconds:.1f} s")
    row(
        "from submitted to final, median",
        lambda f: f"{statistics.median(f.final_seconds):.1f} s",
    )
    row("the longest", lambda f: f"{max(f.final_seconds):.1f} s")
    third = max(1, seconds // 3)
    row("memory, most in the first third", lambda f: f"{max(f.memory_mib[:third]):.0f} MiB")
    row("memory, most in the last third", lambda f: f"{max(f.memory_mib[-third:]):.0f} MiB")
    row("credentials anchored meanwhile", lambda f: f"{f.loaded:,}")
    return "\n".join([*lines, WORDS.format(seconds=seconds)])


WORDS: Final = """
A block comes every second on that chain, and is final two blocks later: a worker that looks once
a second cannot say so sooner than after two or three. Memory is that of a `ledger worker` process
into whose database credentials come every second, for {seconds} seconds. After each run
`ledger fsck --chain` and `ledger audit --proofs` found nothing.
"""


def main() -> None:
    """Measure on both databases, and write the page."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else LOAD_SECONDS
    busy = os.getloadavg()[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "one").mkdir()
        (folder / "other").mkdir()
        file = f"sqlite:///{folder / 'ledger.db'}"
        database = Database(file)
        migrate(database)
        database.close()
        postgres = stack.enter_context(postgres_server())
        url = stack.enter_context(postgres.database())
        figures = [
            measure("SQLite", file, folder / "one", seconds),
            measure("PostgreSQL", url, folder / "other", seconds),
        ]
    page = format_page(figures, seconds, busy)
    print(page)
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
