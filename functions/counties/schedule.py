"""A county's EventBridge schedule: it starts the sync at the county's own time of day."""

import orjson

from shared.aws import client
from shared.county_configuration import CountyConfiguration
from shared.problems import Unprocessable
from shared.settings import settings


def apply_schedule(configuration: CountyConfiguration) -> None:
    """Make the county's schedule what its configuration says: created, changed or removed.

    Raises Unprocessable for a cron expression that EventBridge does not take.
    """
    scheduler = client("scheduler")
    name, group = configuration.county_id, settings().schedule_group_name
    cron = configuration.data_ingestion_settings.sync_schedule_cron
    if cron is None:
        try:
            scheduler.delete_schedule(Name=name, GroupName=group)
        except scheduler.exceptions.ResourceNotFoundException:
            return
        return
    wanted = {
        "Name": name,
        "GroupName": group,
        "State": "ENABLED",
        "ScheduleExpression": f"cron({cron})",
        "ScheduleExpressionTimezone": configuration.timezone,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": settings().sync_state_machine_arn,
            "RoleArn": settings().schedule_role_arn,
            "Input": orjson.dumps({"county_id": name, "trigger": "schedule"}).decode(),
        },
    }
    try:
        try:
            scheduler.create_schedule(**wanted)  # type: ignore[arg-type]
        except scheduler.exceptions.ConflictException:
            scheduler.update_schedule(**wanted)  # type: ignore[arg-type]
    except scheduler.exceptions.ValidationException as error:
        raise Unprocessable(
            f"EventBridge refuses the schedule: {error.response['Error']['Message']}",
            pointer="/body/configuration/data_ingestion_settings/sync_schedule_cron",
            slug="schedule-invalid",
        ) from error
