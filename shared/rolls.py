"""Whether an assessment roll may be written to."""

from sqlalchemy import Connection, text

from shared.problems import Conflict


def hold(connection: Connection, county_id: str, roll_year: int) -> None:
    """Let nobody else close, open or write to a roll until the transaction ends.

    A roll year has no row until it is closed, so it is the year itself that is locked.
    """
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"roll/{county_id}/{roll_year}"}
    )


def require_open(connection: Connection, county_id: str, roll_year: int) -> None:
    """Raise Conflict for a roll that was closed; one that nobody has closed is open."""
    closed = connection.execute(
        text(
            "SELECT changed_by, changed_at FROM rolls"
            " WHERE county_id = :county_id AND roll_year = :roll_year AND status = 'closed'"
        ),
        {"county_id": county_id, "roll_year": roll_year},
    ).one_or_none()
    if closed is not None:
        raise Conflict(
            f"The roll of {roll_year} was closed by {closed.changed_by} on {closed.changed_at:%Y-%m-%d}.",
            slug="roll-closed",
        )
