"""Rows of rolls that a run would change, by roll year."""
# ruff: noqa: S608 - names are quoted identifiers of models; values are literals or parameters

from collections.abc import Collection, Sequence
from uuid import UUID

from pg8000.native import identifier
from sqlalchemy import Connection, text

from functions.sync.repository import staging
from shared.db.models import SYNC_TARGETS, key_column

_CHANGE = "CASE s.action WHEN 'A' THEN 'added' WHEN 'U' THEN 'changed' WHEN 'R' THEN 'returned' ELSE 'removed' END"


def years(connection: Connection, county_id: str, run_id: UUID, target: str, columns: Sequence[str]) -> list[int]:
    """The roll years of the rows that a run adds, changes or removes, before and after the change."""
    rows = connection.execute(
        text(f"SELECT DISTINCT roll_year FROM ({_rows(run_id, target, columns)}) AS r WHERE roll_year IS NOT NULL"),
        {"county_id": county_id},
    )
    return sorted(int(row[0]) for row in rows)


def record_findings(
    connection: Connection,
    county_id: str,
    run_id: UUID,
    target: str,
    columns: Sequence[str],
    closed: Collection[int],
) -> dict[int, int]:
    """Record a finding for each row of a closed roll that a run would change; their number by year."""
    parameters = {"county_id": county_id, "run_id": run_id, "table_name": target, "closed": list(closed)}
    connection.execute(
        text(
            "DELETE FROM sync_findings WHERE county_id = :county_id AND run_id = :run_id AND table_name = :table_name"
            " AND kind = 'closed_roll'"
        ),
        parameters,
    )
    if not closed:
        return {}
    rows = connection.execute(
        text(
            f"WITH found AS (SELECT DISTINCT ON (row_key, roll_year) * FROM ({_rows(run_id, target, columns)}) AS r"
            " WHERE roll_year = ANY(CAST(:closed AS integer[]))), written AS ("
            " INSERT INTO sync_findings (county_id, run_id, kind, table_name, row_key, details) SELECT :county_id,"
            " :run_id, 'closed_roll', :table_name, row_key, jsonb_build_object('roll_year', roll_year, 'property_id',"
            " property_id, 'change', change) FROM found ORDER BY row_key, roll_year)"
            " SELECT roll_year, count(*) FROM found GROUP BY roll_year ORDER BY roll_year"
        ),
        parameters,
    )
    return {int(year): int(number) for year, number in rows}


def _rows(run_id: UUID, target: str, columns: Sequence[str]) -> str:
    """SQL of the rows of rolls that a run changes, before and after."""
    key, staged = identifier(key_column(SYNC_TARGETS[target])), staging.table_name(run_id, target)
    present_rows = (
        f"SELECT s.{key} AS row_key, t.roll_year, t.property_id, {_CHANGE} AS change FROM {staged} AS s"
        f" JOIN {identifier(target)} AS t ON t.county_id = :county_id AND t.{key} = s.{key}"
        " WHERE s.action IN ('U', 'R', 'D')"
    )
    if "roll_year" not in columns:
        return present_rows
    return (
        f"{present_rows} UNION ALL SELECT s.{key}, s.roll_year, s.property_id, {_CHANGE} FROM {staged} AS s"
        " WHERE s.action IN ('A', 'U', 'R')"
    )
