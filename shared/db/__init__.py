"""The operational database: models, migrations, and the unit of work that holds a tenant's transaction."""

from shared.db.unit_of_work import unit_of_work

__all__ = ["unit_of_work"]
