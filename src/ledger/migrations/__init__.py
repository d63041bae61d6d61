"""Schema changes, in order; alembic runs them."""
