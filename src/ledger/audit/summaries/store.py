"""The last summary of each issuer; an audit writes nothing else into a database."""

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from ledger.database import metadata

audits: Final = sa.Table(
    "audits",
    metadata,
    sa.Column("issuer", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("audited_at", sa.BigInteger, nullable=False),
    sa.Column("summary", sa.JSON, nullable=False),
)


@dataclass(frozen=True, slots=True)
class KeptSummary:
    """What an audit said of one issuer, and when it ended."""

    audited_at: int
    summary: dict[str, Any]


def put_summary(tx: sa.Connection, issuer: int, summary: dict[str, Any], *, now: int) -> None:
    """Store the summary of an issuer in place of an older one."""
    tx.execute(sa.delete(audits).where(audits.c.issuer == issuer))
    tx.execute(sa.insert(audits).values(issuer=issuer, audited_at=now, summary=summary))


def find_summary(tx: sa.Connection, issuer: int) -> KeptSummary | None:
    """Return the last summary of an issuer, if it was ever audited."""
    query = sa.select(audits.c.audited_at, audits.c.summary).where(audits.c.issuer == issuer)
    row = tx.execute(query).one_or_none()
    return None if row is None else KeptSummary(*row)
