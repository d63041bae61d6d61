"""Several attempts at one nonce, what came of it, and what a batch waits for.

Revision: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    _add_attempts()
    _add_outcomes()
    op.create_table(
        "checkpoints",
        sa.Column("chain", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("chain", name="pk_checkpoints"),
    )
    op.create_table(
        "alarms",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("stops_sending", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", "subject", name="pk_alarms"),
    )
    _extend_batches()


def _add_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", ID, nullable=False),
        sa.Column("transaction_id", ID, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("is_empty", sa.Boolean(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["transactions.id"], name="fk_attempts_transaction_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.UniqueConstraint("hash", name="uq_attempts_hash"),
    )
    op.create_index("ix_attempts_transaction_id", "attempts", ["transaction_id"])
    op.execute(
        "INSERT INTO attempts (transaction_id, hash, raw, is_empty, stored_at) "
        "SELECT id, hash, raw, FALSE, stored_at FROM transactions"
    )
    op.execute("ALTER TABLE transactions DROP COLUMN raw")


def _add_outcomes() -> None:
    op.add_column("transactions", sa.Column("outcome", sa.Text()))
    op.execute(
        "UPDATE transactions SET outcome = CASE WHEN succeeded THEN 'done' ELSE 'reverted' END "
        "WHERE succeeded IS NOT NULL"
    )
    op.execute("ALTER TABLE transactions DROP COLUMN succeeded")


def _extend_batches() -> None:
    op.create_table(
        "anchorings",
        sa.Column("transaction_id", ID, nullable=False),
        sa.Column("batch_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_anchorings_batch_id"),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["transactions.id"], name="fk_anchorings_transaction_id"
        ),
        sa.PrimaryKeyConstraint("transaction_id", name="pk_anchorings"),
    )
    op.create_index("ix_anchorings_batch_id", "anchorings", ["batch_id"])
    op.execute(
        "INSERT INTO anchorings (transaction_id, batch_id) "
        "SELECT transaction_id, id FROM batches WHERE transaction_id IS NOT NULL"
    )
    op.add_column("batches", sa.Column("changed_at", sa.BigInteger()))
    op.execute("UPDATE batches SET changed_at = sealed_at")
    op.add_column("batches", sa.Column("reason", sa.Text()))
    op.add_column("batches", sa.Column("operator", sa.LargeBinary(20)))
    op.add_column("batches", sa.Column("anchored_at", sa.BigInteger()))
    op.add_column("batches", sa.Column("extra_leaves", sa.LargeBinary()))
    op.create_table(
        "compromises",
        sa.Column("issuer", sa.BigInteger(), nullable=False),
        sa.Column("operator", sa.LargeBinary(20), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["issuer"], ["issuers.number"], name="fk_compromises_issuer"),
        sa.PrimaryKeyConstraint("issuer", "operator", name="pk_compromises"),
    )
