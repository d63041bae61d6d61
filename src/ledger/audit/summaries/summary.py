"""One issuer's share of a report: what its own people may know, and nothing of other issuers."""

from collections import Counter
from typing import Any

from ledger.audit.findings import Finding, moment
from ledger.audit.report import Report, totals
from ledger.audit.summaries.store import put_summary
from ledger.database import Database
from ledger.issuers.store import list_issuers
from ledger.primitives import format_address, format_chain


def keep_summaries(database: Database, report: Report, *, now: int) -> None:
    """Store what `report` says of each issuer of the database."""
    with database.write() as tx:
        for issuer in list_issuers(tx):
            put_summary(tx, issuer.number, summarise(report, issuer.number), now=now)


def summarise(report: Report, issuer: int) -> dict[str, Any]:
    """Return the summary of one issuer, as JSON.

    Findings of the issuer and those of no issuer are counted by their codes; those of others
    are not.
    """
    audit = report.audit
    state = audit.world.issuers.get(issuer)
    sums = totals(state) if state else None
    found = Counter(str(one.code) for one in report.findings if _concerns(one, issuer))
    return {
        "chain": format_chain(audit.chain),
        "registry": format_address(audit.world.registry),
        "block": audit.block.number,
        "block_hash": "0x" + audit.block.hash.hex(),
        "block_time": moment(audit.block.time),
        "heads": "proved" if audit.heads_proved else "told",
        "proved": audit.is_proved,
        "events": state.position + 1 if state else 0,
        "head": "0x" + state.head.hex() if state else None,
        "anchors": sums.anchors if sums else 0,
        "credentials": sums.credentials if sums else 0,
        "revoked": sums.revoked if sums else 0,
        "suspended": sums.suspended if sums else 0,
        "findings": [{"code": code, "count": count} for code, count in sorted(found.items())],
    }


def _concerns(finding: Finding, issuer: int) -> bool:
    return finding.place.issuer in {issuer, None}
