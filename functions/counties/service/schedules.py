"""A county's EventBridge schedules: they start its syncs at the county's own time of day."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple, get_args

import orjson

from functions.counties.schemas import ScheduledSync
from shared.aws import client
from shared.counties.configuration import CountyConfiguration, SyncMode
from shared.counties.schedule_expression import next_tick
from shared.problems import Unprocessable
from shared.settings import settings

LATEST_SECONDS = 3600
"""A tick that could not be delivered for so long goes to the dead-letter queue: the next one makes up for it."""


class _Schedule(NamedTuple):
    """A schedule by its name; `mode` None is the county's own, `cron` None that there is to be none."""

    name: str
    mode: SyncMode | None
    cron: str | None
    setting: str


def _schedules(configuration: CountyConfiguration) -> Iterator[_Schedule]:
    """Every schedule that a county can have. Their names are known, so that those that are gone can be removed."""
    ingestion = configuration.data_ingestion_settings
    yield _Schedule(configuration.county_id, None, ingestion.sync_schedule_cron, "sync_schedule_cron")
    for mode in get_args(SyncMode):
        cron = ingestion.mode_schedules.get(mode)
        yield _Schedule(f"{configuration.county_id}.{mode}", mode, cron, f"mode_schedules/{mode}")


def scheduled_syncs(configuration: CountyConfiguration, now: datetime) -> list[ScheduledSync]:
    """Next starts of the county's schedules, the earliest first; those that have none any more last."""
    ingestion = configuration.data_ingestion_settings
    syncs = [
        ScheduledSync(
            mode=schedule.mode or ingestion.mode,
            cron=schedule.cron,
            next_run_at=next_tick(f"cron({schedule.cron})", configuration.timezone, now),
        )
        for schedule in _schedules(configuration)
        if schedule.cron is not None
    ]
    return sorted(syncs, key=lambda schedule: (schedule.next_run_at is None, schedule.next_run_at or now))


def apply_schedules(configuration: CountyConfiguration) -> None:
    """Make the county's schedules what its configuration says: created, changed or removed.

    Raises Unprocessable for a cron expression that EventBridge does not take.
    """
    scheduler = client("scheduler")
    group = settings().schedule_group_name
    for schedule in _schedules(configuration):
        if schedule.cron is None:
            try:
                scheduler.delete_schedule(Name=schedule.name, GroupName=group)
            except scheduler.exceptions.ResourceNotFoundException:
                continue
            continue
        definition = _definition(schedule, configuration, group)
        try:
            try:
                scheduler.create_schedule(**definition)
            except scheduler.exceptions.ConflictException:
                scheduler.update_schedule(**definition)
        except scheduler.exceptions.ValidationException as error:
            raise Unprocessable(
                f"EventBridge refuses the schedule: {error.response['Error']['Message']}",
                pointer=f"/body/configuration/data_ingestion_settings/{schedule.setting}",
                slug="schedule-invalid",
            ) from error


def _definition(schedule: _Schedule, configuration: CountyConfiguration, group: str) -> dict[str, Any]:
    event = {"county_id": configuration.county_id, "trigger": "schedule"} | (
        {"mode": schedule.mode} if schedule.mode else {}
    )
    return {
        "Name": schedule.name,
        "GroupName": group,
        "State": "ENABLED",
        "ScheduleExpression": f"cron({schedule.cron})",
        "ScheduleExpressionTimezone": configuration.timezone,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": settings().sync_state_machine_arn,
            "RoleArn": settings().schedule_role_arn,
            "Input": orjson.dumps(event).decode(),
            "RetryPolicy": {"MaximumEventAgeInSeconds": LATEST_SECONDS, "MaximumRetryAttempts": 20},
            "DeadLetterConfig": {"Arn": settings().schedule_dead_letters_arn},
        },
    }
