"""Run by Alembic inside the transaction that `clients.store.upgrade` opened and locked."""

from alembic import context

from clients.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
