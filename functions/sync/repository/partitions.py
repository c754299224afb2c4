"""Partitions of runs."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Connection, Integer, Row, cast, delete, func, select, text, tuple_, update

from functions.sync.domain.partitions import PartitionState
from functions.sync.schemas.runs import TableProgress
from shared.db.models import SyncPartition

_COLUMNS = [getattr(SyncPartition, name) for name in PartitionState.model_fields]

MAX_ERROR_CHARACTERS = 1000
"""Characters of an error that are kept. A choice: messages of sources and databases say why in their first lines."""


def add(connection: Connection, county_id: str, partitions: Sequence[PartitionState]) -> None:
    """Insert the partitions of a plan, in one statement."""
    rows = [
        {
            "table_name": partition.table_name,
            "partition_no": partition.partition_no,
            "lower_key": partition.lower_key,
            "upper_key": partition.upper_key,
        }
        for partition in partitions
    ]
    if not rows:
        return
    connection.execute(
        text(
            "INSERT INTO sync_partitions (county_id, run_id, table_name, partition_no, lower_key, upper_key, status)"
            " SELECT :county_id, CAST(:run_id AS uuid), table_name, partition_no, nullif(lower_key, 'null'),"
            " nullif(upper_key, 'null'), 'pending' FROM jsonb_to_recordset(CAST(:rows AS jsonb))"
            " AS r (table_name text, partition_no integer, lower_key jsonb, upper_key jsonb)"
        ),
        {"county_id": county_id, "run_id": str(partitions[0].run_id), "rows": orjson.dumps(rows).decode()},
    )


def clear(connection: Connection, county_id: str, run_id: UUID) -> None:
    """Delete a run's partitions: it is planned anew."""
    connection.execute(delete(SyncPartition).where(*_at(county_id, run_id)))


def of_run(connection: Connection, county_id: str, run_id: UUID, table: str | None = None) -> list[PartitionState]:
    """A run's partitions, in order; all of them, or those of one table."""
    statement = (
        select(*_COLUMNS).where(*_at(county_id, run_id)).order_by(SyncPartition.table_name, SyncPartition.partition_no)
    )
    if table is not None:
        statement = statement.where(SyncPartition.table_name == table)
    return [_state(row) for row in connection.execute(statement)]


def find(
    connection: Connection, county_id: str, run_id: UUID, table: str, number: int, *, for_update: bool = False
) -> PartitionState | None:
    """A partition; with `for_update` locked until the transaction ends."""
    statement = select(*_COLUMNS).where(*_at(county_id, run_id, table, number))
    row = connection.execute(statement.with_for_update() if for_update else statement).one_or_none()
    return None if row is None else _state(row)


def find_same_range(
    connection: Connection, county_id: str, whole_run: UUID, partition: PartitionState
) -> PartitionState | None:
    """The partition of another run with the same key range, or None."""
    row = connection.execute(
        select(*_COLUMNS).where(
            SyncPartition.county_id == county_id,
            SyncPartition.run_id == whole_run,
            SyncPartition.table_name == partition.table_name,
            SyncPartition.lower_key.is_not_distinct_from(partition.lower_key),
            SyncPartition.upper_key.is_not_distinct_from(partition.upper_key),
        )
    ).first()
    return None if row is None else _state(row)


def finish(connection: Connection, county_id: str, partition: PartitionState, seconds: float) -> None:
    """Record the result of a partition."""
    values = partition.model_dump(
        include={
            "digest",
            "unchanged",
            "rows_read",
            "rows_good",
            "rows_rejected",
            "rows_staged",
            "raw_key",
            "read_run",
            "read_no",
        }
    )
    connection.execute(
        update(SyncPartition)
        .where(*_at(county_id, partition.run_id, partition.table_name, partition.partition_no))
        .values(**values, status="done", seconds=seconds, finished_at=func.clock_timestamp(), error=None)
    )


def clear_digests(connection: Connection, county_id: str, run_id: UUID, table: str, numbers: Sequence[int]) -> None:
    """Clear the digests of these partitions, so that the next run maps their rows again even if they are unchanged."""
    connection.execute(
        update(SyncPartition)
        .where(
            *_at(county_id, run_id, table),
            SyncPartition.partition_no.in_(list(numbers)),
        )
        .values(digest=None)
    )


