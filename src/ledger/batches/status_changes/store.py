"""The changes of status that stored transactions make, credential by credential."""

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from ledger.database import Id, metadata

status_changes: Final = sa.Table(
    "status_changes",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("credential_id", Id, sa.ForeignKey("credentials.id"), nullable=False, index=True),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("reason", sa.SmallInteger, nullable=False),
    sa.Column("transaction_id", Id, sa.ForeignKey("transactions.id"), nullable=False, index=True),
)


def add_status_changes(
    tx: sa.Connection,
    credential_ids: Iterable[int],
    *,
    action: str,
    reason: int,
    transaction_id: int,
) -> None:
    """Note which credentials a stored transaction changes the status of."""
    tx.execute(
        sa.insert(status_changes),
        [
            {
                "credential_id": credential_id,
                "action": action,
                "reason": reason,
                "transaction_id": transaction_id,
            }
            for credential_id in credential_ids
        ],
    )


def list_changed(tx: sa.Connection, transaction_id: int) -> list[int]:
    """Return the row ids of the credentials that a stored transaction changes the status of."""
    query = sa.select(status_changes.c.credential_id)
    found = query.where(status_changes.c.transaction_id == transaction_id)
    return list(tx.execute(found.order_by(status_changes.c.id)).scalars())
