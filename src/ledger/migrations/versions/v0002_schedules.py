"""When each issuer's credentials are sealed by themselves.

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.create_table(
        "schedules",
        sa.Column("issuer", sa.BigInteger(), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("cron", sa.Text()),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("every_seconds", sa.BigInteger()),
        sa.Column("at_waiting", sa.BigInteger()),
        sa.Column("max_age_seconds", sa.BigInteger()),
        sa.ForeignKeyConstraint(["issuer"], ["issuers.number"], name="fk_schedules_issuer"),
        sa.PrimaryKeyConstraint("issuer", name="pk_schedules"),
    )