def clear_digest_of_same_range(connection: Connection, county_id: str, run_id: UUID, partition: PartitionState) -> None:
    """Clear the digest of another run's partition with the same key range."""
    same_range = find_same_range(connection, county_id, run_id, partition)
    if same_range is not None:
        clear_digests(connection, county_id, run_id, same_range.table_name, [same_range.partition_no])


def set_pending(connection: Connection, county_id: str, partition: PartitionState) -> None:
    """Reset a partition, so that it can be read again."""
    connection.execute(
        update(SyncPartition)
        .where(*_at(county_id, partition.run_id, partition.table_name, partition.partition_no))
        .values(status="pending", digest=None, unchanged=False)
    )


def set_error(connection: Connection, county_id: str, run_id: UUID, table: str, number: int, error: str) -> None:
    """Record why a partition failed."""
    connection.execute(
        update(SyncPartition).where(*_at(county_id, run_id, table, number)).values(error=error[:MAX_ERROR_CHARACTERS])
    )


def first_error(connection: Connection, county_id: str, run_id: UUID) -> str | None:
    """The error of the first failed partition of a run, or None."""
    return connection.scalar(
        select(SyncPartition.error)
        .where(
            *_at(county_id, run_id),
            SyncPartition.status != "done",
            SyncPartition.error.is_not(None),
        )
        .order_by(SyncPartition.table_name, SyncPartition.partition_no)
        .limit(1)
    )


def progress(connection: Connection, county_id: str, run_ids: Iterable[UUID]) -> dict[UUID, dict[str, TableProgress]]:
    """Progress of the partitions, by run and table."""
    rows = connection.execute(
        select(
            SyncPartition.run_id,
            SyncPartition.table_name,
            func.count(),
            func.sum(cast(SyncPartition.status == "done", Integer)),
            func.sum(cast(SyncPartition.unchanged, Integer)),
            func.coalesce(func.sum(SyncPartition.rows_read), 0),
            func.coalesce(func.sum(SyncPartition.rows_rejected), 0),
            func.max(SyncPartition.finished_at),
        )
        .where(SyncPartition.county_id == county_id, SyncPartition.run_id.in_(list(run_ids)))
        .group_by(SyncPartition.run_id, SyncPartition.table_name)
    )
    by_run: dict[UUID, dict[str, TableProgress]] = {}
    for run_id, table, total, done, unchanged, read, rejected, finished_at in rows:
        by_run.setdefault(run_id, {})[table] = TableProgress(
            finished_at=finished_at,
            partitions=total,
            done=done,
            unchanged=unchanged,
            rows_read=read,
            rows_rejected=rejected,
        )
    return by_run


def page(
    connection: Connection,
    county_id: str,
    run_id: UUID,
    *,
    status: str | None,
    after: tuple[Any, ...] | None,
    limit: int,
) -> list[Row[*tuple[Any, ...]]]:
    """A page of a run's partitions, in order."""
    statement = (
        select(SyncPartition)
        .where(*_at(county_id, run_id))
        .order_by(SyncPartition.table_name, SyncPartition.partition_no)
        .limit(limit)
    )
    if status is not None:
        statement = statement.where(SyncPartition.status == status)
    if after is not None:
        statement = statement.where(tuple_(SyncPartition.table_name, SyncPartition.partition_no) > after)
    return list(connection.execute(statement.with_only_columns(*SyncPartition.__table__.columns)))


def _at(county_id: str, run_id: UUID, table: str | None = None, number: int | None = None) -> list[ColumnElement[bool]]:
    """Conditions for the partitions of a run, of one of its tables, or for one partition."""
    columns = (SyncPartition.county_id, SyncPartition.run_id, SyncPartition.table_name, SyncPartition.partition_no)
    values = (county_id, run_id, table, number)
    return [column == value for column, value in zip(columns, values, strict=True) if value is not None]


def _state(row: Row[*tuple[Any, ...]]) -> PartitionState:
    return PartitionState.model_validate(dict(row._mapping))
