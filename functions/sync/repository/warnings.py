"""Warnings: rows that a run took although they break a rule that only warns."""
# ruff: noqa: S608 - the text is a constant; values are parameters

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, select, text

from functions.sync.repository.quarantine import RECORDSET, FlaggedRow, recordsets
from shared.db.models import SyncWarning

ACROSS_ROWS = 0
"""Partition number of warnings from rules of the whole table."""


def add(
    connection: Connection, county_id: str, run_id: UUID, table: str, number: int, rows: Sequence[FlaggedRow]
) -> None:
    """Record rows with a warning, and its reasons."""
    for recordset in recordsets(rows):
        connection.execute(
            text(
                "INSERT INTO sync_warnings"
                " (county_id, run_id, table_name, partition_no, source_key, target_key, source_row, reasons)"
                " SELECT :county_id, CAST(:run_id AS uuid), :table_name, CAST(:number AS integer), k, t, r, w"
                f" FROM {RECORDSET}"
            ),
            {
                "county_id": county_id,
                "run_id": str(run_id),
                "table_name": table,
                "number": number,
                "rows": recordset,
            },
        )


def clear(
    connection: Connection, county_id: str, run_id: UUID, table: str | None = None, number: int | None = None
) -> None:
    """Delete a run's warnings, or those of one table and partition."""
    statement = delete(SyncWarning).where(SyncWarning.county_id == county_id, SyncWarning.run_id == run_id)
    if table is not None:
        statement = statement.where(SyncWarning.table_name == table)
    if number is not None:
        statement = statement.where(SyncWarning.partition_no == number)
    connection.execute(statement)


def count(connection: Connection, county_id: str, run_id: UUID, table: str) -> int:
    """The number of rows of a table with a warning; a row may have several."""
    rows = connection.scalar(
        select(func.count(func.distinct(SyncWarning.target_key))).where(
            SyncWarning.county_id == county_id, SyncWarning.run_id == run_id, SyncWarning.table_name == table
        )
    )
    return int(rows or 0)


def page(
    connection: Connection,
    county_id: str,
    run_id: UUID,
    *,
    table: str | None,
    rule: str | None,
    after: int,
    limit: int,
) -> list[Row[*tuple[Any, ...]]]:
    """A page of a run's warnings, in the order in which they were added."""
    statement = (
        select(
            SyncWarning.row_no,
            SyncWarning.table_name,
            SyncWarning.source_key,
            SyncWarning.target_key,
            SyncWarning.source_row,
            SyncWarning.reasons,
        )
        .where(SyncWarning.county_id == county_id, SyncWarning.run_id == run_id, SyncWarning.row_no > after)
        .order_by(SyncWarning.row_no)
        .limit(limit)
    )
    if table is not None:
        statement = statement.where(SyncWarning.table_name == table)
    if rule is not None:
        statement = statement.where(SyncWarning.reasons.contains([{"rule": rule}]))
    return list(connection.execute(statement))
