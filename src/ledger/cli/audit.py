"""`audit` and `audit export`: replay a registry's history, and hold records against it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.options import Json
from ledger.cli.output import progress_to, show, show_json
from ledger.config import load_settings
from ledger.errors import MalformedInputError
from ledger.primitives import Address, parse_address, parse_chain

if TYPE_CHECKING:
    from ledger.audit.auditor import Auditor
    from ledger.audit.report import Report

Registry = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="The contract; else where this release's one is."),
]
Rpc = Annotated[
    list[str] | None,
    typer.Option(metavar="URL", help="Ask this endpoint; repeat it, and all are compared."),
]
Chain = Annotated[
    str | None,
    typer.Option(metavar="CHAIN", help="What the endpoints must be on, such as eip155:1."),
]
BlockNumber = Annotated[
    int | None,
    typer.Option(metavar="N", min=0, help="Up to this final block; else the newest."),
]
FromBlock = Annotated[
    int,
    typer.Option(metavar="N", min=0, help="Read logs from this block on; too late would show."),
]

OfInstallation = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="Registry, endpoints, database of an installation."),
]

NoStateProof = Annotated[
    bool,
    typer.Option("--no-state-proof", help="Believe the endpoints about the heads; some must be."),
]


@dataclass(frozen=True, slots=True)
class Target:
    """What the options name."""

    registry: Address
    chain: int | None
    rpc: tuple[str, ...]
    database: str | None


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
    group.callback()(audit)
    group.command()(export)
    app.add_typer(group, name="audit")


def audit(
    context: typer.Context,
    registry: Registry = None,
    rpc: Rpc = None,
    chain: Chain = None,
    block: BlockNumber = None,
    from_block: FromBlock = 0,
    logs: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Take the logs from this recording, whoever made it."),
    ] = None,
    cursor: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Go on where this recording ends, and add to it."),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(metavar="URL|PATH", help="Compare with this issuer's database."),
    ] = None,
    proofs: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Compare with the badges and proof files in DIR."),
    ] = None,
    no_state_proof: NoStateProof = False,
    home: OfInstallation = None,
    as_json: Json = False,
) -> None:
    """Replay the registry's whole history and prove it complete.

    Every issuer, operator, accreditation, anchor and status is rebuilt from logs alone. The
    heads that the contract stores show whether one is missing or altered.

    With --home, the registry, the endpoints and the database are those of an installation.

    Exit code 0: nothing was found. 1: findings. 3: an endpoint did not answer.
    """
    if context.invoked_subcommand is not None:
        return
    from ledger.audit.auditor import Auditor, Question
    from ledger.audit.endpoints import open_endpoints

    target = _target(registry, rpc, chain, database, home)
    if logs is not None and cursor is not None:
        raise MalformedInputError("usage", "--logs reads a recording, --cursor keeps one: one only")
    question = Question(
        target.registry,
        target.chain,
        block,
        from_block,
        logs=logs,
        cursor=cursor,
        state_proof=not no_state_proof,
    )
    auditor = Auditor(open_endpoints(target.rpc), question)
    try:
        report = examine(auditor, database=target.database, proofs=proofs)
    finally:
        auditor.close()
    if as_json:
        show_json(report.as_json())
    else:
        show_report(report)
    raise typer.Exit(report.exit_code)


def export(
    file: Annotated[Path, typer.Argument(help="The recording to write.")],
    registry: Registry = None,
    rpc: Rpc = None,
    chain: Chain = None,
    block: BlockNumber = None,
    from_block: FromBlock = 0,
    no_state_proof: NoStateProof = False,
    home: OfInstallation = None,
) -> None:
    """Write the registry's logs to a file that `audit --logs` reads.

    Nodes forget old logs. A recording does not, and nobody need believe it: the heads in the
    contract show whether it is whole. It is written only when they do.
    """
    from ledger.audit.auditor import Auditor, Question
    from ledger.audit.endpoints import open_endpoints

    target = _target(registry, rpc, chain, None, home)
    beside = file.with_name(file.name + ".part")
    beside.unlink(missing_ok=True)
    question = Question(
        target.registry,
        target.chain,
        block,
        from_block,
        cursor=beside,
        state_proof=not no_state_proof,
    )
    auditor = Auditor(open_endpoints(target.rpc), question)
    try:
        report = examine(auditor)
        if report.exit_code == 0:
            beside.replace(file)
            show(
                f"{file}: {report.audit.world.events} logs up to block {report.audit.block.number}"
            )
        else:
            show_report(report)
    finally:
        auditor.close()
        beside.unlink(missing_ok=True)
    raise typer.Exit(report.exit_code)


def examine(
    auditor: "Auditor", *, database: str | None = None, proofs: Path | None = None
) -> "Report":
    """Audit up to the newest final block, and compare with what else was given.

    Raises:
        ChainError: an endpoint did not answer.
        MalformedInputError: a recording, the database or the folder cannot be read.

    """
    from ledger.audit.proof_folder import check_proofs
    from ledger.audit.reconcile import reconcile_database
    from ledger.audit.report import Report
    from ledger.database import Database, check_migrated

    with progress_to("Blocks") as on_block:
        audited = auditor.advance(on_block)
    reconciled = None
    if database is not None:
        opened = Database(database)
        try:
            check_migrated(opened)
            reconciled = reconcile_database(opened, audited.world, audited.block.number)
        finally:
            opened.close()
    checked = check_proofs(proofs, audited.world) if proofs is not None else None
    return Report(audited, reconciled, checked)


def show_report(report: "Report") -> None:
    """Print a report for people."""
    from ledger.cli.audit_text import show_audit

    show_audit(report)


def _target(
    registry: str | None,
    rpc: list[str] | None,
    chain: str | None,
    database: str | None,
    home: Path | None,
) -> Target:
    from ledger.chain.artifact import registry_address

    if home is not None:
        settings = load_settings(home)
        found = Target(settings.registry, settings.chain, settings.rpc, settings.database)
    else:
        found = Target(registry_address(), None, (), None)
    urls = tuple(rpc) if rpc else found.rpc
    if not urls:
        raise MalformedInputError("usage", "no endpoint: name one with --rpc, or --home")
    return Target(
        parse_address(registry) if registry is not None else found.registry,
        parse_chain(chain) if chain is not None else found.chain,
        urls,
        _database_url(database) if database is not None else found.database,
    )


def _database_url(named: str) -> str:
    """Return the URL of a database named by URL or by path.

    Raises:
        MalformedInputError: there is no such file, which SQLite would make.

    """
    if "://" in named:
        return named
    if not Path(named).is_file():
        raise MalformedInputError("no-file", f"there is no database {named}")
    return f"sqlite:///{Path(named).absolute()}"
