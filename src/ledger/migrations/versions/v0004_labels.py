"""The name of the file that a credential was submitted in, for its issuer's eyes.

Revision: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Go forward; there is no way back but a backup."""
    op.add_column("credentials", sa.Column("label", sa.Text()))
