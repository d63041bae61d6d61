"""The answers that were given to requests with an idempotency key.

An answer is stored in the transaction that does what was asked, so a client that did not
hear it may ask again, at any time and after any crash, and nothing is done twice.
"""

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from ledger.database import Id, metadata
from ledger.primitives import Hash32

answers: Final = sa.Table(
    "answers",
    metadata,
    sa.Column("api_key_id", Id, sa.ForeignKey("api_keys.id"), primary_key=True),
    sa.Column("idempotency_key", sa.Text, primary_key=True),
    sa.Column("request_hash", sa.LargeBinary(32), nullable=False),
    sa.Column("status", sa.SmallInteger, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("answered_at", sa.BigInteger, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What was answered, and to which request."""

    request_hash: Hash32
    status: int
    body: bytes


_ANSWER: Final = sa.select(answers.c.request_hash, answers.c.status, answers.c.body).where(
    answers.c.api_key_id == sa.bindparam("by"),
    answers.c.idempotency_key == sa.bindparam("key"),
)
"""Made once: for one row, making a statement takes longer than running it."""

_ADD: Final = sa.insert(answers)


def find_answer(tx: sa.Connection, api_key_id: int, idempotency_key: str) -> StoredAnswer | None:
    """Return what this API key's request of this idempotency key was answered."""
    row = tx.execute(_ANSWER, {"by": api_key_id, "key": idempotency_key}).one_or_none()
    return StoredAnswer(Hash32(row.request_hash), row.status, bytes(row.body)) if row else None


def add_answer(
    tx: sa.Connection, api_key_id: int, idempotency_key: str, answer: StoredAnswer, *, now: int
) -> None:
    """Store an answer; `tx` fails when a request of the same keys was quicker."""
    tx.execute(
        _ADD,
        {
            "api_key_id": api_key_id,
            "idempotency_key": idempotency_key,
            "request_hash": answer.request_hash,
            "status": answer.status,
            "body": answer.body,
            "answered_at": now,
        },
    )


def forget_answers(tx: sa.Connection, *, before: int) -> None:
    """Drop the answers that were given before this time."""
    tx.execute(sa.delete(answers).where(answers.c.answered_at < before))
