"""The first tables: issuers, credentials, batches with their tiles, transactions.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.create_table(
        "senders",
        sa.Column("address", sa.LargeBinary(20), nullable=False),
        sa.Column("next_nonce", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("address", name="pk_senders"),
    )
    op.create_table(
        "transactions",
        sa.Column("id", ID, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("sender", sa.LargeBinary(20), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("succeeded", sa.Boolean()),
        sa.Column("block_number", sa.BigInteger()),
        sa.Column("block_hash", sa.LargeBinary(32)),
        sa.Column("gas_used", sa.BigInteger()),
        sa.Column("gas_price_wei", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_transactions"),
        sa.UniqueConstraint("hash", name="uq_transactions_hash"),
        sa.UniqueConstraint("sender", "nonce", name="uq_transactions_sender_nonce"),
    )
    op.create_index("ix_transactions_state", "transactions", ["state"])
    op.create_table(
        "issuers",
        sa.Column("id", ID, nullable=False),
        sa.Column("number", sa.BigInteger()),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text()),
        sa.Column("country_code", sa.Text()),
        sa.Column("region", sa.Text()),
        sa.Column("transaction_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["transactions.id"], name="fk_issuers_transaction_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_issuers"),
        sa.UniqueConstraint("number", name="uq_issuers_number"),
    )
    op.create_table(
        "batches",
        sa.Column("id", ID, nullable=False),
        sa.Column("issuer", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False),
        sa.Column("transaction_id", ID),
        sa.Column("delivered_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["issuer"], ["issuers.number"], name="fk_batches_issuer"),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["transactions.id"], name="fk_batches_transaction_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
        sa.UniqueConstraint("issuer", "root", name="uq_batches_issuer_root"),
    )
    op.create_index("ix_batches_status", "batches", ["status"])
    op.create_table(
        "credentials",
        sa.Column("id", ID, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("canonicalization", sa.Text(), nullable=False),
        sa.Column("row_identity", sa.LargeBinary(32)),
        sa.Column("document", sa.LargeBinary()),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", ID),
        sa.Column("leaf_index", sa.BigInteger()),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_credentials_batch_id"),
        sa.ForeignKeyConstraint(["issuer"], ["issuers.number"], name="fk_credentials_issuer"),
        sa.PrimaryKeyConstraint("id", name="pk_credentials"),
        sa.UniqueConstraint("batch_id", "leaf_index", name="uq_credentials_batch_id_leaf_index"),
        sa.UniqueConstraint("issuer", "digest", name="uq_credentials_issuer_digest"),
        sa.UniqueConstraint("issuer", "row_identity", name="uq_credentials_issuer_row_identity"),
        sa.UniqueConstraint("public_id", name="uq_credentials_public_id"),
    )
    op.create_index(
        "ix_credentials_waiting",
        "credentials",
        ["issuer", "id"],
        sqlite_where=sa.text("batch_id IS NULL"),
        postgresql_where=sa.text("batch_id IS NULL"),
    )
    op.create_table(
        "tiles",
        sa.Column("batch_id", ID, nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_tiles_batch_id"),
        sa.PrimaryKeyConstraint("batch_id", "level", "number", name="pk_tiles"),
    )
    op.create_table(
        "status_changes",
        sa.Column("id", ID, nullable=False),
        sa.Column("credential_id", ID, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
        sa.Column("transaction_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credentials.id"], name="fk_status_changes_credential_id"
        ),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["transactions.id"], name="fk_status_changes_transaction_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_status_changes"),
    )
    op.create_index("ix_status_changes_credential_id", "status_changes", ["credential_id"])
