"""`audit` and `audit export`: replay a registry's history, and hold records against it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli import audit_options as options
from ledger.cli.audit_text import show_audit
from ledger.cli.auditing import Examiner, read_target, send_alarm, write_report
from ledger.cli.options import Json
from ledger.cli.output import show, show_json
from ledger.clock import parse_duration
from ledger.errors import MalformedInputError

if TYPE_CHECKING:
    from ledger.audit.report import Report


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    group = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
    group.callback()(audit)
    group.command()(export)
    app.add_typer(group, name="audit")


def audit(
    context: typer.Context,
    registry: options.Registry = None,
    rpc: options.Rpc = None,
    chain: options.Chain = None,
    block: options.BlockNumber = None,
    from_block: options.FromBlock = 0,
    logs: options.Logs = None,
    cursor: options.CursorFile = None,
    database: options.IssuerDatabase = None,
    proofs: options.ProofsFolder = None,
    report: options.ReportFolder = None,
    publish: options.Publish = False,
    watch: options.Watch = False,
    every: options.Every = options.WATCH_SECONDS,
    webhook: options.Webhook = None,
    max_head_age: options.MaxHeadAge = None,
    no_state_proof: options.NoStateProof = False,
    home: options.OfInstallation = None,
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
    from ledger.audit.auditor import Question

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
        max_head_age=parse_duration(max_head_age) if max_head_age else None,
    )
    if publish and target.database is None:
        raise MalformedInputError("usage", "--publish needs --home or --database: it writes there")
    with Examiner(target.rpc, question, target.database, proofs, publishes=publish) as examiner:
        found = examiner.examine()
        while watch and not found.findings:
            found = examiner.examine_later(found, seconds=every)
    _publish(found, webhook, report, as_json=as_json)
    raise typer.Exit(found.exit_code)


def export(
    file: Annotated[Path, typer.Argument(help="The recording to write.")],
    registry: options.Registry = None,
    rpc: options.Rpc = None,
    chain: options.Chain = None,
    block: options.BlockNumber = None,
    from_block: options.FromBlock = 0,
    max_head_age: options.MaxHeadAge = None,
    no_state_proof: options.NoStateProof = False,
    home: options.OfInstallation = None,
) -> None:
    """Write the registry's logs to a file that `audit --logs` reads.

    Nodes forget old logs. A recording does not, and nobody need believe it: the heads in the
    contract show whether it is whole. It is written only when they do.
    """
    from ledger.audit.auditor import Question

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
        max_head_age=parse_duration(max_head_age) if max_head_age else None,
    )
    try:
        with Examiner(target.rpc, question, None, None) as examiner:
            found = examiner.examine()
        if found.exit_code == 0:
            beside.replace(file)
            audited = found.audit
            show(f"{file}: {audited.world.events} logs up to block {audited.block.number}")
        else:
            show_audit(found)
    finally:
        beside.unlink(missing_ok=True)
    raise typer.Exit(found.exit_code)


def _publish(found: "Report", webhook: str | None, folder: Path | None, *, as_json: bool) -> None:
    """Tell of what was found, wherever it was asked for."""
    if as_json:
        show_json(found.as_json())
    else:
        show_audit(found)
    if webhook is not None:
        send_alarm(webhook, found)
    if folder is not None:
        # Last, as it may fail: what was found is said by then.
        write_report(found, folder)


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
