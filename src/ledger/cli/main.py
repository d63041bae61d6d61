"""The command itself: which groups there are, and how an error ends it."""

import os
import sys
from contextlib import suppress
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperGroup

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
    webhook,
    working,
)
from ledger.cli.output import show
from ledger.config import is_debugging
from ledger.credentials.plain_text import visible
from ledger.errors import ConflictError, LedgerError, MalformedInputError

UNEXPECTED: Final = 70
"""Exit code of a bug (EX_SOFTWARE)."""

INTERRUPTED: Final = 130

PIPE_CLOSED: Final = 141
"""Exit code when whoever read the output has had enough, as that of a program SIGPIPE ends."""


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        show(f"ledger {version('ledger-registry')}")
        raise typer.Exit


ORDER: Final = (
    *("demo", "chain"),
    *("init", "config", "deploy", "issuer", "operator"),
    *("template", "issue", "submit", "seal", "anchor", "status", "proof"),
    *("revoke", "suspend", "reinstate", "cancel", "resume"),
    *("schedule", "worker", "serve", "webhook"),
    *("verify", "digest", "audit"),
    *("fsck", "backup", "restore"),
)
"""The commands as a newcomer meets them: try, set up, issue, take back, let run, verify, keep."""


class _InOrder(TyperGroup):
    """The commands and groups of commands in the help, in `ORDER`."""

    def list_commands(self, _ctx: object) -> list[str]:
        return sorted(self.commands, key=ORDER.index)


app = typer.Typer(
    name="ledger",
    cls=_InOrder,
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
webhook.add_commands(app)
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
    _open_streams()
    try:
        sys.exit(_called())
    except UsageError as error:
        _end(_usage(error), MalformedInputError.exit_code)
    except LedgerError as error:
        _end(_described(error), error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        _end("", INTERRUPTED)
    except BrokenPipeError:
        _end("", PIPE_CLOSED)
    except OSError as error:
        if is_debugging():
            raise
        # A full disk, a folder that may not be written to: no bug, and the system says which.
        refused = ConflictError("system-refused", _told_by_system(error))
        _end(_described(refused), refused.exit_code)
    except Exception as error:
        if is_debugging():
            raise
        name = type(error).__name__
        _end(
            f"ledger: unexpected {name}: this is a bug; LEDGER_DEBUG=1 shows where [unexpected]\n",
            UNEXPECTED,
        )


def _open_streams() -> None:
    """Have streams that take every character: proofs in UTF-8, whatever the locale is."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # It was closed before the program began.
            stream = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for good
            setattr(sys, name, stream)
        elif stream.isatty():
            stream.reconfigure(errors="backslashreplace")
        else:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _called() -> int:
    """Run the command; return its exit code.

    Raises:
        BrokenPipeError: whoever read the output has had enough.

    """
    try:
        code: int = app(standalone_mode=False) or 0
    except SystemExit as end:
        # typer ends so when the output is closed, with 1, which is a verdict here.
        if isinstance(end.__context__, BrokenPipeError):
            raise end.__context__ from None
        raise
    sys.stdout.flush()
    return code


def _end(line: str, code: int) -> NoReturn:
    """End with a line on standard error, if anybody still reads it."""
    with suppress(OSError):
        sys.stderr.write(line)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # What is still buffered goes nowhere; the interpreter would complain at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


def _told_by_system(error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else reason


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
