"""Days and moments as the history knows them."""

from datetime import UTC, date, datetime, time, timedelta

from shared.problems import Unprocessable


def moment_of(as_of: date | datetime, parameter: str = "as_of") -> datetime:
    """The end of a day (UTC), or a moment itself; today is now. Raises Unprocessable for what is still to come."""
    now = datetime.now(UTC)
    if isinstance(as_of, datetime):
        moment = as_of if as_of.tzinfo else as_of.replace(tzinfo=UTC)
    elif as_of == now.date():
        return now
    else:
        moment = datetime.combine(as_of + timedelta(days=1), time(), UTC) - timedelta(microseconds=1)
    if moment > now:
        raise Unprocessable(
            f"{parameter} lies in the future.", pointer=f"/query/{parameter}", slug="as-of-in-the-future"
        )
    return moment
