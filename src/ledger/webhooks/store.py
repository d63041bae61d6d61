"""The webhooks of issuers. What signs their messages is not here: see `secrets`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from ledger.batches.events.store import EventKind
from ledger.database import Id, metadata
from ledger.errors import NotFoundError
from ledger.webhooks.deliveries.store import DeliveryState, deliveries, drop_deliveries

webhooks: Final = sa.Table(
    "webhooks",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("public_id", sa.Text, nullable=False, unique=True),
    sa.Column("issuer", sa.BigInteger, sa.ForeignKey("issuers.number"), nullable=False, index=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("kinds", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("rotated_at", sa.BigInteger),
    sa.Column("failures", sa.BigInteger, nullable=False),
    sa.Column("rests_until", sa.BigInteger),
    sa.Column("leased_until", sa.BigInteger),
    sa.Column("served_at", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where an issuer wants to be told, and of what."""

    id: int
    public_id: str
    """A random UUID, never given twice: the secret follows from it."""
    issuer: int
    url: str
    """May carry a token of the receiver's: shown to the issuer, never logged."""
    kinds: tuple[EventKind, ...]
    created_at: int
    generation: int
    """How often its secret was replaced."""
    rotated_at: int | None
    failures: int
    """How many attempts in a row have failed."""
    rests_until: int | None
    """Nothing is sent before: the receiver failed."""


_SELECT: Final = sa.select(
    webhooks.c.id,
    webhooks.c.public_id,
    webhooks.c.issuer,
    webhooks.c.url,
    webhooks.c.kinds,
    webhooks.c.created_at,
    webhooks.c.generation,
    webhooks.c.rotated_at,
    webhooks.c.failures,
    webhooks.c.rests_until,
)


def _webhook(row: sa.RowMapping) -> Webhook:
    kinds = tuple(EventKind(kind) for kind in row["kinds"].split(","))
    return Webhook(**{**row, "kinds": kinds})


def add_webhook(
    tx: sa.Connection,
    issuer: int,
    *,
    public_id: str,
    url: str,
    kinds: Sequence[EventKind],
    now: int,
) -> Webhook:
    """Store a new webhook."""
    tx.execute(
        sa.insert(webhooks).values(
            public_id=public_id,
            issuer=issuer,
            url=url,
            kinds=",".join(sorted(set(kinds))),
            created_at=now,
            generation=0,
            failures=0,
            served_at=0,
        )
    )
    return get_webhook(tx, issuer, public_id)


def get_webhook(tx: sa.Connection, issuer: int, public_id: str) -> Webhook:
    """Return a webhook of this issuer.

    Raises:
        NotFoundError: the issuer has none of this id.

    """
    query = _SELECT.where(webhooks.c.public_id == public_id, webhooks.c.issuer == issuer)
    row = tx.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError("no-webhook", "the issuer has no webhook of this id")
    return _webhook(row)


def list_webhooks(tx: sa.Connection, issuer: int) -> list[Webhook]:
    """Return the issuer's webhooks, oldest first."""
    rows = tx.execute(_SELECT.where(webhooks.c.issuer == issuer).order_by(webhooks.c.id))
    return [_webhook(row) for row in rows.mappings()]


def remove_webhook(tx: sa.Connection, webhook: Webhook) -> None:
    """Forget a webhook, and what it was or was to be told."""
    # Locked first: who tells it of a new event either came before, or finds it gone.
    tx.execute(sa.select(webhooks.c.id).where(webhooks.c.id == webhook.id).with_for_update())
    drop_deliveries(tx, webhook.id)
    tx.execute(sa.delete(webhooks).where(webhooks.c.id == webhook.id))


def rotate_webhook(tx: sa.Connection, webhook: Webhook, *, now: int) -> Webhook:
    """Go on to the webhook's next secret; the one before it signs too for a while."""
    tx.execute(
        sa.update(webhooks)
        .where(webhooks.c.id == webhook.id)
        .values(generation=webhooks.c.generation + 1, rotated_at=now)
    )
    return get_webhook(tx, webhook.issuer, webhook.public_id)


