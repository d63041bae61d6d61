"""What proves the state of final batches without a chain, and what changes it.

Revision: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.create_table(
        "state_proofs",
        sa.Column("batch_id", ID, nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("accreditors", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_state_proofs_batch_id"),
        sa.PrimaryKeyConstraint("batch_id", name="pk_state_proofs"),
    )
    op.create_table(
        "state_nodes",
        sa.Column("batch_id", ID, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("node", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_state_nodes_batch_id"),
        sa.PrimaryKeyConstraint("batch_id", "hash", name="pk_state_nodes"),
    )
    op.create_table(
        "state_changes",
        sa.Column("batch_id", ID, nullable=False),
        sa.Column("transaction_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_state_changes_batch_id"),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["transactions.id"], name="fk_state_changes_transaction_id"
        ),
        sa.PrimaryKeyConstraint("batch_id", "transaction_id", name="pk_state_changes"),
    )
    op.execute(
        "INSERT INTO state_changes (batch_id, transaction_id) "
        "SELECT DISTINCT credentials.batch_id, status_changes.transaction_id "
        "FROM status_changes JOIN credentials ON credentials.id = status_changes.credential_id"
    )
