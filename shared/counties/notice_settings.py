"""Settings of notices of value: when they are mailed, until when their owners may appeal, and to whom."""

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from shared.schemas import RequestSchema

MAX_FILE_LETTERS = 500
"""Letters of a PDF at most: typst takes 700 MB for as many of one page each (measured), and may take 1 GB."""
_LEAP_YEAR = 2024
_MONTH_DAY = re.compile(r"\d{2}-\d{2}", re.ASCII)


def day_in_year(month_day: str, year: int) -> date:
    """A month and day in a year; the 29th of February is the 28th where the year has none."""
    month, day = (int(part) for part in month_day.split("-"))
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, month, day - 1)


def _known_day(month_day: str) -> str:
    if not _MONTH_DAY.fullmatch(month_day):
        raise ValueError("write a month and a day as MM-DD")
    month, day = (int(part) for part in month_day.split("-"))
    try:
        date(_LEAP_YEAR, month, day)
    except ValueError:
        raise ValueError(f"{month_day} is no day of a year (MM-DD)") from None
    return month_day


MonthDay = Annotated[str, AfterValidator(_known_day)]
"""A day of every year: `07-01`."""
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class ClosedPeriod(RequestSchema):
    """Days of every year on which no notice is mailed, both ends included; it may go over the end of a year.

    In Washington the 15th of January to the 15th of February: RCW 84.40.045.
    """

    first: MonthDay
    last: MonthDay

    def contains(self, day: date) -> bool:
        """True for a day of the period."""
        first, last = day_in_year(self.first, day.year), day_in_year(self.last, day.year)
        return first <= day <= last if first <= last else day >= first or day <= last


class AppealBoard(RequestSchema):
    """The board that hears appeals, as letters name it. `meetings` says when and where it meets (RCW 84.40.045)."""

    name: Line
    address: Annotated[tuple[Line, ...], Field(min_length=1, max_length=5)]
    contact: Line | None = None
    meetings: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)] | None = None


class NoticeSettings(RequestSchema):
    """Settings of notices of value and of the appeals that they open.

    An owner may appeal for `appeal_days` days after the notice's mailing, and until the day `appeal_until` of the roll
    year in any case; without a notice, until that day alone. A period that would end on a Saturday, a Sunday or one of
    the `holidays` ends on the next day that is none. No notice is mailed in the `closed_periods`. `board` is named in
    each letter, `letters_per_file` are in a PDF.
    """

    # 30 days: Washington (RCW 84.40.038, which lets a county make them up to 60) and others. 250 letters: typst takes
    # 240 to 320 MB for them (measured), a third of what a process may; a print shop opens the file at once.
    appeal_days: Annotated[int, Field(ge=1, le=366)] = 30
    appeal_until: MonthDay | None = None
    holidays: Annotated[tuple[date, ...], Field(max_length=200)] = ()
    closed_periods: Annotated[tuple[ClosedPeriod, ...], Field(max_length=10)] = ()
    board: AppealBoard | None = None
    letters_per_file: Annotated[int, Field(ge=1, le=MAX_FILE_LETTERS)] = 250
