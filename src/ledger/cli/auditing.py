"""What `audit` and `audit export` do once their words are understood."""

import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.cli.files import write_file
from ledger.cli.output import progress_to
from ledger.config import Settings, load_settings
from ledger.errors import ChainError, MalformedInputError
from ledger.primitives import Address, parse_address, parse_chain

if TYPE_CHECKING:
    from ledger.audit.auditor import Auditor
    from ledger.audit.report import Report


@dataclass(frozen=True, slots=True)
class Target:
    """What the options name."""

    registry: Address
    chain: int | None
    rpc: tuple[str, ...]
    database: str | None


@dataclass(frozen=True, slots=True)
class Records:
    """What the chain is held against."""

    database: str | None = None
    """The URL of an issuer's database."""
    proofs: Path | None = None
    """A folder of badges and proof files."""


def read_target(
    registry: str | None,
    rpc: list[str] | None,
    chain: str | None,
    database: str | None,
    home: Path | None,
) -> Target:
    """Return what the options name; what they leave open is the installation's in `home`.

    Raises:
        MalformedInputError: one of them is spelled wrongly, or no endpoint is named.
        NotFoundError: there is no installation in `home`.

    """
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


def examine(auditor: "Auditor", records: Records) -> "Report":
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
    if records.database is not None:
        opened = Database(records.database)
        try:
            check_migrated(opened)
            reconciled = reconcile_database(opened, audited.world, audited.block.number)
        finally:
            opened.close()
    checked = check_proofs(records.proofs, audited.world) if records.proofs else None
    return Report(audited, reconciled, checked)


def examine_later(
    auditor: "Auditor", records: Records, last: "Report", *, seconds: int
) -> "Report":
    """Wait, then examine again; an endpoint that is down is waited for."""
    sys.stderr.write(f"block {last.audit.block.number}: nothing found\n")
    time.sleep(seconds)
    try:
        return examine(auditor, records)
    except ChainError as error:
        sys.stderr.write(f"ledger: {error.message}; trying again [{error.code}]\n")
        return last


def send_alarm(webhook: str, found: "Report") -> None:
    """Tell the web hook; that nobody takes it is said, and changes nothing else."""
    from ledger.audit.alarm import raise_alarm

    try:
        raise_alarm(webhook, found)
    except ChainError as error:
        # The finding counts more than who did not hear of it.
        sys.stderr.write(f"ledger: {error.message} [{error.code}]\n")


def audit_installation(settings: Settings, proofs: Path, folder: Path) -> "Report":
    """Audit the registry of an installation, its database and badges; write the report.

    Raises:
        ChainError: an endpoint did not answer.

    """
    from ledger.audit.auditor import Auditor, Question
    from ledger.audit.endpoints import open_endpoints

    question = Question(settings.registry, settings.chain)
    auditor = Auditor(open_endpoints(settings.rpc), question)
    try:
        report = examine(auditor, Records(settings.database, proofs))
    finally:
        auditor.close()
    write_report(report, folder)
    return report


def write_report(report: "Report", folder: Path) -> None:
    """Write `report.json` and `report.html`, each whole or not at all.

    Raises:
        ConflictError: they cannot be written there.

    """
    import json

    from ledger.audit.page import format_page

    text = json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / "report.json", text.encode())
    write_file(folder / "report.html", format_page(report).encode())
