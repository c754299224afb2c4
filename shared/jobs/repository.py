"""The SQL of jobs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from shared import metrics
from shared.contracts.job_faults import PLATFORM_FAULTS
from shared.db import after_commit
from shared.db.models import Job as JobRow
from shared.db.models import JobPartition
from shared.jobs.schemas import FINISHED, Job, JobError, JobStatus

COLUMNS = (
    JobRow.job_id,
    JobRow.kind,
    JobRow.status,
    JobRow.parameters,
    JobRow.request_digest,
    JobRow.progress,
    JobRow.error,
    JobRow.submitted_by,
    JobRow.created_at,
    JobRow.started_at,
    JobRow.finished_at,
    JobRow.execution_arn,
    JobRow.execution_named_at,
    JobRow.committed_at,
)


def add(connection: Connection, county_id: str, job: Job, request_digest: str, execution_arn: str | None) -> bool:
    """Insert a job with the execution that is to work on it; False when there is one of that id already."""
    statement = (
        insert(JobRow)
        .values(
            county_id=county_id,
            job_id=job.id,
            kind=job.kind,
            status=job.status,
            parameters=job.parameters,
            request_digest=request_digest,
            submitted_by=job.submitted_by,
            execution_arn=execution_arn,
        )
        .on_conflict_do_nothing()
    )
    return connection.execute(statement).rowcount == 1


def count_others_under_way(connection: Connection, county_id: str, job_id: UUID) -> int:
    """Count of the county's other jobs under way; nobody else counts them until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"jobs of {county_id}", 0))))
    others = (JobRow.county_id == county_id, JobRow.job_id != job_id, JobRow.status.in_(("pending", "running")))
    return int(connection.scalar(select(func.count()).where(*others)) or 0)


def take_turns(connection: Connection, job_id: UUID) -> None:
    """Let requests with the same id, which the same Idempotency-Key makes, be answered one after the other: the second
    finds what the first has made.
    """
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"request {job_id}", 0))))


def find(
    connection: Connection, county_id: str, kind: str, job_id: UUID, *, for_update: bool = False
) -> Row[*tuple[Any, ...]] | None:
    """A job's row, held until the transaction ends where it is to be changed; or None."""
    statement = select(*COLUMNS).where(JobRow.county_id == county_id, JobRow.job_id == job_id, JobRow.kind == kind)
    return connection.execute(statement.with_for_update() if for_update else statement).one_or_none()


def newest_first(
    jobs: Select[*tuple[Any, ...]], *, before: tuple[datetime, UUID] | None, limit: int
) -> Select[*tuple[Any, ...]]:
    """A statement of jobs, the newest first, from after the one that `before` (when it was created, its id) names."""
    if before is not None:
        jobs = jobs.where(tuple_(JobRow.created_at, JobRow.job_id) < tuple_(*before))
    return jobs.order_by(JobRow.created_at.desc(), JobRow.job_id.desc()).limit(limit)


def set_running(connection: Connection, county_id: str, job_id: UUID) -> bool:
    """Pending or running (a second try) becomes running; False for a job that has ended."""
    statement = (
        update(JobRow)
        .where(JobRow.county_id == county_id, JobRow.job_id == job_id, JobRow.status.in_(("pending", "running")))
        .values(status="running", started_at=func.coalesce(JobRow.started_at, func.now()))
    )
    return connection.execute(statement).rowcount == 1


def set_progress(connection: Connection, county_id: str, job_id: UUID, progress: dict[str, Any]) -> bool:
    """Say how far a job is; False for one that does not run any more."""
    statement = update(JobRow).where(_is(county_id, job_id), JobRow.status == "running").values(progress=progress)
    return connection.execute(statement).rowcount == 1


def set_committed(connection: Connection, county_id: str, job_id: UUID) -> bool:
    """Note that the transaction commits what a job changes, and hold its row; False for one that does not run."""
    statement = (
        update(JobRow)
        .where(_is(county_id, job_id), JobRow.status == "running")
        .values(committed_at=func.coalesce(JobRow.committed_at, func.now()))
    )
    return connection.execute(statement).rowcount == 1


