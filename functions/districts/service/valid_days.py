"""The days from which versions of layers hold."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from functions.districts.repository import loads
from shared.problems import Conflict, Unprocessable

EARLIEST = date(1800, 1, 1)
"""A choice: no county's districts are older."""


def today(connection: Connection, county_id: str) -> date:
    """Today in the county's time zone."""
    zone = loads.configuration(connection, county_id).get("timezone")
    return datetime.now(ZoneInfo(str(zone or "UTC"))).date()


def day_or_today(connection: Connection, county_id: str, day: date | None) -> date:
    """The day, or today where none is given."""
    return today(connection, county_id) if day is None else day


def require_no_future(connection: Connection, county_id: str, day: date, pointer: str) -> None:
    """Raise Unprocessable for a day that has not come, since what holds now is what has no end."""
    if not EARLIEST <= day <= today(connection, county_id):
        raise Unprocessable(
            f"{day} has not come yet, or is before {EARLIEST}: load the layer on the day from which it holds.",
            pointer=pointer,
            slug="valid-from-not-taken",
        )


def require_not_before(day: date, last: date) -> None:
    """Raise Conflict for a day before that of the last version: days that have passed keep their districts."""
    if day < last:
        raise Conflict(
            f"The layer's last version holds from {last} on: a version of {day} would change days that have passed.",
            slug="valid-from-too-early",
        )
