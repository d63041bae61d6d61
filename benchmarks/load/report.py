"""Write docs/reference/load.md."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from textwrap import dedent

from benchmarks.load.client import CLIENTS, Figures
from benchmarks.load.postgresql import BADGES, OnPostgresql
from benchmarks.load.requests import Bulk
from benchmarks.load.sqlite import PROOFS, OnSqlite, Pair

SINGLE_ASKED = 0.70
PROOF_ASKED = 0.60
BULK_SQLITE_ASKED = 40_000
BULK_POSTGRESQL_ASKED = 25_000


@dataclass(frozen=True)
class Run:
    """All that was measured, in one run on one machine."""

    requests: int
    count: int
    rounds: int
    load: float
    """Processes that wanted a processor when the run began."""
    sqlite: OnSqlite
    postgresql: OnPostgresql


def format_page(run: Run) -> str:
    """Return the page, as Markdown."""
    return "\n".join([_head(run), *_targets(run), *_rows(run), *_memory(run), _words(run)])


def _head(run: Run) -> str:
    python = platform.python_version()
    machine = f"{os.cpu_count()} processors, {platform.system()}, Python {python}"
    return dedent(f"""\
        # The service under load

        Written by `python -m benchmarks.load {run.requests} {run.count} {run.rounds}`, in one run
        on one machine: {machine}.
        When it began, {run.load:.1f} other processes wanted a processor. Where that is more than
        none, the clock says as much of them as of us: read the processor's time.
        """)


def _targets(run: Run) -> list[str]:
    sqlite, postgresql = run.sqlite, run.postgresql
    rows = [
        ("single POST, SQLite", SINGLE_ASKED, *_ratios(sqlite.singles)),
        ("proof GET, SQLite", PROOF_ASKED, *_ratios(sqlite.proofs)),
    ]
    lines = [
        "| beside the floor | asked | by the clock | by the processor | |",
        "|---|---:|---:|---:|---|",
    ]
    for what, asked, clock, cpu in rows:
        lines.append(f"| {what} | {asked:.0%} | {clock:.0%} | {cpu:.0%} | {_met(clock >= asked)} |")
    lines += ["", "| digests a second | asked | by the clock | processor, each | |"]
    lines += ["|---|---:|---:|---:|---|"]
    for name, wanted, bulk in (
        ("SQLite", BULK_SQLITE_ASKED, sqlite.bulk),
        ("PostgreSQL", BULK_POSTGRESQL_ASKED, postgresql.bulk),
    ):
        got = _per_second(bulk)
        cpu = median(one.cpu_us for one in bulk)
        lines.append(
            f"| bulk POST of {run.count:,}, {name} | {wanted:,} | {got:,.0f} | "
            f"{cpu:.1f} µs | {_met(got >= wanted)} |"
        )
    return [*lines, ""]


def _met(is_met: bool) -> str:  # noqa: FBT001 - a word for a truth
    return "met" if is_met else "**below**"


def _ratios(pairs: Sequence[Pair]) -> tuple[float, float]:
    """Return ours of the floor, by the clock and by the processor: the median of the rounds."""
    return (
        median(pair.ours.per_second / pair.floor.per_second for pair in pairs),
        median(pair.floor.cpu_us / pair.ours.cpu_us for pair in pairs),
    )


def _per_second(bulk: Sequence[Bulk]) -> float:
    return median(one.per_second for one in bulk)


def _rows(run: Run) -> list[str]:
    sqlite, postgresql = run.sqlite, run.postgresql
    small, large = sqlite.sizes
    rows = [
        ("single POST, SQLite", [pair.ours for pair in sqlite.singles]),
        ("its floor", [pair.floor for pair in sqlite.singles]),
        (f"proof GET, SQLite, batch of {small:,}", [pair.ours for pair in sqlite.proofs]),
        ("its floor", [pair.floor for pair in sqlite.proofs]),
        (f"proof GET, SQLite, scattered over {large:,}", [p.ours for p in sqlite.scattered]),
        ("its floor", [pair.floor for pair in sqlite.scattered]),
        ("single POST, PostgreSQL, one process", postgresql.one),
        ("single POST, PostgreSQL, two processes", postgresql.two),
        ("proof GET, PostgreSQL, two processes", postgresql.proofs),
        ("verify POST, two processes", postgresql.verified),
    ]
    lines = [
        f"| {CLIENTS} connections | a second | p50 | p99 | processor, each |",
        "|---|---:|---:|---:|---:|",
    ]
    for what, rounds in rows:
        one = _middle(rounds)
        lines.append(
            f"| {what} | {one.per_second:,.0f} | {one.p50_ms:.1f} ms | {one.p99_ms:.1f} ms | "
            f"{one.cpu_us:,.0f} µs |"
        )
    return [*lines, ""]


def _middle(rounds: Sequence[Figures]) -> Figures:
    """Return the round that was neither the fastest nor the slowest."""
    return sorted(rounds, key=lambda one: one.per_second)[len(rounds) // 2]


def _memory(run: Run) -> list[str]:
    lines = ["| most memory of a server, up to and with | SQLite | PostgreSQL |", "|---|---:|---:|"]
    lines += [f"| {what} | {mib:.0f} MiB | |" for what, mib in run.sqlite.peak_mib.items()]
    lines += [f"| {what} | | {mib:.0f} MiB |" for what, mib in run.postgresql.peak_mib.items()]
    return [*lines, ""]


def _words(run: Run) -> str:
    return dedent(f"""\
        Every answer was verified. Each id was looked up and has its digest; each proof leads from
        its digest to its root; each of {BADGES} signed badges, fetched and sent back, was `valid`.

        Ours and the floor were asked in turns, {run.rounds} rounds each; a figure is that of the
        middle round, a ratio the median of the rounds. Both run under uvicorn, one process, on the
        same SQLite file with the same settings, and answer when their commit is synced.

        - **The floor of a single POST** is a bare FastAPI route that inserts one row and commits.
          It has no key, no idempotency key, no limit, no log, and no digest that it may have
          already. What waits for SQLite's writer at one time shares a commit with us, and not with
          the floor ([decision 20](../decisions/0020-small-requests-share-a-transaction.md)).
        - **The floor of a proof** is a bare route that reads one row, as long as the proof.
          Ours reads the credential and its batch, and takes the path from tiles. Tiles that were
          used lately are in memory; a proof from another costs 254 hashes more. "Scattered" are
          proofs of {PROOFS:,} credentials from anywhere in a batch of the bulk's size.
        - **Bulk** has no floor: one request, binary; on SQLite into a new database each round, on
          PostgreSQL into one that grows.
        - **PostgreSQL** serves two API processes and, before the proofs, a `ledger worker` that
          seals and anchors what they took, on an Anvil of one block a second. What one process
          took, both prove. A verification asks that chain, whose time is in it. The keys there
          are light ones: a service that opens its own takes 256 MiB more for a moment (scrypt).

        The processor's time is the server's, all its threads, without PostgreSQL and Anvil. The
        client takes its share of the same machine.
        """)
