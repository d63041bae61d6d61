"""The figures that the page is computed from, and where those that others measured stand."""

import json
import re
from pathlib import Path
from typing import Final

REFERENCE: Final = Path(__file__).parents[2] / "docs" / "reference"
FILE: Final = Path(__file__).parent / "figures.json"

Figures = dict[str, float]

ELSEWHERE: Final = {
    "anchor_gas": ("gas.md", r"^\| anchor a batch \| ([\d,]+)"),
    "revoke_word_gas": ("gas.md", r"^\| revoke 2,560 of ten words, a word \| ([\d,]+)"),
    "issue_microseconds": ("performance.md", r"^\| 10,000 \|(?:[^|]*\|){5} ([\d,.]+) µs"),
    "sealed_sqlite": ("worker-figures.md", r"^\| digests sealed a second \| ([\d,]+) \|"),
    "sealed_postgresql": ("worker-figures.md", r"^\| digests sealed a second \|.*\| ([\d,]+) \|$"),
    "submitted": ("worker-figures.md", r"^\| batches submitted a second.*\| ([\d.]+) \|$"),
    "single_sqlite": ("load.md", r"^\| single POST, SQLite \| ([\d,]+) \|"),
    "bulk_sqlite": ("load.md", r"^\| bulk POST of [\d,]+, SQLite \| [\d,]+ \| ([\d,]+) \|"),
    "bulk_postgresql": (
        "load.md",
        r"^\| bulk POST of [\d,]+, PostgreSQL \| [\d,]+ \| ([\d,]+) \|",
    ),
    "single_postgresql": (
        "load.md",
        r"^\| single POST, PostgreSQL, one process \| ([\d,]+) \|",
    ),
    "verify_post": ("load.md", r"^\| verify POST, two processes \| ([\d,]+) \|"),
    "proof_get": ("load.md", r"^\| proof GET, SQLite, batch of [\d,]+ \| ([\d,]+) \|"),
}
"""Which line of which page has a figure; those pages are written by their own benchmarks."""


def load_figures() -> Figures:
    """Return the figures that are kept."""
    figures: Figures = json.loads(FILE.read_text())
    return figures


def keep_figures(measured: Figures) -> None:
    """Put what was measured, and what the other pages say now, in the place of what is kept."""
    figures = load_figures() | measured | {name: _read(name) for name in ELSEWHERE}
    FILE.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")


def _read(name: str) -> float:
    page, pattern = ELSEWHERE[name]
    found = re.search(pattern, (REFERENCE / page).read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise LookupError(f"{page} has no line such as {pattern}")
    return float(found[1].replace(",", ""))
