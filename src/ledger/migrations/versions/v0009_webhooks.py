"""Events, and the webhooks that are told of them.

Revision: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    _create_events()
    _create_webhooks()
    _create_messages()
    _create_deliveries()
    op.create_index("ix_status_changes_transaction_id", "status_changes", ["transaction_id"])


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("batch_id", ID, nullable=False),
        sa.Column("transaction_id", ID),
        sa.Column("action", sa.Text()),
        sa.Column("reason", sa.SmallInteger()),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_events_batch_id"),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["transactions.id"], name="fk_events_transaction_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )


def _create_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", ID, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("rotated_at", sa.BigInteger()),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("rests_until", sa.BigInteger()),
        sa.Column("leased_until", sa.BigInteger()),
        sa.Column("served_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["issuer"], ["issuers.number"], name="fk_webhooks_issuer"),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
        sa.UniqueConstraint("public_id", name="uq_webhooks_public_id"),
    )
    op.create_index("ix_webhooks_issuer", "webhooks", ["issuer"])


def _create_messages() -> None:
    op.create_table(
        "webhook_messages",
        sa.Column("id", ID, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_messages"),
        sa.UniqueConstraint("public_id", name="uq_webhook_messages_public_id"),
    )
    op.create_index("ix_webhook_messages_made_at", "webhook_messages", ["made_at"])


def _create_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", ID, nullable=False),
        sa.Column("webhook_id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("give_up_at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("tried_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name="fk_webhook_deliveries_webhook_id"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["webhook_messages.id"], name="fk_webhook_deliveries_message_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_deliveries"),
        sa.UniqueConstraint(
            "message_id", "webhook_id", name="uq_webhook_deliveries_message_id_webhook_id"
        ),
    )
    op.create_index(
        "ix_webhook_deliveries_webhook_id_state_next_at",
        "webhook_deliveries",
        ["webhook_id", "state", "next_at"],
    )
