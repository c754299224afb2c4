"""The operational database: models, migrations, and the unit of work that holds a tenant's transaction."""

from shared.db.unit_of_work import reading, unit_of_work

__all__ = ["reading", "unit_of_work"]
