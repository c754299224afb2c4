"""The day of mailing of a batch: which days a county takes."""

from datetime import date, timedelta

from shared.counties.notice_settings import NoticeSettings
from shared.problems import Unprocessable

MAX_DAYS_AHEAD = 366
"""A choice: a day beyond a year is a mistyped year."""


def require_mailing_day(settings: NoticeSettings, mailed_on: date, today: date) -> None:
    """Raise Unprocessable for a day that has passed, that is far ahead, or on which the county mails no notices."""
    for period in settings.closed_periods:
        if period.contains(mailed_on):
            raise _refused(
                f"No notice is mailed from {period.first} to {period.last} (plugin_settings.notices.closed_periods):"
                f" {mailed_on} is one of these days.",
                "mailing-day-closed",
            )
    if mailed_on < today:
        raise _refused(f"{mailed_on} has passed: give the day on which the letters will be mailed.", "mailing-day-past")
    if mailed_on > today + timedelta(days=MAX_DAYS_AHEAD):
        raise _refused(f"{mailed_on} is more than {MAX_DAYS_AHEAD} days ahead.", "mailing-day-far-ahead")


def _refused(detail: str, slug: str) -> Unprocessable:
    return Unprocessable(detail, pointer="/mailed_on", slug=slug)
