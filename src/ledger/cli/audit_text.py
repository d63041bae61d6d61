"""The report of an audit, as a person reads it on a terminal."""

from typing import TYPE_CHECKING, Final

from ledger.cli.output import show, show_table
from ledger.clock import format_time
from ledger.primitives import counted, format_address, format_chain

if TYPE_CHECKING:
    from ledger.audit.proof_folder import ProofFolder
    from ledger.audit.reconcile import Reconciliation
    from ledger.audit.report import Report

DID_CHARACTERS: Final = 100
"""Shown of a DID, which may have 2,048; the report has it whole."""


def show_audit(report: "Report") -> None:
    """Print what was audited, what there is, and what was found."""
    audit = report.audit
    block = audit.block
    show(f"registry  {format_address(audit.world.registry)} on {format_chain(audit.chain)}")
    show(f"block     {block.number} of {format_time(block.time)}, 0x{block.hash.hex()}")
    for name, final in audit.endpoints:
        show(f"asked     {name}, whose final block is {final.number}")
    show()
    _show_issuers(report)
    show()
    if audit.is_proved:
        show(
            f"The history is complete: {audit.world.events:,} events lead to every head "
            "that the contract stores."
        )
    if not audit.heads_proved:
        show("The heads are the endpoints' word: they were not asked for a proof.")
    if report.database is not None:
        _show_database(report.database)
    if report.proofs is not None:
        _show_proofs(report.proofs)
    _show_findings(report)


def _show_issuers(report: "Report") -> None:
    from ledger.audit.report import issuers_of, totals

    columns = ["issuer", "events", "anchors", "credentials", "revoked", "suspended", "DID"]
    rows = []
    for issuer in issuers_of(report.audit):
        sums = totals(issuer)
        numbers = (sums.anchors, sums.credentials, sums.revoked, sums.suspended)
        rows.append(
            (
                issuer.number,
                issuer.position + 1,
                *numbers,
                printable(issuer.did or "-")[:DID_CHARACTERS],
            )
        )
    show_table(columns, rows)


def _show_database(found: "Reconciliation") -> None:
    show(
        f"Compared with the database: {counted(found.issuers, 'issuer')}, "
        f"{counted(found.batches, 'batch', 'batches')}, "
        f"{counted(found.leaves, 'leaf', 'leaves')}, "
        f"{counted(found.status_changes, 'change')} of status."
    )
    if found.spending:
        show()
        show_table(
            ["spent on", "transactions", "gas", "ether"],
            [
                (spent.purpose, spent.transactions, spent.gas, f"{spent.fees_wei / 10**18:.6f}")
                for spent in found.spending
            ],
        )
        show()


def _show_proofs(found: "ProofFolder") -> None:
    counts = ", ".join(
        f"{count:,} {standing}" for standing, count in sorted(found.standings.items())
    )
    show(f"Compared with {counted(found.files, 'proof')}: {counts or 'none fits'}.")


def _show_findings(report: "Report") -> None:
    if not report.findings:
        show("Nothing was found that is not as it must be.")
        return
    count = len(report.findings)
    show(f"{counted(count, 'finding')}:")
    for finding in report.findings:
        show(f"  {finding.code}: {printable(finding.message)}")
        if str(finding.place):
            show(f"      at {finding.place}")
        for answer in finding.answers:
            show(f"      {printable(answer)}")


def printable(text: str) -> str:
    """Return text of strangers without what could steer a terminal."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
