"""Measure when numbers are given, read the other pages, and write the page."""

import sys

from benchmarks.capacity.figures import REFERENCE, keep_figures, load_figures
from benchmarks.capacity.page import format_page


def main(*sizes: int) -> None:
    """Do all of it."""
    measured = {}
    if sizes:
        from benchmarks.capacity.sizes import measure

        measured = measure(*sizes)
    keep_figures(measured)
    (REFERENCE / "capacity.md").write_text(format_page(load_figures()), "utf-8")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
