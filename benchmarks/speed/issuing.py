"""From a roster to badges in a folder, on a local chain that the installed command started."""

import csv
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.processes import python

LEDGER = Path(sys.executable).parent / "ledger"
START_SECONDS = 60
DOCUMENT_BYTES = 4_000
"""About what is digested of a badge of the bundled course."""


@dataclass(frozen=True, slots=True)
class Issuing:
    """One roster, issued, anchored and written."""

    rows: int
    stages: dict[str, tuple[float, float, float]]
    """Wall, processor and busier process's seconds: issued, sealed, anchored, written, floor."""
    peak_mib: float
    badge_bytes: int

    def wall_seconds(self, *stages: str) -> float:
        """Return how long these stages took together."""
        return sum(self.stages[stage][0] for stage in stages)

    def cpu_seconds(self, *stages: str) -> float:
        """Return how long a processor worked in these stages."""
        return sum(self.stages[stage][1] for stage in stages)

    def busier_seconds(self, *stages: str) -> float:
        """Return how long these stages take at least with a processor for each process."""
        return sum(self.stages[stage][2] for stage in stages)


def measure_rosters(folder: Path, sizes: Sequence[int]) -> Iterator[Issuing]:
    """Give what each roster took.

    Nothing is removed in between: a file system makes files slowly where many were removed.
    """
    with installation(folder) as home:
        for rows in sizes:
            yield _measure_roster(folder, home, rows)


def _measure_roster(folder: Path, home: Path, rows: int) -> Issuing:
    roster, badges = folder / f"{rows}.csv", folder / f"badges-{rows}"
    write_roster(roster, rows)
    used = python("benchmarks.speed.roster", roster, home, folder / "password", badges)
    written = list(badges.glob("*.json"))
    if len(written) != rows:
        raise RuntimeError(f"{len(written)} badges were written for {rows} rows")
    _run("verify", written[rows // 2], "--home", home)
    size = written[0].stat().st_size
    floor = python("benchmarks.speed.floor", rows, folder / f"floor-{rows}", DOCUMENT_BYTES, size)
    stages = json.loads(used.printed) | json.loads(floor.printed)
    return Issuing(rows, stages, used.peak_mib, size)


def write_roster(path: Path, rows: int) -> None:
    """Write a roster of `rows` learners whom no other roster here has."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "email", "awarded", "started", "ended", "score"])
        writer.writerows(
            (f"Zoé Lefèvre {n}", f"zoe.{n}.of.{rows}@example.org", *DAYS, 60 + n % 41)
            for n in range(rows)
        )


DAYS = ("2026-09-02", "2026-09-01", "2026-09-02")


@contextmanager
def installation(folder: Path) -> Iterator[Path]:
    """Give the home of an issuer on a local chain that runs for as long as the block does."""
    home, password = folder / "home", folder / "password"
    password.touch(mode=0o600)
    password.write_text("benchmark\n", "utf-8")
    options: list[str | Path] = ["--home", home, "--password-file", password]
    _run("init", *options, "--devchain")
    chain = subprocess.Popen(
        [LEDGER, "chain", "start", "--home", home],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        fund: list[str | Path] = [LEDGER, "chain", "fund", "--home", home]
        while subprocess.run(fund, capture_output=True, check=False).returncode != 0:
            if time.monotonic() > deadline or chain.poll() is not None:
                raise RuntimeError("the local chain does not answer")
        _run("deploy", *options)
        _run("issuer", "register", "--name", "Benchmark", *options)
        yield home
    finally:
        chain.terminate()
        chain.wait()


def _run(*arguments: str | Path) -> None:
    subprocess.run([LEDGER, *arguments], check=True, stdout=subprocess.DEVNULL)
