"""Closed assessment rolls: the checks before they are written to, and their corrections.

The database refuses every change of a closed roll (`require_open_roll`), but in the transaction that adds a numbered
correction of it. What is checked here comes before that, in words.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from shared.problems import Conflict

ROLL_TABLES = ("assessments", "exemptions")
"""The tables whose rows belong to the roll of a year."""


@dataclass(frozen=True)
class ClosedRoll:
    """A closed roll: its year, and who closed it when."""

    roll_year: int
    closed_by: str
    closed_at: datetime

    def __str__(self) -> str:
        return f"the roll of {self.roll_year}, which {self.closed_by} closed on {self.closed_at:%Y-%m-%d}"


def lock_roll(connection: Connection, county_id: str, roll_year: int) -> None:
    """Lock a roll: nobody else closes, opens or writes to it until the transaction ends.

    A roll year has no row until it is closed, so an advisory lock on the year is taken.
    """
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"roll/{county_id}/{roll_year}"}
    )


def closed_rolls(connection: Connection, county_id: str, roll_years: Collection[int]) -> list[ClosedRoll]:
    """Those of these rolls that are closed."""
    rows = connection.execute(
        text(
            "SELECT roll_year, changed_by, changed_at FROM rolls WHERE county_id = :county_id AND status = 'closed'"
            " AND roll_year = ANY(CAST(:roll_years AS integer[])) ORDER BY roll_year"
        ),
        {"county_id": county_id, "roll_years": list(roll_years)},
    )
    return [ClosedRoll(row.roll_year, row.changed_by, row.changed_at) for row in rows]


def require_open(connection: Connection, county_id: str, roll_year: int) -> None:
    """Raise Conflict for a roll that was closed; one that nobody has closed is open."""
    for closed in closed_rolls(connection, county_id, [roll_year]):
        raise Conflict(
            f"The roll of {roll_year} was closed by {closed.closed_by} on {closed.closed_at:%Y-%m-%d}.",
            slug="roll-closed",
        )


def begin_correction(
    connection: Connection, county_id: str, roll_year: int, *, by: str, reason: str, rows: int, sync_run_id: UUID | None
) -> int:
    """Begin a numbered correction of a closed roll, which this transaction may then change; returns the number."""
    lock_roll(connection, county_id, roll_year)
    number = connection.scalar(
        text(
            "INSERT INTO roll_corrections (county_id, roll_year, correction_no, made_in, roll_version, sync_run_id,"
            " made_by, reason, rows, total_before, total_after) SELECT r.county_id, r.roll_year, (SELECT"
            "  coalesce(max(correction_no), 0) + 1 FROM roll_corrections AS c WHERE c.county_id = r.county_id"
            "  AND c.roll_year = r.roll_year), CAST(CAST(pg_current_xact_id() AS text) AS bigint), r.version,"
            " :sync_run_id, :made_by, :reason, :rows, t.total, t.total FROM rolls AS r CROSS JOIN (SELECT"
            "  coalesce(sum(total_value), 0) AS total FROM assessments WHERE county_id = :county_id"
            "  AND roll_year = :roll_year AND retired_at IS NULL) AS t"
            " WHERE r.county_id = :county_id AND r.roll_year = :roll_year RETURNING correction_no"
        ),
        {
            "county_id": county_id,
            "roll_year": roll_year,
            "made_by": by,
            "reason": reason,
            "rows": rows,
            "sync_run_id": sync_run_id,
        },
    )
    if number is None:
        raise Conflict(f"The roll of {roll_year} is open: there is nothing to correct.", slug="roll-open")
    return int(number)


END_CORRECTIONS = (
    "UPDATE roll_corrections AS c SET total_after = (SELECT coalesce(sum(total_value), 0) FROM assessments AS a"
    " WHERE a.county_id = c.county_id AND a.roll_year = c.roll_year AND a.retired_at IS NULL)"
    " WHERE c.made_in = CAST(CAST(pg_current_xact_id() AS text) AS bigint)"
)
"""SQL that records the totals of the rolls that the transaction has corrected."""
