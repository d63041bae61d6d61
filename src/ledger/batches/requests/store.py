"""Requested status changes: what is to be done, with which transactions, and how it ended.

    waiting --> done       the chain says so, finally
       |
       '------> refused    the contract refuses; the reason is kept

Between the two, a request's transactions say how far it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from ledger.chain.registry.calls import StatusAction
from ledger.chain.store import TransactionState, transactions
from ledger.database import Id, metadata
from ledger.errors import ConflictError, NotFoundError
from ledger.primitives import Hash32

requests: Final = sa.Table(
    "status_requests",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("issuer", sa.BigInteger, sa.ForeignKey("issuers.number"), nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("reason", sa.SmallInteger, nullable=False),
    sa.Column("batch_id", Id, sa.ForeignKey("batches.id")),
    sa.Column("credentials", sa.BigInteger, nullable=False),
    sa.Column("requested_at", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("problem", sa.Text),
    sa.Column("ended_at", sa.BigInteger),
    sa.Index(None, "state", "id"),
)

members: Final = sa.Table(
    "status_request_members",
    metadata,
    sa.Column("request_id", Id, sa.ForeignKey("status_requests.id"), primary_key=True),
    sa.Column("credential_id", Id, sa.ForeignKey("credentials.id"), primary_key=True),
)

sendings: Final = sa.Table(
    "status_request_transactions",
    metadata,
    sa.Column("request_id", Id, sa.ForeignKey("status_requests.id"), primary_key=True),
    sa.Column("transaction_id", Id, sa.ForeignKey("transactions.id"), primary_key=True),
)


class RequestState(StrEnum):
    """How a request ended, if it has."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """One requested change."""

    id: int
    issuer: int
    action: StatusAction
    reason: int
    batch_id: int | None
    """The batch that is revoked whole; None when credentials are named."""
    credentials: int
    """How many credentials are named."""
    requested_at: int
    state: RequestState
    problem: str | None
    """Why the contract refuses."""
    ended_at: int | None


@dataclass(frozen=True, slots=True)
class Sending:
    """A transaction that serves a request."""

    hash: Hash32
    is_final: bool


def add_request(
    tx: sa.Connection,
    issuer: int,
    *,
    action: StatusAction,
    reason: int,
    batch_id: int | None,
    credential_ids: Sequence[int],
    now: int,
) -> StatusRequest:
    """Store a request for credentials, each named once, or for a whole batch."""
    row = tx.execute(
        sa.insert(requests)
        .values(
            issuer=issuer,
            action=action,
            reason=reason,
            batch_id=batch_id,
            credentials=len(credential_ids),
            requested_at=now,
            state=RequestState.WAITING,
        )
        .returning(requests)
    ).mappings()
    request = _request(row.one())
    if credential_ids:
        tx.execute(
            sa.insert(members),
            [{"request_id": request.id, "credential_id": one} for one in credential_ids],
        )
    return request


def get_request(tx: sa.Connection, issuer: int, request_id: int) -> StatusRequest:
    """Return a request of this issuer.

    Raises:
        NotFoundError: the issuer has none of this id.

    """
    query = sa.select(requests).where(requests.c.id == request_id, requests.c.issuer == issuer)
    row = tx.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError("no-status-change", f"there is no status change {request_id}")
    return _request(row)


def list_waiting(tx: sa.Connection, *, limit: int) -> list[StatusRequest]:
    """Return the oldest requests that have not ended."""
    query = sa.select(requests).where(requests.c.state == RequestState.WAITING)
    rows = tx.execute(query.order_by(requests.c.id).limit(limit)).mappings()
    return [_request(row) for row in rows]


def count_waiting(tx: sa.Connection) -> int:
    """Return how many requests have not ended."""
    query = sa.select(sa.func.count()).where(requests.c.state == RequestState.WAITING)
    return tx.execute(query).scalar_one()


def list_members(tx: sa.Connection, request_id: int) -> list[int]:
    """Return the row ids of the credentials that a request names."""
    query = sa.select(members.c.credential_id).where(members.c.request_id == request_id)
    return list(tx.execute(query.order_by(members.c.credential_id)).scalars())


def add_sending(tx: sa.Connection, request_id: int, transaction_id: int, *, known: int) -> None:
    """Note that a transaction, stored in this same `tx`, serves a request.

    Raises:
        ConflictError: the request has more than the `known` number of transactions, so another
            process is at it; what `tx` stored goes with it.

    """
    tx.execute(sa.select(requests.c.id).where(requests.c.id == request_id).with_for_update())
    count = sa.select(sa.func.count()).select_from(sendings)
    found: int = tx.execute(count.where(sendings.c.request_id == request_id)).scalar_one()
    if found != known:
        raise ConflictError("no-such-move", f"another process carries out request {request_id}")
    tx.execute(sa.insert(sendings).values(request_id=request_id, transaction_id=transaction_id))


def list_sendings(tx: sa.Connection, request_id: int) -> list[Sending]:
    """Return the transactions that serve a request, oldest first."""
    rows = tx.execute(
        sa.select(transactions.c.hash, transactions.c.state)
        .join(sendings, sendings.c.transaction_id == transactions.c.id)
        .where(sendings.c.request_id == request_id)
        .order_by(transactions.c.id)
    )
    return [
        Sending(Hash32(bytes(row.hash)), TransactionState(row.state) is TransactionState.FINAL)
        for row in rows
    ]


def end_request(tx: sa.Connection, request_id: int, *, problem: str | None, now: int) -> None:
    """Note that a request is done, or with a `problem`, that it is refused."""
    state = RequestState.DONE if problem is None else RequestState.REFUSED
    tx.execute(
        sa.update(requests)
        .where(requests.c.id == request_id)
        .values(state=state, problem=problem, ended_at=now)
    )


def _request(row: sa.RowMapping) -> StatusRequest:
    values = dict(row)
    values["action"] = StatusAction(values["action"])
    values["state"] = RequestState(values["state"])
    return StatusRequest(**values)
