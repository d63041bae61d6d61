"""`digest` and `verify`: what anyone can check, without an installation."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.files import read_file
from ledger.cli.options import Home, Json
from ledger.cli.output import show, show_json
from ledger.clock import now
from ledger.config import home_folder
from ledger.errors import MalformedInputError

if TYPE_CHECKING:
    from ledger.verification.offline import TrustedBlock
    from ledger.verification.policy import TrustPolicy


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.command()(digest)
    app.command()(verify)


def digest(
    file: Annotated[Path, typer.Argument(help="A credential, or any file.")],
    as_json: Json = False,
) -> None:
    """Print the digest of a file.

    It is what an anchor of this file covers.

    A credential is digested in its RFC 8785 form without its anchor proof, any other file as
    it is.
    """
    from ledger.credentials.document import read_document

    document = read_document(read_file(file))
    if as_json:
        show_json(
            {
                "algorithm": "sha-256",
                "canonicalization": str(document.canonicalization),
                "value": document.digest.hex(),
            }
        )
    else:
        show(f"{document.digest.hex()}  {document.canonicalization}")


def verify(
    file: Annotated[Path, typer.Argument(help="A badge or a proof file.")],
    document: Annotated[
        Path | None, typer.Option(help="The file that the proof file is about.")
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(help="A trust policy; else that of the installation, else this release's."),
    ] = None,
    rpc: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Ask this endpoint; repeat it, and all must agree."),
    ] = None,
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Ask nobody: the file must carry a state proof."),
    ] = False,
    trust: Annotated[
        list[str] | None,
        typer.Option(
            metavar="eip155:N=0xHASH",
            help="With --offline: believe the state at this block; repeat it for several.",
        ),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Verify a badge or a proof file.

    Asks the chain, and names every check with its outcome.

    With --offline it asks nobody, and reads the file's own state proof at a block whose
    hash you trust.

    Exit code 0: valid. 1: invalid. 2: the file cannot be read as either. 3: unknown, because
    something could not be asked or is not trusted; it must not be taken for valid.
    """
    from ledger.verification.checks import verify as verify_file

    report = verify_file(
        read_file(file),
        document=read_file(document) if document else None,
        policy=_policy(policy, home, rpc),
        now=now(),
        trusted=_trusted(trust or [], rpc, offline=offline),
    )
    if as_json:
        show_json(report.as_json())
    else:
        show(report.as_text())
    raise typer.Exit(report.exit_code)


def _trusted(
    blocks: list[str], rpc: list[str] | None, *, offline: bool
) -> "list[TrustedBlock] | None":
    """Return the blocks that are trusted; None when the chain is to be asked."""
    from ledger.verification.offline import parse_trusted_block

    if not offline and not blocks:
        return None
    if not offline or not blocks or rpc:
        raise MalformedInputError(
            "bad-trust",
            "--offline needs a --trust eip155:N=0xBLOCKHASH, --trust needs --offline, "
            "and neither goes with --rpc",
        )
    return [parse_trusted_block(block) for block in blocks]


def _policy(file: Path | None, home: Path | None, rpc: list[str] | None) -> "TrustPolicy":
    from ledger.verification.policy import default_policy, parse_policy

    installed = home_folder(home) / "policy.toml"
    chosen = file or (installed if installed.exists() else None)
    if chosen is None:
        policy = default_policy()
    else:
        policy = parse_policy(read_file(chosen).decode("utf-8", "replace"))
    return policy.with_rpcs(rpc) if rpc else policy
