"""The range of valuation dates."""

from datetime import UTC, date, datetime, timedelta

from shared.problems import Unprocessable

HORIZON = timedelta(days=366)
"""Choice: the next year's valuation date is within it, and a price trend carried further is a guess."""


def require_within_horizon(on: date) -> None:
    """Raise Unprocessable for a valuation date beyond the horizon."""
    last_day = datetime.now(UTC).date() + HORIZON
    if on > last_day:
        raise Unprocessable(
            f"A value can be given for a day up to {last_day}; nothing is known of the market beyond a year.",
            pointer="/valuation_date",
            slug="valuation-date-too-late",
        )
