"""SQL of what the checks over a roll find."""
# ruff: noqa: S608 - statements of the registry, and names of ours

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from functions.roll.repository.checks import Check
from functions.roll.schemas.checks import RollCheck, RollCheckRow

MAX_ROWS = 100_000
"""Rows that are kept of a check. A choice, as of lists that are files: all of them are counted."""
_WAIVED = (
    "EXISTS (SELECT FROM roll_waivers AS w WHERE w.county_id = :county_id AND w.roll_year = :roll_year"
    " AND w.check_name = f.check_name AND w.withdrawn_at IS NULL AND (w.row_key IS NULL OR w.row_key = f.row_key))"
)
"""SQL of a row `f` with a waiver, of its own or of its check."""


def clear(connection: Connection, county_id: str, roll_year: int) -> None:
    """Delete what earlier runs found."""
    for table in ("roll_check_results", "roll_check_rows"):
        connection.execute(
            text(f"DELETE FROM {table} WHERE county_id = :county_id AND roll_year = :roll_year"),
            {"county_id": county_id, "roll_year": roll_year},
        )


def run(connection: Connection, check: Check, severity: str, parameters: Mapping[str, Any], by: str) -> None:
    """Run a check over `checked_roll`, and keep what it finds."""
    connection.execute(
        text(
            f"WITH found (row_key, property_id, detail) AS MATERIALIZED ({check.rows}), kept AS ("
            " INSERT INTO roll_check_rows (county_id, roll_year, check_name, row_key, property_id, detail)"
            f" SELECT :county_id, :roll_year, :check_name, row_key, property_id, detail FROM found LIMIT {MAX_ROWS}"
            " ON CONFLICT DO NOTHING)"
            " INSERT INTO roll_check_results (county_id, roll_year, check_name, title, severity, owner, rows, ran_at,"
            "  ran_by) SELECT :county_id, :roll_year, :check_name, :title, :severity, :owner, count(DISTINCT row_key),"
            "  clock_timestamp(), :by FROM found"
        ),
        {
            **parameters,
            "check_name": check.name,
            "title": check.title,
            "severity": severity,
            "owner": check.owner.value,
            "by": by,
        },
    )


def results(connection: Connection, county_id: str, roll_year: int) -> list[RollCheck]:
    """The latest result of each check."""
    rows = connection.execute(
        text(
            "SELECT c.check_name AS name, c.title, c.severity, c.owner, c.rows, c.ran_at, c.ran_by,"
            " CASE WHEN EXISTS (SELECT FROM roll_waivers AS a WHERE a.county_id = :county_id"
            "  AND a.roll_year = :roll_year AND a.check_name = c.check_name AND a.row_key IS NULL"
            "  AND a.withdrawn_at IS NULL) THEN c.rows ELSE (SELECT count(*) FROM roll_check_rows AS f"
            "  JOIN roll_waivers AS w ON w.county_id = f.county_id AND w.roll_year = f.roll_year"
            "  AND w.check_name = f.check_name AND w.row_key = f.row_key AND w.withdrawn_at IS NULL"
            "  WHERE f.county_id = :county_id AND f.roll_year = :roll_year AND f.check_name = c.check_name) END"
            " AS waived"
            " FROM roll_check_results AS c WHERE c.county_id = :county_id AND c.roll_year = :roll_year"
            " ORDER BY c.check_name"
        ),
        {"county_id": county_id, "roll_year": roll_year},
    )
    return [RollCheck.model_validate(dict(row._mapping)) for row in rows]


def rows_of(
    connection: Connection, county_id: str, roll_year: int, check_name: str, *, after: str, limit: int
) -> Sequence[RollCheckRow]:
    """Rows of a check by key."""
    rows = connection.execute(
        text(
            f"SELECT f.row_key, f.property_id, f.detail, {_WAIVED} AS waived FROM roll_check_rows AS f"
            " WHERE f.county_id = :county_id AND f.roll_year = :roll_year AND f.check_name = :check_name"
            " AND f.row_key > :after ORDER BY f.row_key LIMIT :limit"
        ),
        {"county_id": county_id, "roll_year": roll_year, "check_name": check_name, "after": after, "limit": limit},
    )
    return [RollCheckRow.model_validate(dict(row._mapping)) for row in rows]
