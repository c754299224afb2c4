"""Measuring every county's freshness."""

from collections.abc import Iterator
from datetime import UTC, datetime

from aws_lambda_powertools import Logger

from functions.freshness import repository
from shared import metrics, storage
from shared.aws import client
from shared.counties.configuration import CountyConfiguration
from shared.counties.freshness import LastSync, due_at
from shared.db import unit_of_work
from shared.problems import ServiceUnavailable
from shared.settings import settings

SERVICE = "freshness"
_logger = Logger(service=SERVICE)


def measure() -> dict[str, int]:
    """Record the age of each county's last good sync, and how many counties are scheduled and how many of them late.

    Row-level security names no county to whoever does not know it, so S3 and EventBridge Scheduler do: a county has
    objects from its first sync on, also when its schedule is gone, and before that sync it has a schedule. One that
    cannot be judged counts as late, so that nothing hides it. Raises ServiceUnavailable.
    """
    now = datetime.now(UTC)
    scheduled = late = 0
    for county_id in sorted({*storage.county_ids(), *_counties_with_schedules()}):
        try:
            is_scheduled, is_late = _judge(county_id, now)
        except ServiceUnavailable:
            raise
        except Exception:
            _logger.exception("a county's freshness cannot be judged", county_id=county_id)
            is_scheduled = is_late = True
        scheduled += is_scheduled
        late += is_late
    figures = {"ScheduledCounties": scheduled, "LateCounties": late}
    metrics.record(SERVICE, {name: ("Count", value) for name, value in figures.items()})
    return figures


def _judge(county_id: str, now: datetime) -> tuple[bool, bool]:
    """(scheduled, overdue) of a county; the age of its last good sync is recorded."""
    with unit_of_work(county_id) as connection:
        county = repository.county(connection, county_id)
        last_sync = repository.last_good_sync(connection, county_id)
    if county is None:
        return False, False
    last = None if last_sync is None else LastSync(*last_sync)
    configuration = CountyConfiguration.model_validate(county.configuration)
    ingestion = configuration.data_ingestion_settings
    crons = [cron for cron in (ingestion.sync_schedule_cron, *ingestion.mode_schedules.values()) if cron is not None]
    due = due_at(crons, configuration.timezone, county.updated_at, last)
    is_late = due is not None and due < now
    if last is not None:
        age = (now - last.finished_at).total_seconds()
        properties = {"county_id": county_id, "due_at": due.isoformat() if due else ""}
        metrics.record(SERVICE, {"GoodSyncAge": ("Seconds", age)}, properties=properties)
    if is_late:
        _logger.error("a county's sync is overdue", county_id=county_id, due_at=due, last=last and last.finished_at)
    return due is not None, is_late


def _counties_with_schedules() -> Iterator[str]:
    """Counties with a schedule, which is named `county` or `county.mode`."""
    for page in client("scheduler").get_paginator("list_schedules").paginate(GroupName=settings().schedule_group_name):
        for schedule in page["Schedules"]:
            yield schedule["Name"].partition(".")[0]
