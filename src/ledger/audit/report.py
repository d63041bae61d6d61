"""The report of an audit: as JSON, and as text for a terminal.

It holds nothing but what follows from the audited block and from what it was held against,
in a fixed order: the same block gives the same bytes, today and in ten years.
"""

from dataclasses import dataclass
from typing import Any, Final

from ledger.audit.auditor import Audit
from ledger.audit.findings import Finding, moment
from ledger.audit.proof_folder import ProofFolder
from ledger.audit.reconcile import Reconciliation
from ledger.audit.world import AnchorState, IssuerState
from ledger.primitives import format_address, format_chain

FORMAT: Final = "ledger-audit/1"

SOUND, FINDINGS = 0, 1
"""Exit codes of `ledger audit`; 3, an endpoint that does not answer, is `ChainError`'s."""


@dataclass(frozen=True, slots=True)
class Report:
    """An audit and what it was held against."""

    audit: Audit
    database: Reconciliation | None = None
    proofs: ProofFolder | None = None

    @property
    def findings(self) -> list[Finding]:
        """Return everything that was found, the history first."""
        beside = (self.database, self.proofs)
        return [
            *self.audit.findings,
            *(finding for part in beside if part is not None for finding in part.findings),
        ]

    @property
    def exit_code(self) -> int:
        """Return what `ledger audit` exits with."""
        return FINDINGS if self.findings else SOUND

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON."""
        audit = self.audit
        return {
            "format": FORMAT,
            "chain": format_chain(audit.chain),
            "registry": format_address(audit.world.registry),
            "block": {
                "number": audit.block.number,
                "hash": "0x" + audit.block.hash.hex(),
                "time": moment(audit.block.time),
            },
            "endpoints": [name for name, _ in audit.endpoints],
            "heads": "proved" if audit.heads_proved else "told",
            "proved": audit.is_proved,
            "events": audit.world.events,
            "issuers": [_issuer(issuer) for issuer in issuers_of(audit)],
            "database": _database(self.database) if self.database else None,
            "proofs": _proofs(self.proofs) if self.proofs else None,
            "findings": [finding.as_json() for finding in self.findings],
        }


def issuers_of(audit: Audit) -> list[IssuerState]:
    """Return the issuers by number."""
    return [audit.world.issuers[number] for number in sorted(audit.world.issuers)]


@dataclass(frozen=True, slots=True)
class Totals:
    """The anchors of an issuer, added up."""

    anchors: int
    bare: int
    """Of them of unknown size."""
    credentials: int
    revoked: int
    """Credentials whose bit is set, or whose batch is revoked."""
    suspended: int
    """Credentials whose bit is set, revoked ones too."""
    untrusted: int
    """Anchors that a compromise took the trust from."""


def totals(issuer: IssuerState) -> Totals:
    """Add up what an issuer anchored."""
    anchors = issuer.anchors.values()
    return Totals(
        anchors=len(anchors),
        bare=sum(anchor.size == 0 for anchor in anchors),
        credentials=sum(anchor.size for anchor in anchors),
        revoked=sum(_revoked(anchor) for anchor in anchors),
        suspended=sum(_bits(anchor.suspended) for anchor in anchors),
        untrusted=sum(not issuer.is_trusted(anchor) for anchor in anchors),
    )


def _revoked(anchor: AnchorState) -> int:
    return anchor.size if anchor.batch_revoked else _bits(anchor.revoked)


def _bits(words: dict[int, int]) -> int:
    return sum(word.bit_count() for word in words.values())


def _issuer(issuer: IssuerState) -> dict[str, Any]:
    sums = totals(issuer)
    return {
        "number": issuer.number,
        "did": issuer.did or None,
        "owner": format_address(issuer.owner),
        "registered": moment(issuer.registered_at),
        "events": issuer.position + 1,
        "head": "0x" + issuer.head.hex(),
        "anchors": sums.anchors,
        "bare_anchors": sums.bare,
        "untrusted_anchors": sums.untrusted,
        "credentials": sums.credentials,
        "revoked": sums.revoked,
        "suspended": sums.suspended,
        "operators": [
            {
                "address": format_address(address),
                "roles": int(record.roles),
                "compromised_since": record.compromised_since or None,
            }
            for address, record in sorted(issuer.operators.items())
        ],
        "accreditations": [
            {
                "issuer": holder,
                "from": moment(span.start),
                "until": moment(span.until) if span.until else None,
            }
            for holder, spans in sorted(issuer.spans.items())
            for span in spans
        ],
    }


def _database(found: Reconciliation) -> dict[str, Any]:
    return {
        "issuers": found.issuers,
        "batches": found.batches,
        "leaves": found.leaves,
        "status_changes": found.status_changes,
        "spending": [
            {
                "purpose": spent.purpose,
                "transactions": spent.transactions,
                "gas": spent.gas,
                # Beyond what JSON readers hold exactly.
                "fees_wei": str(spent.fees_wei),
            }
            for spent in found.spending
        ],
        "times": [
            {
                "issuer": times.issuer,
                "size": times.size,
                "sealed": moment(times.sealed_at),
                "submitted": moment(times.submitted_at),
                "anchored": moment(times.anchored_at),
                "delivered": moment(times.delivered_at) if times.delivered_at else None,
                "gas": times.gas,
            }
            for times in found.times
        ],
    }


def _proofs(found: ProofFolder) -> dict[str, int]:
    return {"files": found.files, **dict(sorted(found.standings.items()))}
