"""The command itself: which groups there are, and how an error ends it."""

import os
import sys
from typing import Final

import typer

from ledger.cli import chain, checking, demo, issuer, issuing, operator, revoking, setup
from ledger.config import is_debugging
from ledger.errors import LedgerError

UNEXPECTED: Final = 70
"""Exit code of a bug (EX_SOFTWARE)."""

INTERRUPTED: Final = 130

app = typer.Typer(
    name="ledger",
    help="Anchor micro-credentials on a chain, and prove them for ever with one file.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

demo.add_commands(app)
setup.add_commands(app)
issuer.add_commands(app)
operator.add_commands(app)
issuing.add_commands(app)
revoking.add_commands(app)
checking.add_commands(app)
chain.add_commands(app)


def run() -> None:
    """Run the command; every error is one line that says what to do."""
    try:
        app()
    except LedgerError as error:
        sys.stderr.write(f"ledger: {error.message} [{error.code}]\n")
        sys.exit(error.exit_code)
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
