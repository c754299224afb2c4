"""SQL Server's change tracking.

https://learn.microsoft.com/sql/relational-databases/track-changes/work-with-change-tracking-sql-server: the version
is taken before the rows are read, so that what changes meanwhile is read again by the next run.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from shared.problems import Conflict, Unprocessable
from shared.sources.sql.statements import Statements

_PRIMARY_KEY = text(
    "SELECT c.name FROM sys.indexes AS i"
    " INNER JOIN sys.index_columns AS ic ON ic.object_id = i.object_id AND ic.index_id = i.index_id"
    " INNER JOIN sys.columns AS c ON c.object_id = ic.object_id AND c.column_id = ic.column_id"
    " WHERE i.is_primary_key = 1 AND i.object_id = OBJECT_ID(:name) ORDER BY ic.key_ordinal"
)
_VERSIONS = text(
    "SELECT CHANGE_TRACKING_CURRENT_VERSION() AS now_version,"
    " CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID(:name)) AS oldest_version"
)


def version(connection: Connection, statements: Statements) -> int:
    """The present version. Raises Unprocessable where the database or the table is not tracked."""
    return _versions(connection, statements)[0]


def require_remembered(connection: Connection, statements: Statements, since: int) -> int:
    """The present version. Raises Conflict where changes after `since` have been discarded."""
    now, oldest = _versions(connection, statements)
    if since < oldest or since > now:  # a version above the present one is of a database that was restored
        raise Conflict(
            f"SQL Server no longer knows what changed in {statements.table.table_name} since version {since}"
            f" (it has {oldest} to {now}); start a full run, or keep changes for longer (CHANGE_RETENTION).",
            slug="change-tracking-expired",
        )
    return now


def primary_key(connection: Connection, statements: Statements) -> tuple[str, ...]:
    """The columns of the table's primary key, which is all that change tracking keeps of a deleted row."""
    _require_table(statements)
    columns = tuple(connection.execute(_PRIMARY_KEY, {"name": statements.name}).scalars())
    if not columns:
        raise Unprocessable(
            f"{statements.table.table_name} has no primary key, which change tracking needs.",
            slug="change-tracking-off",
        )
    return columns


def _versions(connection: Connection, statements: Statements) -> tuple[int, int]:
    _require_table(statements)
    now, oldest = connection.execute(_VERSIONS, {"name": statements.name}).one()
    if now is None or oldest is None:
        what = "the database" if now is None else str(statements.table.table_name)
        raise Unprocessable(
            f"Change tracking is not on for {what}, or our user may not see it (VIEW CHANGE TRACKING).",
            slug="change-tracking-off",
        )
    return int(now), int(oldest)


def _require_table(statements: Statements) -> None:
    if statements.table.table_name is None:
        raise Unprocessable(
            "Change tracking knows tables, so it needs a source_table_name instead of a source_query.",
            slug="change-tracking-of-a-query",
        )
