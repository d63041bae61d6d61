"""The open alarms: one for each code and subject. Some stop all sending until a person resumes."""

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from ledger.database import metadata
from ledger.errors import ConflictError

alarms: Final = sa.Table(
    "alarms",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("raised_at", sa.BigInteger, nullable=False),
    sa.Column("stops_sending", sa.Boolean, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person must know, until it is over or they say that they do."""

    code: str
    subject: str
    """What it is about, such as an address; one alarm a code and subject."""
    message: str
    raised_at: int
    stops_sending: bool


LOW_BALANCE: Final = "low-balance"
NOT_TAKEN: Final = "not-taken"
RESTORED: Final = "restored"
"""The alarm that keeps a restored installation from sending until `ledger.backup.replay` ran."""


def raise_alarm(tx: sa.Connection, alarm: Alarm) -> None:
    """Keep an alarm; one of the same code and subject that is open already stays as it was."""
    tx.execute(
        sa.text(
            "INSERT INTO alarms (code, subject, message, raised_at, stops_sending) "
            "VALUES (:code, :subject, :message, :raised_at, :stops_sending) ON CONFLICT DO NOTHING"
        ),
        {
            "code": alarm.code,
            "subject": alarm.subject,
            "message": alarm.message,
            "raised_at": alarm.raised_at,
            "stops_sending": alarm.stops_sending,
        },
    )


def list_alarms(tx: sa.Connection) -> list[Alarm]:
    """Return the open alarms, oldest first."""
    rows = tx.execute(sa.select(alarms).order_by(alarms.c.raised_at, alarms.c.code))
    return [Alarm(**row) for row in rows.mappings()]


def clear_alarm(tx: sa.Connection, code: str, subject: str) -> None:
    """Forget an alarm; there may be none."""
    tx.execute(sa.delete(alarms).where(alarms.c.code == code, alarms.c.subject == subject))


def check_sending(tx: sa.Connection) -> None:
    """Return when nothing forbids to sign and send.

    Raises:
        ConflictError: an alarm stops it until a person resumes.

    """
    _check_no_alarm([alarm for alarm in list_alarms(tx) if alarm.stops_sending])


def check_replayed(tx: sa.Connection) -> None:
    """Return when the chain was asked since this installation was restored, if it was.

    What waits in a backup may be anchored already, so until then it is sealed by `replay` alone.

    Raises:
        ConflictError: the chain was not asked yet.

    """
    _check_no_alarm([alarm for alarm in list_alarms(tx) if alarm.code == RESTORED])


def _check_no_alarm(stopping: list[Alarm]) -> None:
    if stopping:
        raise ConflictError(
            "sending-stopped",
            f"{stopping[0].message}. Nothing is sent: look into it, then run `ledger resume`",
        )
