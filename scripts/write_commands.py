"""Write docs/reference/commands.md: what `--help` says of every command, word for word."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from ledger.cli.main import app

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "commands.md"

HEAD = """# Commands

What `ledger COMMAND --help` says, word for word: this page is written by
`scripts/write_commands.py`, and a test compares the two. The [guides](../guide/) show the
commands at work; [errors](errors.md) lists what they can say and their exit codes.
"""


def names(command: Any, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - typer names no public class
    """Give the words of every command below `command` that does something, in its order."""
    for name in command.list_commands(None):
        below = command.commands[name]
        if hasattr(below, "commands"):
            if below.invoke_without_command:
                yield (*prefix, name)
            yield from names(below, (*prefix, name))
        else:
            yield (*prefix, name)


def help_of(words: tuple[str, ...]) -> str:
    """Return what a command says of itself."""
    # The width is fixed, whatever the terminal of who runs this.
    result = CliRunner().invoke(
        app, [*words, "--help"], prog_name="ledger", env={"COLUMNS": "90", "TERMINAL_WIDTH": "90"}
    )
    if result.exit_code != 0:
        sys.exit(result.output)
    return result.output


def page() -> str:
    """Return the whole page."""
    commands = list(names(typer.main.get_command(app)))
    parts = [HEAD]
    parts += [
        f"## ledger {' '.join(words)}\n\n```text\n{help_of(words).rstrip()}\n```\n"
        for words in commands
    ]
    return "\n".join(parts)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
