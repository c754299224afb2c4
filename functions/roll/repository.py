"""SQL of rolls."""

from sqlalchemy import Connection, text

from functions.roll.schemas import Roll, RollStatus

_ROLLS = (
    "SELECT roll_year, coalesce(r.status, 'open') AS status, coalesce(a.assessments, 0) AS assessments,"
    " coalesce(a.total_value, 0) AS total_value, r.changed_by, r.changed_at, r.reason,"
    " coalesce(r.version, 0) AS version"
    " FROM (SELECT roll_year, count(*) AS assessments, sum(total_value) AS total_value FROM assessments"
    "  WHERE county_id = :county_id AND retired_at IS NULL GROUP BY roll_year) a"
    " FULL JOIN (SELECT * FROM rolls WHERE county_id = :county_id) r USING (roll_year)"
)


def rolls(connection: Connection, county_id: str) -> list[Roll]:
    """Every roll year that there are assessments of or that somebody has closed, newest first."""
    rows = connection.execute(text(f"{_ROLLS} ORDER BY roll_year DESC"), {"county_id": county_id})
    return [Roll.model_validate(dict(row._mapping)) for row in rows]


def roll(connection: Connection, county_id: str, roll_year: int) -> Roll | None:
    """One roll, or None where the county has nothing of that year."""
    row = connection.execute(
        text(f"SELECT * FROM ({_ROLLS}) AS every WHERE roll_year = :roll_year"),  # noqa: S608 - a statement of ours
        {"county_id": county_id, "roll_year": roll_year},
    ).one_or_none()
    return None if row is None else Roll.model_validate(dict(row._mapping))


def set_status(
    connection: Connection, county_id: str, roll_year: int, status: RollStatus, by: str, reason: str | None
) -> None:
    """Close a roll, or open it again."""
    connection.execute(
        text(
            "INSERT INTO rolls (county_id, roll_year, status, changed_by, reason, version)"
            " VALUES (:county_id, :roll_year, :status, :by, :reason, 1)"
            " ON CONFLICT (county_id, roll_year) DO UPDATE SET status = excluded.status,"
            " changed_by = excluded.changed_by, changed_at = now(), reason = excluded.reason,"
            " version = rolls.version + 1"
        ),
        {"county_id": county_id, "roll_year": roll_year, "status": status, "by": by, "reason": reason},
    )
