"""Status changes that are asked for over HTTP and carried out by a worker.

Revision: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.create_table(
        "status_requests",
        sa.Column("id", ID, nullable=False),
        sa.Column("issuer", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
        sa.Column("batch_id", ID),
        sa.Column("credentials", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["issuer"], ["issuers.number"], name="fk_status_requests_issuer"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_status_requests_batch_id"),
        sa.PrimaryKeyConstraint("id", name="pk_status_requests"),
    )
    op.create_index("ix_status_requests_state_id", "status_requests", ["state", "id"])
    _create_link("status_request_members", "credential_id", "credentials.id")
    _create_link("status_request_transactions", "transaction_id", "transactions.id")
    op.create_index("ix_answers_answered_at", "answers", ["answered_at"])


def _create_link(table: str, column: str, target: str) -> None:
    op.create_table(
        table,
        sa.Column("request_id", ID, nullable=False),
        sa.Column(column, ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["status_requests.id"], name=f"fk_{table}_request_id"
        ),
        sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}"),
        sa.PrimaryKeyConstraint("request_id", column, name=f"pk_{table}"),
    )
