"""Alembic's entry: runs on the connection that `shared.db.migrate` hands over."""

from alembic import context

from shared.db.models import Model

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Model.metadata)
context.run_migrations()
