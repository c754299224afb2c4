"""Schedules in EventBridge Scheduler: each of ours has one there, of the same id."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any
from uuid import UUID

import orjson

from shared.aws import client
from shared.counties.schedule_expression import ScheduleExpressionError, next_tick
from shared.problems import Unprocessable
from shared.settings import settings

MIN_INTERVAL = timedelta(hours=1)
"""Between two jobs of a schedule. A choice: nobody reads a report more often, and a county has a limit of jobs."""
_EXAMINED_TICKS = 60
LATEST_SECONDS = 3600
"""A tick that could not be delivered for so long goes to the dead-letter queue."""
_SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
"""Which Scheduler replaces in a target's input."""


def require_sound(cron: str, timezone: str) -> None:
    """Raise Unprocessable for what is no cron expression or time zone, and for ticks less than an hour apart."""
    try:
        ticks = list(islice(_ticks(cron, timezone), _EXAMINED_TICKS))
    except ScheduleExpressionError as error:
        pointer = "/body/timezone" if "time zone" in str(error) else "/body/cron"
        raise Unprocessable(f"{error}.", pointer=pointer, slug="schedule-invalid") from error
    if not ticks:
        raise Unprocessable("The schedule would never run.", pointer="/body/cron", slug="schedule-invalid")
    if any(later - earlier < MIN_INTERVAL for earlier, later in pairwise(ticks)):
        raise Unprocessable(
            "A schedule makes a job an hour at most.", pointer="/body/cron", slug="schedule-too-frequent"
        )


def _ticks(cron: str, timezone: str) -> Iterator[datetime]:
    tick = next_tick(f"cron({cron})", timezone, datetime.now(UTC))
    while tick is not None:
        yield tick
        tick = next_tick(f"cron({cron})", timezone, tick)


def put(county_id: str, schedule_id: UUID, *, cron: str, timezone: str, enabled: bool) -> None:
    """Create the schedule in EventBridge, or change it. Raises Unprocessable for what EventBridge refuses."""
    scheduler = client("scheduler")
    definition = _definition(county_id, schedule_id, cron, timezone, enabled=enabled)
    try:
        try:
            scheduler.create_schedule(**definition)
        except scheduler.exceptions.ConflictException:
            scheduler.update_schedule(**definition)
    except scheduler.exceptions.ValidationException as error:
        message = error.response["Error"]["Message"]
        raise Unprocessable(
            f"EventBridge refuses the schedule: {message}", pointer="/body/cron", slug="schedule-invalid"
        ) from error


def remove(schedule_id: UUID) -> None:
    """Delete the schedule from EventBridge; one that is not there is as good."""
    scheduler = client("scheduler")
    try:
        scheduler.delete_schedule(Name=str(schedule_id), GroupName=settings().job_schedule_group_name)
    except scheduler.exceptions.ResourceNotFoundException:
        return


def _definition(county_id: str, schedule_id: UUID, cron: str, timezone: str, *, enabled: bool) -> dict[str, Any]:
    event = {"county_id": county_id, "schedule_id": str(schedule_id), "scheduled_at": _SCHEDULED_TIME}
    return {
        "Name": str(schedule_id),
        "GroupName": settings().job_schedule_group_name,
        "State": "ENABLED" if enabled else "DISABLED",
        "ScheduleExpression": f"cron({cron})",
        "ScheduleExpressionTimezone": timezone,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": settings().job_schedule_target_arn,
            "RoleArn": settings().job_schedule_role_arn,
            "Input": orjson.dumps(event).decode(),
            "RetryPolicy": {"MaximumEventAgeInSeconds": LATEST_SECONDS, "MaximumRetryAttempts": 20},
            "DeadLetterConfig": {"Arn": settings().job_schedule_dead_letters_arn},
        },
    }
