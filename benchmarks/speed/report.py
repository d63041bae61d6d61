"""Write docs/reference/performance.md."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import dedent

from benchmarks.speed.issuing import Issuing
from benchmarks.speed.trees import Trees
from ledger.second_process import LEAST


@dataclass(frozen=True, slots=True)
class Run:
    """All that was measured, one after the other on one machine."""

    rosters: Sequence[Issuing]
    trees: Trees
    load: float
    """Processes that wanted a processor when the run began."""


def format_page(run: Run) -> str:
    """Return the page, as Markdown."""
    issuing = map(_roster, run.rosters)
    return "\n".join(
        [_head(run), ISSUING_HEAD, *issuing, ISSUING_WORDS, _trees(run.trees), TREES_WORDS]
    )


def _head(run: Run) -> str:
    python, size = platform.python_version(), run.rosters[-1].badge_bytes
    machine = f"{os.cpu_count()} processors, {platform.system()}, Python {python}"
    return dedent(f"""\
        # Performance

        Written by `python -m benchmarks.speed`, in one run. Ratios compare; times are those of
        one machine: {machine}.
        When the run began, {run.load:.1f} other processes wanted a processor. Where that is more
        than none, the clock says as much of them as of us: read the processor's time.

        ## From a roster to badges in a folder

        Issued: read, checked, signed, and stored in SQLite in one durable transaction. Sealed.
        Written: an indented JSON file a badge, of some {size:,} bytes, on the disk.
        Chain: anchored on a local Anvil and followed until final, which is the same wait for one
        badge and for a million; it is in no other column. From {LEAST:,} rows on, two processes
        share the work. Busier: the processor's time of whichever of them worked longer, stage by
        stage, which is what the clock comes to when each has a processor and the disk keeps up.
        """)


WORK = ("issued", "sealed", "written")


def _roster(roster: Issuing) -> str:
    wall, cpu = roster.wall_seconds(*WORK), roster.cpu_seconds(*WORK)
    busier = roster.busier_seconds(*WORK)
    floor = roster.cpu_seconds("floor")
    cells = (
        f"{roster.rows:,}",
        *(f"{roster.wall_seconds(stage):.1f} s" for stage in (*WORK, "anchored")),
        f"{roster.rows / wall:,.0f}",
        f"{1e6 * cpu / roster.rows:.0f} µs",
        f"{1e6 * busier / roster.rows:.0f} µs",
        f"{roster.rows / busier:,.0f}",
        f"{1e6 * floor / roster.rows:.0f} µs",
        f"{cpu / floor:.1f}",
        f"{roster.peak_mib:.0f} MiB",
    )
    return f"| {' | '.join(cells)} |"


ISSUING_HEAD = """\
| Rows | Issued | Sealed | Written | Chain | Rows a second | Processor, each \
| Busier, each | Rows a busier second | Floor, each | Times the floor | Peak |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"""

ISSUING_WORDS = """
The floor signs as often with Ed25519, digests each document twice and writes as many files of
the same size, without a name of their own until they are whole, an index, a database or a
proof. How fast a file system makes a file varies more than all else; it is in both.

The peak is that of opening a key: scrypt takes 256 MiB for a moment. Up to a hundred thousand
rows, issuing stays below it.

## The root and all proofs
"""


def _trees(trees: Trees) -> str:
    names = {
        "floor": "the SHA-256 calls alone",
        "ours": "ours: tiles, root, every proof",
        "peer": "blockcerts-merkletools: the same",
        "sealed": "ours, through SQLite: accepted, sealed, every proof",
    }
    lines = [
        f"Of {trees.digests:,} digests:",
        "",
        "| | Processor | Each | Peak |",
        "|---|---:|---:|---:|",
    ]
    for kind, usage in trees.usage.items():
        lines.append(
            f"| {names[kind]} | {usage.cpu_seconds:.1f} s "
            f"| {1e6 * usage.cpu_seconds / trees.digests:.1f} µs | {usage.peak_mib:.0f} MiB |"
        )
    return "\n".join(lines)


TREES_WORDS = """
Making the digests is in every line. The peer keeps the whole tree in memory, and its tree has no
prefixes that keep a leaf from being passed off as a node.
"""
