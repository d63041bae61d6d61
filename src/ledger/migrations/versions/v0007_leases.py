"""Leases of batches, and the nonces from which gaps count.

Revision: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.add_column(
        "senders",
        sa.Column("accepted_nonce", sa.BigInteger(), nullable=False, server_default="0"),
    )
    op.add_column("batches", sa.Column("leased_until", sa.BigInteger()))
