"""The schedules of the issuers: one each, or none."""

from dataclasses import asdict
from typing import Final

import sqlalchemy as sa

from ledger.batches.schedules.schedule import Schedule
from ledger.database import metadata

schedules: Final = sa.Table(
    "schedules",
    metadata,
    sa.Column("issuer", sa.BigInteger, sa.ForeignKey("issuers.number"), primary_key=True),
    sa.Column("set_at", sa.BigInteger, nullable=False),
    sa.Column("cron", sa.Text),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("every_seconds", sa.BigInteger),
    sa.Column("at_waiting", sa.BigInteger),
    sa.Column("max_age_seconds", sa.BigInteger),
)


def set_schedule(tx: sa.Connection, issuer: int, schedule: Schedule | None) -> None:
    """Give the issuer this schedule in place of the one it had; None: none."""
    tx.execute(sa.delete(schedules).where(schedules.c.issuer == issuer))
    if schedule is not None:
        tx.execute(sa.insert(schedules).values(issuer=issuer, **asdict(schedule)))


def find_schedule(tx: sa.Connection, issuer: int) -> Schedule | None:
    """Return the issuer's schedule, if it has one."""
    query = sa.select(schedules).where(schedules.c.issuer == issuer)
    row = tx.execute(query).mappings().one_or_none()
    return Schedule(**{name: row[name] for name in row if name != "issuer"}) if row else None
