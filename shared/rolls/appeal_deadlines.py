"""Deadlines of appeals: counted from a notice's mailing, by the county's rule."""

from collections.abc import Collection
from datetime import date, timedelta

from shared.counties.notice_settings import NoticeSettings, day_in_year

_SATURDAY = 5
_DAY = timedelta(days=1)


def deadline_after(settings: NoticeSettings, roll_year: int, mailed_on: date) -> date:
    """The last day of an appeal of a value whose notice was mailed on this day; the day of mailing is not counted."""
    counted = mailed_on + timedelta(days=settings.appeal_days)
    fixed = _fixed_day(settings, roll_year)
    return _open_day(counted if fixed is None else max(counted, fixed), settings.holidays)


def deadline_without_notice(settings: NoticeSettings, roll_year: int) -> date | None:
    """The last day of an appeal of a value without a notice; None where the county has no day for that."""
    fixed = _fixed_day(settings, roll_year)
    return None if fixed is None else _open_day(fixed, settings.holidays)


def _fixed_day(settings: NoticeSettings, roll_year: int) -> date | None:
    return None if settings.appeal_until is None else day_in_year(settings.appeal_until, roll_year)


def _open_day(day: date, holidays: Collection[date]) -> date:
    """The day itself, or the next one on which offices are open."""
    while day.weekday() >= _SATURDAY or day in holidays:
        day += _DAY
    return day
