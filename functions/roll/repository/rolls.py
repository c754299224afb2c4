"""SQL of rolls."""

from sqlalchemy import Connection, text

from functions.roll.schemas.rolls import Roll, RollCorrection, RollStatus

_ROLLS = (
    "SELECT roll_year, coalesce(r.status, 'open') AS status, coalesce(a.assessments, 0) AS assessments,"
    " coalesce(a.total_value, 0) AS total_value, r.changed_by, r.changed_at, r.reason,"
    " CASE WHEN r.closed_assessments IS NOT NULL THEN jsonb_build_object('assessments', r.closed_assessments,"
    "  'total_value', CAST(r.closed_total_value AS text), 'assessed_value', CAST(r.closed_assessed_value AS text))"
    "  END AS as_closed,"
    " (SELECT count(*) FROM roll_corrections AS c WHERE c.county_id = r.county_id AND c.roll_year = r.roll_year"
    "  AND c.roll_version = r.version) AS corrections, coalesce(r.version, 0) AS version"
    " FROM (SELECT roll_year, count(*) AS assessments, sum(total_value) AS total_value FROM assessments"
    "  WHERE county_id = :county_id AND retired_at IS NULL{of_year} GROUP BY roll_year) a"
    " FULL JOIN (SELECT * FROM rolls WHERE county_id = :county_id{of_year}) r USING (roll_year)"
)
"""`of_year` is written below the join: PostgreSQL carries no condition into both sides of a FULL JOIN, and would
sum the assessments of every year for one roll."""


def rolls(connection: Connection, county_id: str) -> list[Roll]:
    """Every roll year that there are assessments of or that somebody has closed, newest first."""
    rows = connection.execute(text(_ROLLS.format(of_year="") + " ORDER BY roll_year DESC"), {"county_id": county_id})
    return [Roll.model_validate(dict(row._mapping)) for row in rows]


def roll(connection: Connection, county_id: str, roll_year: int) -> Roll | None:
    """One roll, or None where the county has nothing of that year."""
    row = connection.execute(
        text(_ROLLS.format(of_year=" AND roll_year = :roll_year")),
        {"county_id": county_id, "roll_year": roll_year},
    ).one_or_none()
    return None if row is None else Roll.model_validate(dict(row._mapping))


def set_status(
    connection: Connection, county_id: str, roll_year: int, status: RollStatus, by: str, reason: str | None
) -> None:
    """Close a roll, with what it comes to, or open it again."""
    totals = ("closed_assessments", "closed_total_value", "closed_assessed_value")
    connection.execute(
        text(
            f"INSERT INTO rolls (county_id, roll_year, status, changed_by, reason, version, {', '.join(totals)})"  # noqa: S608 - names of ours
            " SELECT :county_id, :roll_year, :status, :by, :reason, 1, a.* FROM (SELECT count(*),"
            "  coalesce(sum(total_value), 0), coalesce(sum(assessed_value), 0) FROM assessments"
            "  WHERE county_id = :county_id AND roll_year = :roll_year AND retired_at IS NULL"
            "  HAVING :status = 'closed') AS a RIGHT JOIN (SELECT 1) AS one ON true"
            " ON CONFLICT (county_id, roll_year) DO UPDATE SET status = excluded.status,"
            " changed_by = excluded.changed_by, changed_at = now(), reason = excluded.reason,"
            f" version = rolls.version + 1, {', '.join(f'{name} = excluded.{name}' for name in totals)}"
        ),
        {"county_id": county_id, "roll_year": roll_year, "status": status, "by": by, "reason": reason},
    )


def corrections(connection: Connection, county_id: str, roll_year: int) -> list[RollCorrection]:
    """Every correction of a roll since it was closed last, in the order of their numbers."""
    rows = connection.execute(
        text(
            "SELECT c.correction_no, c.sync_run_id, c.made_by, c.made_at, c.reason, c.rows, c.total_before,"
            " c.total_after FROM roll_corrections AS c JOIN rolls AS r ON r.county_id = c.county_id"
            " AND r.roll_year = c.roll_year AND r.version = c.roll_version"
            " WHERE c.county_id = :county_id AND c.roll_year = :roll_year ORDER BY c.correction_no"
        ),
        {"county_id": county_id, "roll_year": roll_year},
    )
    return [RollCorrection.model_validate(dict(row._mapping)) for row in rows]
