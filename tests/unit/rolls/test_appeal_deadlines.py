"""Deadlines of appeals, by the county's rule."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.counties.notice_settings import NoticeSettings
from shared.rolls.appeal_deadlines import deadline_after, deadline_without_notice

WASHINGTON = NoticeSettings(appeal_until="07-01", holidays=(date(2026, 7, 3),))
"""RCW 84.40.038: July 1, or thirty days after the mailing, whichever is later."""


@pytest.mark.parametrize(
    ("mailed_on", "last_day"),
    [
        (date(2026, 3, 2), date(2026, 7, 1)),
        (date(2026, 6, 1), date(2026, 7, 1)),
        (date(2026, 6, 2), date(2026, 7, 2)),
        (date(2026, 6, 3), date(2026, 7, 6)),  # July 3 is a holiday, and a Friday
        (date(2026, 9, 30), date(2026, 10, 30)),
        (date(2026, 10, 1), date(2026, 11, 2)),  # October 31 is a Saturday
    ],
)
def test_washingtons_deadline_is_july_1_or_thirty_days_after_the_mailing(mailed_on: date, last_day: date) -> None:
    assert deadline_after(WASHINGTON, 2026, mailed_on) == last_day


def test_without_a_notice_the_countys_day_holds_or_none() -> None:
    assert deadline_without_notice(WASHINGTON, 2026) == date(2026, 7, 1)
    assert deadline_without_notice(WASHINGTON, 2028) == date(2028, 7, 3)
    assert deadline_without_notice(NoticeSettings(), 2026) is None
    assert deadline_without_notice(NoticeSettings(appeal_until="02-29"), 2027) == date(2027, 3, 1)


@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)), st.integers(1, 366))
def test_nobody_has_less_time_than_the_countys_days(mailed_on: date, days: int) -> None:
    last_day = deadline_after(NoticeSettings(appeal_days=days), mailed_on.year, mailed_on)

    assert timedelta(days) <= last_day - mailed_on <= timedelta(days + 2)
    assert last_day.weekday() < 5


@pytest.mark.parametrize("day", ["02-30", "13-01", "00-10", "7-1", "07/01", "2026-07-01", "１2-01"])
def test_what_is_no_day_of_a_year_is_refused(day: str) -> None:
    with pytest.raises(ValidationError):
        NoticeSettings(appeal_until=day)
