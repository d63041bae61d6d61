"""`audit` and `audit export`: replay a registry's history, and hold records against it."""

from pathlib import Path
from typing import Annotated, Final

import typer

from ledger.cli.audit_text import show_audit
from ledger.cli.auditing import (
    Records,
    examine,
    examine_later,
    read_target,
    send_alarm,
    write_report,
)
from ledger.cli.options import Json
from ledger.cli.output import show, show_json
from ledger.errors import MalformedInputError

WATCH_SECONDS: Final = 12
"""Between two looks; a block of Ethereum."""

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
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write report.json and report.html into DIR."),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep following; end at the first finding.")
    ] = False,
    every: Annotated[
        int, typer.Option(metavar="SECONDS", min=1, help="With --watch: between two looks.")
    ] = WATCH_SECONDS,
    webhook: Annotated[
        str | None,
        typer.Option(metavar="URL", help="With --watch: send the first finding there."),
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

    target = read_target(registry, rpc, chain, database, home)
    _check_words(logs, cursor, block, webhook, watch=watch)
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
        records = Records(target.database, proofs)
        found = examine(auditor, records)
        while watch and not found.findings:
            found = examine_later(auditor, records, found, seconds=every)
    finally:
        auditor.close()
    if webhook is not None:
        send_alarm(webhook, found)
    if report is not None:
        write_report(found, report)
    if as_json:
        show_json(found.as_json())
    else:
        show_audit(found)
    raise typer.Exit(found.exit_code)


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

    target = read_target(registry, rpc, chain, None, home)
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
        found = examine(auditor, Records())
        if found.exit_code == 0:
            beside.replace(file)
            audited = found.audit
            show(f"{file}: {audited.world.events} logs up to block {audited.block.number}")
        else:
            show_audit(found)
    finally:
        auditor.close()
        beside.unlink(missing_ok=True)
    raise typer.Exit(found.exit_code)


def _check_words(
    logs: Path | None,
    cursor: Path | None,
    block: int | None,
    webhook: str | None,
    *,
    watch: bool,
) -> None:
    """Return when these options go together.

    Raises:
        MalformedInputError: they do not, or the web hook is none.

    """
    if logs is not None and cursor is not None:
        raise MalformedInputError("usage", "--logs reads a recording, --cursor keeps one: one only")
    if cursor is not None and block is not None:
        raise MalformedInputError("usage", "--cursor goes to the newest block: leave --block out")
    if watch and (logs is not None or block is not None):
        raise MalformedInputError("usage", "--watch follows the chain: leave --logs, --block out")
    if webhook is not None:
        from ledger.audit.alarm import check_webhook

        if not watch:
            raise MalformedInputError("usage", "--webhook goes with --watch")
        check_webhook(webhook)
