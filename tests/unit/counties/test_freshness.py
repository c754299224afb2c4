"""When a county's next good sync has to be there."""

from datetime import UTC, datetime, timedelta

from shared.counties.freshness import GRACE, LastSync, due_at

NIGHTLY = "30 2 * * ? *"
CONFIGURED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _sync(day: int, hour: int) -> LastSync:
    started = datetime(2026, 3, day, hour, tzinfo=UTC)
    return LastSync(started, started + timedelta(minutes=20))


def test_the_next_good_sync_is_due_six_hours_after_the_first_tick_since_the_last_one() -> None:
    assert due_at([NIGHTLY], "UTC", CONFIGURED, _sync(5, 3)) == datetime(2026, 3, 6, 2, 30, tzinfo=UTC) + GRACE


def test_the_first_of_several_schedules_counts_in_the_countys_own_time() -> None:
    due = due_at([NIGHTLY, "0 12 * * ? *"], "America/Los_Angeles", CONFIGURED, _sync(5, 11))
    assert due == datetime(2026, 3, 5, 20, tzinfo=UTC) + GRACE


def test_a_schedule_that_was_made_after_the_last_sync_is_late_only_once_it_has_ticked() -> None:
    configured = datetime(2026, 3, 20, tzinfo=UTC)
    assert due_at([NIGHTLY], "UTC", configured, _sync(5, 3)) == datetime(2026, 3, 20, 2, 30, tzinfo=UTC) + GRACE


def test_a_county_that_was_never_synced_is_late_after_its_first_tick() -> None:
    assert due_at([NIGHTLY], "UTC", CONFIGURED, None) == datetime(2026, 3, 2, 2, 30, tzinfo=UTC) + GRACE


def test_without_a_schedule_and_after_its_last_tick_nothing_is_due() -> None:
    assert due_at([], "UTC", CONFIGURED, None) is None
    assert due_at(["0 0 1 1 ? 2020"], "UTC", CONFIGURED, None) is None
