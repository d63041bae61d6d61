"""The command itself: which groups there are, and how an error ends it."""

import os
import sys
from typing import Annotated, Any, Final

import typer

from ledger.cli import (
    anchoring,
    audit,
    chain,
    changing_status,
    checking,
    demo,
    issuer,
    issuing,
    operator,
    proving,
    schedule,
    serving,
    setup,
    standing,
    storage,
    submitting,
    template,
    working,
)
from ledger.cli.output import show
from ledger.config import is_debugging
from ledger.credentials.plain_text import visible
from ledger.errors import LedgerError, MalformedInputError

UNEXPECTED: Final = 70
"""Exit code of a bug (EX_SOFTWARE)."""

INTERRUPTED: Final = 130


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        show(f"ledger {version('ledger-registry')}")
        raise typer.Exit


app = typer.Typer(
    name="ledger",
    help="Anchor micro-credentials on a chain, and prove them for ever with one file.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


demo.add_commands(app)
setup.add_commands(app)
issuer.add_commands(app)
operator.add_commands(app)
issuing.add_commands(app)
submitting.add_commands(app)
template.add_commands(app)
anchoring.add_commands(app)
proving.add_commands(app)
schedule.add_commands(app)
serving.add_commands(app)
working.add_commands(app)
standing.add_commands(app)
changing_status.add_commands(app)
checking.add_commands(app)
audit.add_commands(app)
chain.add_commands(app)
storage.add_commands(app)


UsageError: Any = typer.BadParameter.__base__
"""What typer raises for words it cannot make sense of; only the subclass has a public name."""


def run() -> None:
    """Run the command; every error is one line that says what to do."""
    try:
        sys.exit(app(standalone_mode=False))
    except UsageError as error:
        sys.stderr.write(_usage(error))
        sys.exit(MalformedInputError.exit_code)
    except LedgerError as error:
        sys.stderr.write(_described(error))
        sys.exit(error.exit_code)
    except typer.Abort:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has had enough; nothing more can be told to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(UNEXPECTED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if is_debugging():
            raise
        name = type(error).__name__
        sys.stderr.write(
            f"ledger: unexpected {name}: this is a bug; LEDGER_DEBUG=1 shows where [unexpected]\n"
        )
        sys.exit(UNEXPECTED)


def _described(error: LedgerError) -> str:
    """Return an error as it is printed: one line with its code, then perhaps a list, indented."""
    first, *more = map(visible, error.message.split("\n  "))
    return "\n  ".join([f"ledger: {first} [{error.code}]", *more]) + "\n"


def _usage(error: Any) -> str:  # noqa: ANN401 - as `UsageError`
    message = error.format_message()
    if message.startswith("Usage: "):
        # No command was given: the message is the help.
        return f"{message}\n"
    command = error.ctx.command_path if error.ctx else "ledger"
    return f"ledger: {message.rstrip('.')}: see `{command} --help` [usage]\n"
