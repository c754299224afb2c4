"""The operational database: models, migrations, and the unit of work that holds a tenant's transaction."""

from shared.db.unit_of_work import commit_with, reading, unit_of_work, waiting_at_most

__all__ = ["commit_with", "reading", "unit_of_work", "waiting_at_most"]
