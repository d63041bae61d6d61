"""What people and programs see: tables, JSON, progress."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

_NUMBER: Final = re.compile(r"[0-9,.]+")


def show(line: str = "") -> None:
    """Print one line."""
    sys.stdout.write(line + "\n")


def note(line: str) -> None:
    """Print one line beside the output, for people: nothing that reads the output sees it."""
    sys.stderr.write(line + "\n")


def show_json(value: Any) -> None:  # noqa: ANN401 - any JSON
    """Print a value as indented JSON."""
    show(json.dumps(value, indent=2, ensure_ascii=False))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their columns, left-aligned text and right-aligned numbers."""
    texts = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    right = [
        bool(texts) and all(_NUMBER.fullmatch(text) for text in column if text != "-")
        for column in zip(*texts, strict=True)
    ] or [False] * len(columns)
    widths = [max(len(cell) for cell in column) for column in zip(columns, *texts, strict=True)]
    for line in [list(columns), *texts]:
        cells = (
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(line, widths, right, strict=True)
        )
        show("  ".join(cells).rstrip())


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function to call with every number of things done; draws only on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.advance(task, done)


@contextmanager
def progress_to(label: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function to call with how far it is and how far it goes; draws only on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
