"""Run by Alembic itself, on the connection that `upgrade` passes along."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
