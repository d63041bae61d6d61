"""Measure on both databases, and write the page."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.load.postgresql import measure_postgresql
from benchmarks.load.report import Run, format_page
from benchmarks.load.sqlite import measure_sqlite

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "load.md"
REQUESTS: Final = 4_000
BULK: Final = 1_000_000
ROUNDS: Final = 3


def main(requests: int = REQUESTS, count: int = BULK, rounds: int = ROUNDS) -> None:
    """Measure everything, print the page and write it."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        sqlite = measure_sqlite(Path(folder), requests, count, rounds)
    with tempfile.TemporaryDirectory() as folder:
        postgresql = measure_postgresql(Path(folder), requests, count, rounds)
    page = format_page(Run(requests, count, rounds, load, sqlite, postgresql))
    print(page)
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
