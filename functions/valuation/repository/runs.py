"""SQL of valuation runs: planned, looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pg8000.native import literal
from sqlalchemy import Connection, Row, select, text, update
from sqlalchemy.dialects.postgresql import insert

from functions.valuation.job_kinds import VALUATION_RUN
from functions.valuation.schemas.runs import ModelOfClass, RunFilter, RunPartition
from shared.db.models import Job as JobRow
from shared.db.models import ValuationRun as Run
from shared.jobs.repository import newest_first


@dataclass(frozen=True)
class RunRecord:
    """A run as it was planned."""

    run_id: UUID
    valuation_date: date
    models: tuple[ModelOfClass, ...]
    data_version: str
    properties: int

    def model_of(self, property_class: str) -> UUID | None:
        """The model that values a class; None where none does."""
        by_class = {entry.property_class: entry.model_id for entry in self.models}
        return by_class.get(property_class, by_class.get(None))


def condition(wanted: RunFilter) -> str:
    """The filter as SQL of properties_operational as `p`, with literals, because COPY takes no parameters."""
    parts = [f"p.{column} IN ({', '.join(map(literal, values))})" for column, values in _lists(wanted).items()]
    return " AND ".join(parts) or "true"


def bound_condition(wanted: RunFilter) -> tuple[str, dict[str, list[str]]]:
    """The same with parameters, and those."""
    lists = {f"of_{column}": list(values) for column, values in _lists(wanted).items()}
    parts = [f"p.{column} = ANY (:of_{column})" for column in _lists(wanted)]
    return " AND ".join(parts) or "true", lists


def _lists(wanted: RunFilter) -> dict[str, tuple[str, ...]]:
    """What each column must be one of."""
    lists = {
        "property_class": wanted.property_classes,
        "neighborhood": wanted.neighborhoods,
        "property_id": wanted.property_ids,
    }
    return {column: values for column, values in lists.items() if values is not None}


def between(partition: RunPartition) -> str:
    """The partition's properties as SQL of `p`."""
    upper = f"p.property_id <= {literal(partition.to)}"
    return upper if partition.after is None else f"p.property_id > {literal(partition.after)} AND {upper}"


def plan(connection: Connection, county_id: str, wanted: RunFilter, size: int) -> tuple[list[RunPartition], int]:
    """Partitions of at most `size` properties each, by id, and how many properties there are."""
    conditions, lists = bound_condition(wanted)
    rows = connection.execute(
        text(
            "SELECT property_id, total FROM (SELECT p.property_id, count(*) OVER () AS total,"  # noqa: S608 - literals
            " row_number() OVER (ORDER BY p.property_id) AS number FROM properties_operational p"
            f" WHERE p.county_id = :county_id AND p.retired_at IS NULL AND {conditions}) numbered"
            " WHERE mod(number, CAST(:size AS bigint)) = 0 OR number = total ORDER BY number"
        ),
        {"county_id": county_id, "size": size, **lists},
    ).all()
    ends: Sequence[str] = [row.property_id for row in rows]
    starts: list[str | None] = [None, *ends[:-1]]
    partitions = [RunPartition(after=after, to=to) for after, to in zip(starts, ends, strict=False)]
    return partitions, int(rows[0].total) if rows else 0


def add(connection: Connection, county_id: str, run: RunRecord) -> None:
    """Keep what a run was planned as; planned before is as good."""
    statement = insert(Run).values(
        county_id=county_id,
        run_id=run.run_id,
        valuation_date=run.valuation_date,
        models=[entry.model_dump(mode="json") for entry in run.models],
        data_version=run.data_version,
        properties=run.properties,
    )
    connection.execute(statement.on_conflict_do_nothing())


def set_counts(connection: Connection, county_id: str, run_id: UUID, valued: int, not_valued: int, review: int) -> None:
    """Keep how many properties a finished run has valued."""
    connection.execute(
        update(Run)
        .where(Run.county_id == county_id, Run.run_id == run_id)
        .values(valued=valued, not_valued=not_valued, review=review)
    )


def find(connection: Connection, county_id: str, run_id: UUID) -> RunRecord | None:
    """A planned run, or None."""
    row = connection.execute(
        select(Run.run_id, Run.valuation_date, Run.models, Run.data_version, Run.properties).where(
            Run.county_id == county_id, Run.run_id == run_id
        )
    ).one_or_none()
    if row is None:
        return None
    models = tuple(ModelOfClass.model_validate(entry) for entry in row.models)
    return RunRecord(row.run_id, row.valuation_date, models, row.data_version, row.properties)


def page(
    connection: Connection, county_id: str, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[Row[*tuple[Any, ...]]]:
    """Runs' jobs, the newest first, each with what it was planned as."""
    return list(connection.execute(newest_first(_jobs(county_id), before=before, limit=limit)))


def find_with_job(connection: Connection, county_id: str, run_id: UUID) -> Row[*tuple[Any, ...]] | None:
    """One run's job with what it was planned as."""
    return connection.execute(_jobs(county_id).where(JobRow.job_id == run_id)).one_or_none()


def _jobs(county_id: str) -> Any:
    return (
        select(JobRow.__table__, Run.properties, Run.models, Run.valued, Run.not_valued, Run.review)
        .outerjoin(Run, (Run.county_id == JobRow.county_id) & (Run.run_id == JobRow.job_id))
        .where(JobRow.county_id == county_id, JobRow.kind == VALUATION_RUN.name)
    )
