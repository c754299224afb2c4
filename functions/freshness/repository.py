"""SQL of freshness."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, or_, select

from shared.db.models import County, Job, SyncRun


class ConfiguredCounty(NamedTuple):
    """A county's configuration, and when it was last changed."""

    configuration: dict[str, Any]
    updated_at: datetime


def county(connection: Connection, county_id: str) -> ConfiguredCounty | None:
    """The county as it is configured; None for one that is not onboarded."""
    row = connection.execute(
        select(County.configuration, County.updated_at).where(County.county_id == county_id)
    ).one_or_none()
    return None if row is None else ConfiguredCounty(row.configuration, row.updated_at)


def last_good_sync(connection: Connection, county_id: str) -> tuple[datetime, datetime] | None:
    """Start and end of the newest run that brought the county's data up to date with its source, or found it so."""
    row = connection.execute(
        select(Job.created_at, Job.finished_at)
        .join(SyncRun, (SyncRun.county_id == Job.county_id) & (SyncRun.run_id == Job.job_id))
        .where(Job.county_id == county_id, Job.kind == "sync", Job.status == "succeeded")
        .where(SyncRun.replay_of.is_(None), SyncRun.upload_id.is_(None), SyncRun.rolls_back.is_(None))
        .where(or_(SyncRun.validate_only.is_(False), SyncRun.applied_at.is_not(None)))
        .order_by(Job.created_at.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.created_at, row.finished_at)