def set_execution(connection: Connection, county_id: str, job_id: UUID, execution_arn: str) -> None:
    """Note which execution works on a job from now on."""
    connection.execute(update(JobRow).where(_is(county_id, job_id)).values(_named(execution_arn)))


def _named(execution_arn: str) -> dict[str, Any]:
    """A job's execution, which is named before it is started, and when."""
    return {"execution_arn": execution_arn, "execution_named_at": func.clock_timestamp()}


def is_worked_on_by(connection: Connection, county_id: str, job_id: UUID, execution_arn: str) -> bool:
    """True if a job has not ended and this execution is the one that works on it; its row is locked then."""
    statement = (
        select(JobRow.job_id)
        .where(_is(county_id, job_id), JobRow.status.in_(("pending", "running")))
        .where(func.coalesce(JobRow.execution_arn, execution_arn) == execution_arn)
        .with_for_update()
    )
    return connection.scalar(statement) is not None


def set_status(
    connection: Connection, county_id: str, job_id: UUID, status: JobStatus, error: JobError | None = None
) -> None:
    """Move an unfinished job on; a finished one stays as it is.

    Every job ends here, so here its end is counted: by kind and status, once it is committed.
    """
    values: dict[str, Any] = {"status": status, "error": error.model_dump() if error else None}
    if status in FINISHED:
        values["finished_at"] = func.now()
    moved = connection.execute(
        update(JobRow)
        .where(
            JobRow.county_id == county_id,
            JobRow.job_id == job_id,
            JobRow.status.in_(("pending", "running", "awaiting_approval")),
        )
        .values(**values)
        .returning(JobRow.kind, JobRow.created_at, JobRow.finished_at)
    ).one_or_none()
    if moved is not None and status in FINISHED:
        figures: dict[str, tuple[metrics.Unit, float]] = {
            f"Jobs{status.title()}": ("Count", 1),
            "JobsFailedByPlatform": ("Count", int(error is not None and error.type in PLATFORM_FAULTS)),
            "JobSeconds": ("Seconds", (moved.finished_at - moved.created_at).total_seconds()),
        }
        properties = {"county_id": county_id, "job_id": str(job_id), **({"error": error.type} if error else {})}
        after_commit(
            connection,
            lambda: metrics.record("jobs", figures, dimensions={"kind": moved.kind}, properties=properties),
        )


def revive(connection: Connection, county_id: str, job_id: UUID, execution_arn: str) -> None:
    """Make a failed job pending, its error forgotten, for another execution."""
    connection.execute(
        update(JobRow)
        .where(_is(county_id, job_id), JobRow.status == "failed")
        .values({"status": "pending", "error": None, "finished_at": None, **_named(execution_arn)})
    )


def is_done(connection: Connection, county_id: str, job_id: UUID, partition_no: int) -> bool:
    """True if a partition has been done."""
    statement = select(JobPartition.done_at).where(
        JobPartition.county_id == county_id, JobPartition.job_id == job_id, JobPartition.partition_no == partition_no
    )
    return connection.scalar(statement) is not None


def set_done(connection: Connection, county_id: str, job_id: UUID, partition_no: int) -> None:
    """Note that a partition has been done; noted before is as good."""
    statement = insert(JobPartition).values(county_id=county_id, job_id=job_id, partition_no=partition_no)
    connection.execute(statement.on_conflict_do_nothing())


def count_done(connection: Connection, county_id: str, job_id: UUID) -> int:
    """Count of the partitions of a job that have been done."""
    statement = select(func.count()).where(JobPartition.county_id == county_id, JobPartition.job_id == job_id)
    return int(connection.scalar(statement) or 0)


def planned_total(connection: Connection, county_id: str, job_id: UUID) -> int | None:
    """Total of a job's progress."""
    total = connection.scalar(
        select(JobRow.progress["total"].as_integer()).where(JobRow.county_id == county_id, JobRow.job_id == job_id)
    )
    return None if total is None else int(total)


def _is(county_id: str, job_id: UUID) -> ColumnElement[bool]:
    return and_(JobRow.county_id == county_id, JobRow.job_id == job_id)