def list_listeners(tx: sa.Connection, issuer: int, kind: EventKind, *, noted_at: int) -> list[int]:
    """Return the row ids of the issuer's webhooks for `kind`; they stay while `tx` does.

    One that was made after the event was noted is not told: where no worker ran, events are old.
    """
    query = sa.select(webhooks.c.id, webhooks.c.kinds).where(
        webhooks.c.issuer == issuer, webhooks.c.created_at <= noted_at
    )
    rows = tx.execute(query.order_by(webhooks.c.id).with_for_update(read=True))
    return [row.id for row in rows if kind in row.kinds.split(",")]


def _has_due(now: int, *, longest_rest: int) -> sa.ColumnElement[bool]:
    rests_until = webhooks.c.rests_until
    # Nobody rests for longer: a time beyond is that of a clock that was set back since.
    is_awake = sa.or_(rests_until.is_(None), rests_until <= now, rests_until > now + longest_rest)
    is_due = sa.exists().where(
        deliveries.c.webhook_id == webhooks.c.id,
        deliveries.c.state == DeliveryState.WAITING,
        deliveries.c.next_at <= now,
    )
    return sa.and_(is_awake, is_due)


def _is_free(now: int, seconds: int) -> sa.ColumnElement[bool]:
    until = webhooks.c.leased_until
    return sa.or_(until.is_(None), until <= now, until > now + seconds)


def is_one_due(tx: sa.Connection, *, now: int, seconds: int, longest_rest: int) -> bool:
    """Return whether `lease_webhook` would give one."""
    due = sa.and_(_is_free(now, seconds), _has_due(now, longest_rest=longest_rest))
    return tx.execute(sa.select(webhooks.c.id).where(due).limit(1)).first() is not None


def lease_webhook(
    tx: sa.Connection, *, now: int, seconds: int, longest_rest: int
) -> Webhook | None:
    """Lease a webhook that has something to be sent, the one served longest ago first.

    Two workers never have the same one, so a receiver gets one message at a time, and a
    receiver that does not answer keeps one worker busy and not all. A worker that dies loses
    it when the lease runs out.
    """
    due = (
        sa.select(webhooks.c.id)
        .where(_is_free(now, seconds), _has_due(now, longest_rest=longest_rest))
        .order_by(webhooks.c.served_at, webhooks.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    leased = tx.execute(
        sa.update(webhooks)
        .where(webhooks.c.id == due.scalar_subquery())
        .values(leased_until=now + seconds, served_at=now)
        .returning(webhooks.c.id)
    ).scalar_one_or_none()
    if leased is None:
        return None
    return _webhook(tx.execute(_SELECT.where(webhooks.c.id == leased)).mappings().one())


def release_webhook(
    tx: sa.Connection, webhook_id: int, *, failures: int, rests_until: int | None
) -> None:
    """Give a leased webhook back, to rest until then when it failed."""
    tx.execute(
        sa.update(webhooks)
        .where(webhooks.c.id == webhook_id)
        .values(leased_until=None, failures=failures, rests_until=rests_until)
    )


def wake_webhook(tx: sa.Connection, webhook_id: int) -> None:
    """End a webhook's rest: somebody says that its receiver is back."""
    tx.execute(sa.update(webhooks).where(webhooks.c.id == webhook_id).values(rests_until=None))


def count_deliveries(tx: sa.Connection) -> dict[tuple[int, DeliveryState], int]:
    """Return how many deliveries each issuer with a webhook has in each state."""
    query = (
        sa.select(webhooks.c.issuer, deliveries.c.state, sa.func.count())
        .join(deliveries, deliveries.c.webhook_id == webhooks.c.id)
        .group_by(webhooks.c.issuer, deliveries.c.state)
    )
    found = {(row[0], row[1]): int(row[2]) for row in tx.execute(query)}
    issuers = tx.execute(sa.select(webhooks.c.issuer).distinct().order_by(webhooks.c.issuer))
    return {
        (issuer, state): found.get((issuer, state), 0)
        for issuer in issuers.scalars()
        for state in DeliveryState
    }
