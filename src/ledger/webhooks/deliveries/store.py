"""Messages, and for each webhook that hears one, how far it is.

    waiting --> delivered    the receiver said 2xx
       |  ^
       |  '---- somebody asks again
       '------> given-up     nobody took it for `GIVE_UP_SECONDS`

A message is written once and sent byte for byte as it is, however often.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from ledger.database import Id, metadata

GIVE_UP_SECONDS: Final = 3 * 86_400
"""After its making, or after somebody asked again, a message is sent no more."""

FORGOTTEN_AT_ONCE: Final = 1_000
"""Messages: more than can come between two times of forgetting, in all but a flood."""

messages: Final = sa.Table(
    "webhook_messages",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("public_id", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False, index=True),
)

deliveries: Final = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("webhook_id", Id, sa.ForeignKey("webhooks.id"), nullable=False),
    sa.Column("message_id", Id, sa.ForeignKey("webhook_messages.id"), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.BigInteger, nullable=False),
    sa.Column("next_at", sa.BigInteger, nullable=False),
    sa.Column("give_up_at", sa.BigInteger, nullable=False),
    sa.Column("answer", sa.Text),
    sa.Column("tried_at", sa.BigInteger),
    sa.UniqueConstraint("message_id", "webhook_id"),
    sa.Index(None, "webhook_id", "state", "next_at"),
)


class DeliveryState(StrEnum):
    """How far the delivery of a message to a webhook is."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given-up"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one webhook."""

    id: int
    message: str
    """The message's id, which the receiver sees."""
    kind: str
    state: DeliveryState
    attempts: int
    next_at: int
    """When it is sent next, while it waits."""
    give_up_at: int
    answer: str | None
    """What came of the last attempt: `HTTP 500`, or the code of a `FetchError`."""
    tried_at: int | None
    made_at: int


@dataclass(frozen=True, slots=True)
class DueMessage:
    """What is to be sent now."""

    delivery: int
    message: str
    body: bytes
    attempts: int
    give_up_at: int


def add_message(
    tx: sa.Connection,
    listeners: Sequence[int],
    *,
    public_id: str,
    kind: str,
    body: bytes,
    now: int,
) -> None:
    """Store a message that is due at once for each of these webhooks."""
    message_id: int = tx.execute(
        sa.insert(messages)
        .values(public_id=public_id, kind=kind, body=body, made_at=now)
        .returning(messages.c.id)
    ).scalar_one()
    common = {
        "message_id": message_id,
        "state": DeliveryState.WAITING,
        "attempts": 0,
        "next_at": now,
        "give_up_at": now + GIVE_UP_SECONDS,
    }
    tx.execute(sa.insert(deliveries), [{"webhook_id": one, **common} for one in listeners])


def find_due(tx: sa.Connection, webhook_id: int, *, now: int) -> DueMessage | None:
    """Return the message that has been due for this webhook longest."""
    row = tx.execute(
        sa.select(
            deliveries.c.id,
            messages.c.public_id,
            messages.c.body,
            deliveries.c.attempts,
            deliveries.c.give_up_at,
        )
        .join(messages, messages.c.id == deliveries.c.message_id)
        .where(
            deliveries.c.webhook_id == webhook_id,
            deliveries.c.state == DeliveryState.WAITING,
            deliveries.c.next_at <= now,
        )
        .order_by(deliveries.c.next_at, deliveries.c.id)
        .limit(1)
    ).one_or_none()
    return DueMessage(*row[:2], bytes(row.body), *row[3:]) if row else None


def note_attempt(
    tx: sa.Connection,
    due: DueMessage,
    *,
    state: DeliveryState,
    answer: str,
    next_at: int,
    now: int,
) -> None:
    """Note what came of an attempt; nothing when the webhook was removed meanwhile."""
    tx.execute(
        sa.update(deliveries)
        .where(deliveries.c.id == due.delivery)
        .values(
            state=state, answer=answer, next_at=next_at, tried_at=now, attempts=due.attempts + 1
        )
    )


def give_up_old(tx: sa.Connection, webhook_id: int, *, now: int) -> int:
    """Give up what has waited for its whole time; return how many there were."""
    done = tx.execute(
        sa.update(deliveries)
        .where(
            deliveries.c.webhook_id == webhook_id,
            deliveries.c.state == DeliveryState.WAITING,
            deliveries.c.give_up_at <= now,
        )
        .values(state=DeliveryState.GIVEN_UP)
    )
    return int(done.rowcount)


def send_again(tx: sa.Connection, webhook_id: int, message: str | None, *, now: int) -> int:
    """Make a message due, whatever came of it, or all that is not delivered; return how many."""
    changing = sa.update(deliveries).where(deliveries.c.webhook_id == webhook_id)
    if message is None:
        changing = changing.where(deliveries.c.state != DeliveryState.DELIVERED)
    else:
        named = sa.select(messages.c.id).where(messages.c.public_id == message)
        changing = changing.where(deliveries.c.message_id == named.scalar_subquery())
    values = {"next_at": now, "give_up_at": now + GIVE_UP_SECONDS, "attempts": 0}
    return int(tx.execute(changing.values(state=DeliveryState.WAITING, **values)).rowcount)


def page_of_deliveries(
    tx: sa.Connection, webhook_id: int, *, before: int | None, limit: int
) -> list[Delivery]:
    """Return up to `limit` of a webhook's deliveries, newest first, of ids below `before`."""
    query = (
        sa.select(
            deliveries.c.id,
            messages.c.public_id.label("message"),
            messages.c.kind,
            deliveries.c.state,
            deliveries.c.attempts,
            deliveries.c.next_at,
            deliveries.c.give_up_at,
            deliveries.c.answer,
            deliveries.c.tried_at,
            messages.c.made_at,
        )
        .join(messages, messages.c.id == deliveries.c.message_id)
        .where(deliveries.c.webhook_id == webhook_id)
    )
    if before is not None:
        query = query.where(deliveries.c.id < before)
    rows = tx.execute(query.order_by(deliveries.c.id.desc()).limit(limit))
    return [_delivery(row) for row in rows.mappings()]


def _delivery(row: sa.RowMapping) -> Delivery:
    return Delivery(**{**row, "state": DeliveryState(row["state"])})


def find_oldest_waiting(tx: sa.Connection) -> int | None:
    """Return when the oldest message that waits for a receiver was made."""
    query = (
        sa.select(sa.func.min(messages.c.made_at))
        .join(deliveries, messages.c.id == deliveries.c.message_id)
        .where(deliveries.c.state == DeliveryState.WAITING)
    )
    found: int | None = tx.execute(query).scalar_one()
    return found


def drop_deliveries(tx: sa.Connection, webhook_id: int) -> None:
    """Forget what a webhook was or was to be told."""
    tx.execute(sa.delete(deliveries).where(deliveries.c.webhook_id == webhook_id))


def forget_messages(tx: sa.Connection, *, before: int) -> None:
    """Drop some of what was made before this time and waits for nobody, oldest first."""
    waits = sa.exists().where(
        deliveries.c.message_id == messages.c.id, deliveries.c.state == DeliveryState.WAITING
    )
    query = sa.select(messages.c.id).where(messages.c.made_at < before, ~waits)
    # Named once: what ends to wait between two statements must not be in the second alone.
    old = list(tx.execute(query.order_by(messages.c.made_at).limit(FORGOTTEN_AT_ONCE)).scalars())
    if old:
        tx.execute(sa.delete(deliveries).where(deliveries.c.message_id.in_(old)))
        tx.execute(sa.delete(messages).where(messages.c.id.in_(old)))
