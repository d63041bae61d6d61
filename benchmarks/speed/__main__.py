"""`python -m benchmarks.speed [ROWS ...]`."""

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.speed.issuing import measure_rosters
from benchmarks.speed.report import Run, format_page
from benchmarks.speed.trees import measure_trees

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "performance.md"
ROWS = (1_000, 10_000, 100_000)
DIGESTS = 1_000_000


def main() -> None:
    """Measure, and write the page unless told other sizes."""
    sizes = tuple(map(int, sys.argv[1:])) or ROWS
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        rosters = list(measure_rosters(Path(folder), sizes))
        trees = measure_trees(DIGESTS if sizes == ROWS else sum(sizes))
    page = format_page(Run(rosters, trees, load))
    print(page)
    if sizes == ROWS:
        PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
