"""SQL of valuation runs: their plans, jobs and counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pg8000.native import literal
from sqlalchemy import Connection, Row, select, text, update
from sqlalchemy.dialects.postgresql import insert

from functions.valuation.job_kinds import VALUATION_RUN
from functions.valuation.schemas.runs import RunFilter, RunPartition
from shared.contracts.valuation_run import ModelOfClass
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


def filter_sql(run_filter: RunFilter) -> str:
    """The filter as SQL of properties_operational as `p`, with literals, because COPY takes no parameters."""
    parts = [
        f"p.{column} IN ({', '.join(map(literal, values))})" for column, values in _allowed_values(run_filter).items()
    ]
    return " AND ".join(parts) or "true"


def filter_sql_with_parameters(run_filter: RunFilter) -> tuple[str, dict[str, list[str]]]:
    """The filter as SQL of `p` with parameters, and their values."""
    lists = {f"of_{column}": list(values) for column, values in _allowed_values(run_filter).items()}
    parts = [f"p.{column} = ANY (:of_{column})" for column in _allowed_values(run_filter)]
    return " AND ".join(parts) or "true", lists


def _allowed_values(run_filter: RunFilter) -> dict[str, tuple[str, ...]]:
    """The allowed values of each column that the filter names."""
    lists = {
        "property_class": run_filter.property_classes,
        "neighborhood": run_filter.neighborhoods,
        "property_id": run_filter.property_ids,
    }
    return {column: values for column, values in lists.items() if values is not None}


def partition_sql(partition: RunPartition) -> str:
    """The partition's properties as SQL of `p`."""
    upper = f"p.property_id <= {literal(partition.to)}"
    return upper if partition.after is None else f"p.property_id > {literal(partition.after)} AND {upper}"


def plan(connection: Connection, county_id: str, run_filter: RunFilter, size: int) -> tuple[list[RunPartition], int]:
    """Partitions of at most `size` properties each, by id, and how many properties there are."""
    conditions, lists = filter_sql_with_parameters(run_filter)
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
    """Store a run's plan. Idempotent: the first plan stands."""
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
    """Store the counts of a finished run."""
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
    """Runs' jobs, the newest first, each with its plan."""
    return list(connection.execute(newest_first(_jobs(county_id), before=before, limit=limit)))


def find_with_job(connection: Connection, county_id: str, run_id: UUID) -> Row[*tuple[Any, ...]] | None:
    """One run's job with its plan."""
    return connection.execute(_jobs(county_id).where(JobRow.job_id == run_id)).one_or_none()


def _jobs(county_id: str) -> Any:
    return (
        select(JobRow.__table__, Run.properties, Run.models, Run.valued, Run.not_valued, Run.review)
        .outerjoin(Run, (Run.county_id == JobRow.county_id) & (Run.run_id == JobRow.job_id))
        .where(JobRow.county_id == county_id, JobRow.kind == VALUATION_RUN.name)
    )
