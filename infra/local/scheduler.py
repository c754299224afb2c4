"""EventBridge Scheduler's clock: when a schedule's next tick is, and what happens then."""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from shared.counties.schedule_expression import next_tick

_log = logging.getLogger(__name__)

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
"""In an input, for the time of the tick (Amazon EventBridge Scheduler User Guide, context attributes)."""

Clock = Callable[[], datetime]
Schedules = Callable[[], Iterable[Mapping[str, Any]]]
Start = Callable[[str, str], None]
"""Starts the target `arn` with an input (JSON text)."""


class Scheduler:
    """Ticks schedules (as Scheduler's GetSchedule answers them) and starts their targets.

    A tick that falls while nothing runs is skipped; several that were missed because the process was held up
    run once. `after_tick` is called every second, after the schedules have been looked at.
    """

    def __init__(
        self,
        schedules: Schedules,
        start: Start,
        clock: Clock | None = None,
        after_tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._schedules = schedules
        self._start = start
        self._clock = clock or (lambda: datetime.now(UTC))
        self._after_tick = after_tick
        self._due: dict[tuple[str, str, str], datetime | None] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)

    def start(self) -> None:
        """Looks at the schedules every second from now on."""
        self.tick()
        self._thread.start()

    def stop(self) -> None:
        """Starts nothing more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def tick(self) -> list[str]:
        """Starts what is due by the clock; the names of the schedules that were. Safe to call at any rate."""
        now = self._clock()
        due: dict[tuple[str, str, str], datetime | None] = {}
        started = []
        for schedule in self._schedules():
            if (schedule.get("State") or "ENABLED") != "ENABLED":  # moto keeps None where an update says nothing
                continue
            expression = schedule["ScheduleExpression"]
            timezone = schedule.get("ScheduleExpressionTimezone") or "UTC"
            key = (schedule["Arn"], expression, timezone)
            when = self._due[key] if key in self._due else _after(expression, timezone, now)
            if when is not None and when <= now:
                self._start_target(schedule, when)
                started.append(str(schedule["Name"]))
                when = _after(expression, timezone, now)
            due[key] = when
        self._due = due
        return started

    def _start_target(self, schedule: Mapping[str, Any], when: datetime) -> None:
        target = schedule["Target"]
        text = target.get("Input") or "{}"
        try:
            self._start(target["Arn"], text.replace(SCHEDULED_TIME, f"{when:%Y-%m-%dT%H:%M:%SZ}"))
        except Exception:
            _log.exception("the target of schedule %s did not start", schedule["Name"])

    def _run(self) -> None:
        while not self._ended.wait(1.0):
            try:
                self.tick()
                self._after_tick()
            except Exception:
                _log.exception("a tick of the schedules failed")


def target_starter(step_functions: Any, invoke: Callable[[str, Any], Any]) -> Start:
    """Starts a state machine by its ARN, or a function in the background, as Scheduler does."""

    def start(arn: str, text: str) -> None:
        if ":stateMachine:" in arn:
            step_functions.start_execution(stateMachineArn=arn, input=text)
        elif ":function:" in arn:
            threading.Thread(target=invoke, args=(arn, json.loads(text)), daemon=True).start()
        else:
            message = f"{arn} is not a target that is known here"
            raise ValueError(message)

    return start


def _after(expression: str, timezone: str, now: datetime) -> datetime | None:
    try:
        return next_tick(expression, timezone, now)
    except ValueError:
        _log.exception("a schedule's expression is not understood")
        return None
