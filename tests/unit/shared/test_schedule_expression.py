"""The ticks of schedule expressions."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.counties.schedule_expression import ScheduleExpressionError, next_tick


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "after", "tick"),
    [
        ("cron(0 12 * * ? *)", "2026-03-01T12:00", "2026-03-02T12:00"),
        ("cron(15 10 * * ? *)", "2026-03-01T10:14:59", "2026-03-01T10:15"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-20T18:00", "2026-11-23T18:00"),
        ("cron(0 8 1 * ? *)", "2026-11-02T00:00", "2026-12-01T08:00"),
        ("cron(0/10 * ? * MON-FRI *)", "2026-11-22T12:00", "2026-11-23T00:00"),
        ("cron(0/5 8-17 ? * 2-6 *)", "2026-11-23T17:55", "2026-11-24T08:00"),
        ("cron(0 9 ? * 2#1 *)", "2026-11-02T09:00", "2026-12-07T09:00"),
        ("cron(0 9 ? * SUN#5 *)", "2026-11-30T00:00", "2027-01-31T09:00"),
        ("cron(0 0 L * ? *)", "2028-02-01T00:00", "2028-02-29T00:00"),
        ("cron(0 0 ? * 6L *)", "2026-11-01T00:00", "2026-11-27T00:00"),
        ("cron(0 0 ? * L *)", "2026-11-22T00:00", "2026-11-28T00:00"),
        ("cron(0 0 LW * ? *)", "2026-10-01T00:00", "2026-10-30T00:00"),
        ("cron(0 0 1W * ? *)", "2026-10-31T00:00", "2026-11-02T00:00"),
        ("cron(0 0 15W * ? *)", "2026-11-01T00:00", "2026-11-16T00:00"),
        ("cron(0 0 29 2 ? *)", "2026-01-01T00:00", "2028-02-29T00:00"),
        ("cron(0 0 1 JAN,JUL ? 2030)", "2026-01-01T00:00", "2030-01-01T00:00"),
        ("cron(0 22 ? * FRI-SUN *)", "2026-11-26T23:00", "2026-11-27T22:00"),
        ("rate(5 minutes)", "2026-11-22T00:01", "2026-11-22T00:05"),
        ("rate(1 day)", "2026-11-22T00:00", "2026-11-23T00:00"),
        ("at(2027-01-31T08:00:00)", "2026-11-22T00:00", "2027-01-31T08:00"),
    ],
)
def test_the_next_tick_of_an_expression(expression: str, after: str, tick: str) -> None:
    assert next_tick(expression, "UTC", at(after)) == at(tick)


@pytest.mark.parametrize("expression", ["cron(0 0 1 1 ? 2020)", "cron(0 0 31 2 ? *)", "at(2020-01-01T00:00:00)"])
def test_what_never_ticks_again_has_no_next_tick(expression: str) -> None:
    assert next_tick(expression, "UTC", at("2026-01-01T00:00")) is None


def test_a_tick_is_told_in_the_zone_of_the_schedule() -> None:
    winter = next_tick("cron(0 2 * * ? *)", "America/Los_Angeles", at("2026-01-10T12:00"))
    summer = next_tick("cron(0 2 * * ? *)", "America/Los_Angeles", at("2026-07-10T12:00"))
    assert (winter, summer) == (at("2026-01-11T10:00"), at("2026-07-11T09:00"))


def test_an_hour_that_daylight_saving_leaves_out_does_not_tick() -> None:
    # 2026-03-08 has no 02:30 in Los Angeles
    tick = next_tick("cron(30 2 * * ? *)", "America/Los_Angeles", at("2026-03-08T00:00"))
    assert tick == at("2026-03-09T09:30")


def test_an_hour_that_comes_twice_ticks_once() -> None:
    # 2026-11-01 has 01:30 twice in Los Angeles
    first = next_tick("cron(30 1 * * ? *)", "America/Los_Angeles", at("2026-11-01T00:00"))
    assert first == at("2026-11-01T08:30")
    assert next_tick("cron(30 1 * * ? *)", "America/Los_Angeles", first) == at("2026-11-02T09:30")


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("0 12 * * *", "neither cron"),
        ("cron(0 12 * * *)", "5 fields"),
        ("cron(0 12 * * * *)", r"must be \?"),
        ("cron(0 12 ? * ? *)", r"must be \?"),
        ("cron(60 12 * * ? *)", "not within 0 to 59"),
        ("cron(0 12 ? * FOO *)", "FOO"),
        ("cron(0/0 12 * * ? *)", "not a step"),
        ("rate(0 minutes)", "not a number"),
        ("at(tomorrow)", "not a time"),
    ],
)
def test_an_expression_that_is_not_understood_is_refused_with_its_fault(expression: str, message: str) -> None:
    with pytest.raises(ScheduleExpressionError, match=message):
        next_tick(expression, "UTC", at("2026-01-01T00:00"))


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ScheduleExpressionError, match="Mars"):
        next_tick("rate(1 day)", "Mars/Olympus", at("2026-01-01T00:00"))


moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(after=moments, minute=st.integers(0, 59), hour=st.integers(0, 23))
def test_a_daily_tick_is_the_first_such_time_within_a_day(after: datetime, minute: int, hour: int) -> None:
    tick = next_tick(f"cron({minute} {hour} * * ? *)", "UTC", after)
    assert tick is not None
    assert after < tick <= after + timedelta(days=1)
    assert (tick.hour, tick.minute, tick.second) == (hour, minute, 0)


@given(after=moments, weekday=st.integers(1, 7))
def test_a_weekly_tick_falls_on_its_weekday_where_1_is_sunday(after: datetime, weekday: int) -> None:
    tick = next_tick(f"cron(0 6 ? * {weekday} *)", "UTC", after)
    assert tick is not None
    assert after < tick <= after + timedelta(days=7)
    assert tick.isoweekday() % 7 + 1 == weekday
