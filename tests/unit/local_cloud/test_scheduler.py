"""The scheduler's clock and the targets that it starts."""

from datetime import UTC, datetime, timedelta
from typing import Any

from infra.local.scheduler import Scheduler


class World:
    """A clock that is set by hand, one schedule, and what was started."""

    def __init__(self, expression: str, **schedule: Any) -> None:
        self.now = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
        self.schedule: dict[str, Any] = {
            "Arn": "arn:one",
            "Name": "nightly",
            "ScheduleExpression": expression,
            "ScheduleExpressionTimezone": "UTC",
            "State": "ENABLED",
            "Target": {"Arn": "arn:aws:states:::stateMachine:sync", "Input": '{"county_id": "king_wa"}'},
        } | schedule
        self.started: list[tuple[str, str]] = []
        self.scheduler = Scheduler(lambda: [self.schedule], self._start, lambda: self.now)

    def _start(self, arn: str, text: str) -> None:
        self.started.append((arn, text))

    def pass_time(self, **amount: float) -> list[str]:
        self.now += timedelta(**amount)
        return self.scheduler.tick()


def test_a_schedule_starts_its_target_with_its_input_once_a_tick() -> None:
    world = World("rate(1 minute)")
    assert world.pass_time() == []
    assert world.pass_time(seconds=29) == []
    assert world.pass_time(seconds=1) == ["nightly"]
    assert world.pass_time(seconds=1) == []
    assert world.pass_time(seconds=59) == ["nightly"]
    assert world.started[0] == ("arn:aws:states:::stateMachine:sync", '{"county_id": "king_wa"}')


def test_a_tick_before_the_first_look_is_skipped() -> None:
    assert World("at(2026-11-22T12:00:00)").pass_time() == []


def test_several_missed_ticks_run_once() -> None:
    world = World("rate(1 minute)")
    world.pass_time()
    assert world.pass_time(minutes=10) == ["nightly"]
    assert world.pass_time(seconds=20) == []


def test_a_disabled_schedule_does_not_tick_until_it_is_enabled() -> None:
    world = World("rate(1 minute)", State="DISABLED")
    world.pass_time()
    assert world.pass_time(minutes=5) == []
    world.schedule["State"] = "ENABLED"
    assert world.pass_time(seconds=5) == []
    assert world.pass_time(minutes=1) == ["nightly"]


def test_a_changed_expression_counts_from_the_change() -> None:
    world = World("rate(1 minute)")
    world.pass_time()
    world.schedule["ScheduleExpression"] = "rate(1 hour)"
    assert world.pass_time(minutes=5) == []
    assert world.pass_time(minutes=55) == ["nightly"]


def test_an_expression_that_is_not_understood_stops_no_other_schedule() -> None:
    world = World("rate(1 minute)")
    broken = world.schedule | {"Arn": "arn:two", "ScheduleExpression": "cron(never)"}
    scheduler = Scheduler(lambda: [broken, world.schedule], world._start, lambda: world.now)
    scheduler.tick()
    world.now += timedelta(minutes=1)
    assert scheduler.tick() == ["nightly"]


def test_the_time_of_a_tick_stands_in_its_input_where_that_asks_for_it() -> None:
    target = {"Arn": "arn:aws:lambda:::function:start", "Input": '{"scheduled_at": "<aws.scheduler.scheduled-time>"}'}
    world = World("rate(1 minute)", Target=target)
    world.pass_time()
    world.pass_time(seconds=45)
    assert world.started == [(target["Arn"], '{"scheduled_at": "2026-11-22T12:01:00Z"}')]
