"""What the last audit said of each issuer.

Revision: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.create_table(
        "audits",
        sa.Column("issuer", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("audited_at", sa.BigInteger(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", name="pk_audits"),
    )
