"""What alembic runs: every pending migration, inside the caller's transaction."""

from alembic import context

from ledger.database import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
