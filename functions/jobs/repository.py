"""SQL of the list of jobs."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, select

from functions.jobs.schemas import JobFilter
from shared.db.models import Job
from shared.jobs.repository import COLUMNS, newest_first


def page(
    connection: Connection,
    county_id: str,
    kinds: Collection[str],
    job_filter: JobFilter,
    *,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Row[*tuple[Any, ...]]]:
    """Jobs of these kinds that meet the filter, the newest first, from after the one that `before` names."""
    jobs: Select[*tuple[Any, ...]] = select(*COLUMNS).where(Job.county_id == county_id, Job.kind.in_(sorted(kinds)))
    if job_filter.status is not None:
        jobs = jobs.where(Job.status == job_filter.status)
    if job_filter.submitted_by is not None:
        jobs = jobs.where(Job.submitted_by == job_filter.submitted_by)
    if job_filter.since is not None:
        jobs = jobs.where(Job.created_at >= job_filter.since)
    return list(connection.execute(newest_first(jobs, before=before, limit=limit)))
