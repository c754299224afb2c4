"""Which days can be valued for at all."""

from datetime import UTC, date, datetime, timedelta

from shared.problems import Unprocessable

FURTHEST_AHEAD = timedelta(days=366)


def refuse_far_ahead(on: date) -> None:
    """Raise Unprocessable for a day of which nothing can be known."""
    last = datetime.now(UTC).date() + FURTHEST_AHEAD
    if on > last:
        raise Unprocessable(
            f"A value can be given for a day up to {last}; nothing is known of the market beyond a year.",
            pointer="/body/valuation_date",
            slug="valuation-date-too-late",
        )
