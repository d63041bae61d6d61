"""What `audit` and `audit export` do once their words are understood."""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ledger.cli.files import write_file
from ledger.cli.output import progress_to
from ledger.clock import now
from ledger.config import Settings, load_settings
from ledger.errors import ChainError, MalformedInputError
from ledger.primitives import Address, parse_address, parse_chain

if TYPE_CHECKING:
    from ledger.audit.auditor import Audit, Question
    from ledger.audit.proof_folder import ProofFolder
    from ledger.audit.reconcile import Reconciliation
    from ledger.audit.report import Report


@dataclass(frozen=True, slots=True)
class Target:
    """What the options name."""

    registry: Address
    chain: int | None
    rpc: tuple[str, ...]
    database: str | None


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


class Examiner:
    """An audit, and an issuer's records that it is held against; both go on as the chain does."""

    def __init__(
        self,
        rpc: Sequence[str],
        question: "Question",
        database: str | None,
        proofs: Path | None,
        *,
        publishes: bool = False,
    ) -> None:
        """Open the endpoints and the database.

        Raises:
            MalformedInputError: an endpoint or the database is spelled wrongly.
            ConflictError: the database is of another release.

        """
        from ledger.audit.auditor import Auditor
        from ledger.audit.endpoints import open_endpoints
        from ledger.audit.reconcile import Comparison
        from ledger.database import Database, check_migrated

        self._auditor = Auditor(open_endpoints(rpc), question)
        self._proofs = proofs
        self._publishes = publishes
        self._checked: tuple[int, ProofFolder] | None = None
        self._database = Database(database) if database is not None else None
        self._comparison = Comparison(self._database) if self._database else None
        if self._database:
            check_migrated(self._database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._auditor.close()
        if self._database:
            self._database.close()

    def examine(self) -> "Report":
        """Audit up to the newest final block, and compare with the records.

        Raises:
            ChainError: an endpoint did not answer.
            MalformedInputError: a recording, the database or the folder cannot be read.

        """
        from ledger.audit.report import Report
        from ledger.audit.summaries.summary import keep_summaries

        with progress_to("Blocks") as on_block:
            audited = self._auditor.advance(on_block)
        report = Report(audited, self._compare(audited), self._check_proofs(audited))
        if self._publishes and self._database:
            keep_summaries(self._database, report, now=now())
        return report

    def examine_later(self, last: "Report", *, seconds: int) -> "Report":
        """Wait, then examine again; an endpoint that is down is waited for."""
        sys.stderr.write(f"block {last.audit.block.number}: nothing found\n")
        time.sleep(seconds)
        try:
            return self.examine()
        except ChainError as error:
            sys.stderr.write(f"ledger: {error.message}; trying again [{error.code}]\n")
            return last

    def _compare(self, audited: "Audit") -> "Reconciliation | None":
        if self._comparison is None:
            return None
        found = self._comparison.compare(audited.world, audited.block.number)
        known = self._comparison.list_final_blocks().get(audited.chain)
        behind = self._auditor.hold_against(known) if known else []
        return replace(found, findings=behind + found.findings)

    def _check_proofs(self, audited: "Audit") -> "ProofFolder | None":
        """Read the folder, unless nothing has happened on chain since."""
        from ledger.audit.proof_folder import check_proofs

        if self._proofs is None:
            return None
        if self._checked is None or self._checked[0] != audited.world.events:
            self._checked = audited.world.events, check_proofs(self._proofs, audited.world)
        return self._checked[1]


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
    from ledger.audit.auditor import Question

    question = Question(settings.registry, settings.chain)
    with Examiner(settings.rpc, question, settings.database, proofs) as examiner:
        report = examiner.examine()
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
