"""Options that several commands share, so that they read alike everywhere."""

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[
    Path | None,
    typer.Option(
        "--home", metavar="DIR", help="The installation; else LEDGER_HOME, else ./.ledger."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
IssuerNumber = Annotated[
    int | None,
    typer.Option("--issuer", metavar="N", help="Which issuer; needed when there are several."),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="Its first line opens the keystore; else LEDGER_PASSWORD_FILE, the setting, a prompt.",
    ),
]
