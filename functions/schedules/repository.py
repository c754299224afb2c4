"""SQL of schedules."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from shared.db.models import Job, JobSchedule

_COLUMNS = tuple(column for column in JobSchedule.__table__.columns if column.name != "county_id")


def lock(connection: Connection, county_id: str) -> None:
    """Let nobody else add a schedule of the county until the transaction ends."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"schedules/{county_id}"}
    )


def timezone(connection: Connection, county_id: str) -> str | None:
    """The county's time zone; None for a county that is not onboarded."""
    statement = text("SELECT configuration->>'timezone' FROM counties WHERE county_id = :county_id")
    name: str | None = connection.scalar(statement, {"county_id": county_id})
    return name


def job(connection: Connection, county_id: str, job_id: UUID) -> Row[str, dict[str, Any]] | None:
    """The kind and the parameters of a job."""
    statement = select(Job.kind, Job.parameters).where(Job.county_id == county_id, Job.job_id == job_id)
    return connection.execute(statement).one_or_none()


def add(connection: Connection, county_id: str, values: dict[str, Any]) -> bool:
    """Add a schedule; False where it is there."""
    statement = insert(JobSchedule).values(county_id=county_id, **values).on_conflict_do_nothing()
    return connection.execute(statement).rowcount == 1


def count(connection: Connection, county_id: str) -> int:
    """The number of the county's schedules."""
    statement = select(func.count()).select_from(JobSchedule).where(JobSchedule.county_id == county_id)
    return connection.scalar(statement) or 0


def find(connection: Connection, county_id: str, schedule_id: UUID, *, for_update: bool = False) -> Row[Any] | None:
    """A schedule."""
    statement = select(*_COLUMNS).where(JobSchedule.county_id == county_id, JobSchedule.schedule_id == schedule_id)
    return connection.execute(statement.with_for_update() if for_update else statement).one_or_none()


def page(
    connection: Connection, county_id: str, kinds: Collection[str], *, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Row[Any]]:
    """Schedules of these kinds, the newest first."""
    statement = select(*_COLUMNS).where(JobSchedule.county_id == county_id, JobSchedule.kind.in_(sorted(kinds)))
    newest_first = tuple_(JobSchedule.created_at, JobSchedule.schedule_id)
    if after is not None:
        statement = statement.where(newest_first < after)
    ordered = statement.order_by(JobSchedule.created_at.desc(), JobSchedule.schedule_id.desc())
    return connection.execute(ordered.limit(limit)).all()


def change(connection: Connection, county_id: str, schedule_id: UUID, values: dict[str, Any]) -> None:
    """Change a schedule."""
    which = (JobSchedule.county_id == county_id, JobSchedule.schedule_id == schedule_id)
    connection.execute(update(JobSchedule).where(*which).values(**values))


def remove(connection: Connection, county_id: str, schedule_id: UUID) -> None:
    """Delete a schedule."""
    which = (JobSchedule.county_id == county_id, JobSchedule.schedule_id == schedule_id)
    connection.execute(delete(JobSchedule).where(*which))
