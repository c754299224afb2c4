"""The operational database: models, migrations, and the unit of work that holds a tenant's transaction."""

from shared.db.failures import DatabaseBusy, DatabaseUnavailable
from shared.db.unit_of_work import (
    after_commit,
    change_county,
    commit_with,
    lock_timeout,
    reading,
    retry_read,
    snapshot,
    unit_of_work,
)

__all__ = [
    "DatabaseBusy",
    "DatabaseUnavailable",
    "after_commit",
    "change_county",
    "commit_with",
    "lock_timeout",
    "reading",
    "retry_read",
    "snapshot",
    "unit_of_work",
]
