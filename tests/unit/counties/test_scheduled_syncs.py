"""When a county's schedules start its next syncs, in its own time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.counties.service.schedules import scheduled_syncs
from infra.examples.counties import configuration_text
from shared.counties.configuration import CountyConfiguration

PACIFIC = ZoneInfo("America/Los_Angeles")


def county(cron: str | None, **mode_schedules: str) -> CountyConfiguration:
    made = CountyConfiguration.model_validate_json(configuration_text("king_wa"))
    ingestion = made.data_ingestion_settings.model_copy(
        update={"sync_schedule_cron": cron, "mode_schedules": mode_schedules}
    )
    return made.model_copy(update={"data_ingestion_settings": ingestion})


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # half past two, Pacific: standard time, daylight saving, the night that has none, and the night that has two
        ("2026-01-15T12:00", "2026-01-16T10:30"),
        ("2026-07-15T12:00", "2026-07-16T09:30"),
        ("2026-03-08T08:00", "2026-03-09T09:30"),
        ("2026-10-31T12:00", "2026-11-01T10:30"),
    ],
)
def test_the_next_sync_is_at_the_county_s_own_time_of_day(now: str, expected: str) -> None:
    (scheduled,) = scheduled_syncs(county("30 2 * * ? *"), datetime.fromisoformat(now).replace(tzinfo=UTC))

    assert scheduled.next_run_at == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@given(st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2029, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_nightly_and_a_weekly_schedule_take_turns(now: datetime) -> None:
    scheduled = scheduled_syncs(county(None, incremental="0 4 ? * MON-SAT *", snapshot="0 4 ? * SUN *"), now)

    by_mode = {item.mode: item.next_run_at for item in scheduled}
    assert None not in by_mode.values()
    times = [item.next_run_at for item in scheduled if item.next_run_at is not None]
    assert times == sorted(times)
    assert timedelta(0) < times[0] - now <= timedelta(days=1, hours=1)
    for mode, time in by_mode.items():
        local = time.astimezone(PACIFIC) if time is not None else None
        assert local is not None
        assert (local.hour, local.minute) == (4, 0)
        assert (local.isoweekday() == 7) == (mode == "snapshot")


def test_a_county_without_a_schedule_has_none() -> None:
    assert scheduled_syncs(county(None), datetime.now(UTC)) == []
