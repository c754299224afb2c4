"""The quarantine of rejected rows: filled by partitions, listed, replayed, closed by the run that resolves them."""
# ruff: noqa: S608 - names are quoted identifiers of models or mappings; values are literals or parameters

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import orjson
from pg8000.native import identifier, literal
from sqlalchemy import Connection, Row, TextClause, delete, func, select, text

from functions.sync.repository import staging
from functions.sync.schemas.runs import RejectedFilter
from shared.contracts.source_rows import Key
from shared.csv_export.query import export_csv
from shared.db.literals import uuid_literal
from shared.db.models import SYNC_TARGETS, RejectedRow, key_column

if TYPE_CHECKING:
    import polars as pl

_INSERT_BATCH_SIZE = 2_000
"""Rows of one INSERT. A choice, of the order of a megabyte of JSON."""

RejectedRecord = Row[*tuple[Any, ...]]


class FlaggedRow(NamedTuple):
    """A source row that was rejected or warned of; the row and its reasons as JSON."""

    source_key: str | None
    target_key: str | None
    source_row: str
    reasons: str


class ReadingPartition(NamedTuple):
    """The partition that read a row from the source."""

    run_id: UUID
    number: int


RECORDSET = "jsonb_to_recordset(CAST(:rows AS jsonb)) AS x (k text, t text, r jsonb, w jsonb)"
"""SQL that turns a text of `recordsets` into rows: source key, target key, source row, reasons."""


def recordsets(flagged: Sequence[FlaggedRow]) -> Iterator[str]:
    """Flagged rows as JSON, in batches for one statement each."""
    for start in range(0, len(flagged), _INSERT_BATCH_SIZE):
        rows = [
            {"k": row.source_key, "t": row.target_key}
            | {"r": orjson.Fragment(row.source_row), "w": orjson.Fragment(row.reasons)}
            for row in flagged[start : start + _INSERT_BATCH_SIZE]
        ]
        yield orjson.dumps(rows).decode()


def add(
    connection: Connection,
    county_id: str,
    run_id: UUID,
    table: str,
    reading: ReadingPartition,
    rows: Sequence[FlaggedRow],
) -> None:
    """Put rejected rows into quarantine."""
    for recordset in recordsets(rows):
        connection.execute(
            text(
                "INSERT INTO rejected_rows"
                " (county_id, run_id, table_name, read_run, partition_no, source_key, target_key, source_row, reasons)"
                " SELECT :county_id, CAST(:run_id AS uuid), :table_name, CAST(:read_run AS uuid),"
                " CAST(:number AS integer), k, t, r, w"
                f" FROM {RECORDSET}"
            ),
            {
                "county_id": county_id,
                "run_id": str(run_id),
                "table_name": table,
                "read_run": str(reading.run_id),
                "number": reading.number,
                "rows": recordset,
            },
        )


def clear(connection: Connection, county_id: str, run_id: UUID) -> None:
    """Delete the rows that a run put into quarantine: it is planned anew."""
    connection.execute(delete(RejectedRow).where(RejectedRow.county_id == county_id, RejectedRow.run_id == run_id))


def count_rule(connection: Connection, county_id: str, run_id: UUID, table: str, rule: str) -> int:
    """The number of rows of a table that a run rejected for a rule."""
    rows = connection.scalar(
        select(func.count())
        .select_from(RejectedRow)
        .where(
            RejectedRow.county_id == county_id,
            RejectedRow.run_id == run_id,
            RejectedRow.table_name == table,
            RejectedRow.reasons.contains([{"rule": rule}]),
        )
    )
    return int(rows or 0)


def page(
    connection: Connection,
    county_id: str,
    run_id: UUID,
    row_filter: RejectedFilter,
    *,
    is_open: bool | None,
    after: int,
    limit: int,
) -> list[RejectedRecord]:
    """A page of a run's rejected rows, in the order in which they were added: open, resolved or (None) both."""
    statement = (
        select(
            RejectedRow.row_no,
            RejectedRow.table_name,
            RejectedRow.source_key,
            RejectedRow.source_row,
            RejectedRow.reasons,
            RejectedRow.resolution,
            RejectedRow.resolved_by_run,
            RejectedRow.resolved_at,
        )
        .where(_verbatim(_filter_sql(county_id, run_id, row_filter, is_open)), RejectedRow.row_no > after)
        .order_by(RejectedRow.row_no)
        .limit(limit)
    )
    return list(connection.execute(statement))


def export(
    connection: Connection,
    county_id: str,
    run_id: UUID,
    row_filter: RejectedFilter,
    *,
    is_open: bool | None,
    target: Path,
) -> None:
    """Write a run's rejected rows as CSV: their reasons and state, then the source's columns as they were read."""
    where = _filter_sql(county_id, run_id, row_filter, is_open)
    columns = connection.scalars(
        _verbatim(f"SELECT DISTINCT jsonb_object_keys(source_row) FROM rejected_rows WHERE {where} ORDER BY 1")
    ).all()
    source = "".join(f", source_row ->> {literal(name)} AS {identifier(name)}" for name in columns)
    query = (
        "SELECT table_name AS rejected_from, source_key AS rejected_key,"
        " (SELECT string_agg(r ->> 'field', '; ' ORDER BY n) FROM jsonb_array_elements(reasons)"
        " WITH ORDINALITY AS u (r, n)) AS rejected_fields,"
        " (SELECT string_agg(concat(r ->> 'rule', ': ', r ->> 'message'), '; ' ORDER BY n)"
        " FROM jsonb_array_elements(reasons) WITH ORDINALITY AS u (r, n)) AS rejected_because,"
        f" coalesce(resolution, 'open') AS rejected_state{source}"
        f" FROM rejected_rows WHERE {where} ORDER BY row_no"
    )
    export_csv(connection, query, target)


def cut(
    connection: Connection, county_id: str, run_id: UUID, row_filter: RejectedFilter, table: str, *, rows: int
) -> tuple[int, list[Key]]:
    """The number of a run's open rows of one table, and the row number of every `rows`-th of them."""
    numbers = connection.scalars(
        select(RejectedRow.row_no)
        .where(_verbatim(_filter_sql(county_id, run_id, row_filter, is_open=True, table=table)))
        .order_by(RejectedRow.row_no)
    ).all()
    return len(numbers), [[number] for number in numbers[rows - 1 : -1 : rows]]


def read(
    connection: Connection,
    county_id: str,
    run_id: UUID,
    row_filter: RejectedFilter,
    table: str,
    *,
    columns: Sequence[str],
    lower: int | None,
    upper: int | None,
) -> "pl.DataFrame":
    """A run's open rows of one table with numbers in (lower, upper]: the source's columns as they were read."""
    where = _filter_sql(county_id, run_id, row_filter, is_open=True, table=table)
    where += f" AND row_no > {int(lower)}" if lower is not None else ""
    where += f" AND row_no <= {int(upper)}" if upper is not None else ""
    source = ", ".join(f"source_row ->> {literal(name)} AS {identifier(name)}" for name in columns)
    return staging.query_frame(connection, f"SELECT {source} FROM rejected_rows WHERE {where} ORDER BY row_no")


def inherit_reading_partitions(
    connection: Connection, county_id: str, run_id: UUID, table: str, replay_of: UUID
) -> None:
    """Give rows that a replay rejected again the partition that originally read them from the source."""
    connection.execute(
        text(
            "UPDATE rejected_rows AS n SET read_run = q.read_run, partition_no = q.partition_no"
            " FROM rejected_rows AS q WHERE n.county_id = :county_id AND n.run_id = CAST(:run_id AS uuid)"
            " AND n.table_name = :table_name AND q.county_id = :county_id AND q.run_id = CAST(:replay_of AS uuid)"
            " AND q.table_name = n.table_name AND q.source_key IS NOT DISTINCT FROM n.source_key"
        ),
        {"county_id": county_id, "run_id": str(run_id), "table_name": table, "replay_of": str(replay_of)},
    )


def open_keys(connection: Connection, county_id: str, table: str) -> list[str]:
    """The target keys of all open rows of a table, of whichever run."""
    return list(
        connection.scalars(
            select(RejectedRow.target_key)
            .where(
                RejectedRow.county_id == county_id,
                RejectedRow.table_name == table,
                RejectedRow.resolution.is_(None),
                RejectedRow.target_key.is_not(None),
            )
            .distinct()
        )
    )


def close_after_full_read_sql(county_id: str, run_id: UUID, table: str) -> str:
    """SQL that closes the rows of earlier runs of a table that this run has read whole and applied.

    Rows of partitions that it skipped as unchanged stay open.
    """
    skipped = (
        f"SELECT FROM sync_partitions AS p WHERE p.county_id = {literal(county_id)}"
        f" AND p.run_id = {uuid_literal(run_id)} AND p.table_name = q.table_name AND p.unchanged"
        " AND p.read_run = q.read_run AND p.read_no = q.partition_no"
    )
    return _close_sql(county_id, run_id, table, f"NOT EXISTS ({skipped})")


def close_keys_sql(county_id: str, run_id: UUID, table: str, keys: Sequence[str]) -> str:
    """SQL that closes the rows with these target keys, which this run has read and applied."""
    listed = literal(orjson.dumps(list(keys)).decode())
    condition = f"q.target_key IN (SELECT jsonb_array_elements_text(CAST({listed} AS jsonb)))"
    return _close_sql(county_id, run_id, table, condition)


def close_replayed_sql(county_id: str, run_id: UUID, table: str, replay_of: UUID, row_filter: RejectedFilter) -> str:
    """SQL that closes the rows of an earlier run that this run has replayed and applied."""
    return _close_sql(county_id, run_id, table, _filter_sql(county_id, replay_of, row_filter, is_open=True, alias="q."))


def _close_sql(county_id: str, run_id: UUID, table: str, condition: str) -> str:
    """Once the run is applied, a row that it did not reject again is live in the target or gone from the source."""
    key = identifier(key_column(SYNC_TARGETS[table]))
    county, run = literal(county_id), uuid_literal(run_id)
    return (
        f"UPDATE rejected_rows AS q SET resolved_by_run = {run}, resolved_at = now(), resolution ="
        f" CASE WHEN EXISTS (SELECT FROM rejected_rows AS n WHERE n.county_id = {county} AND n.run_id = {run}"
        " AND n.table_name = q.table_name AND n.source_key IS NOT DISTINCT FROM q.source_key) THEN 'rejected_again'"
        f" WHEN EXISTS (SELECT FROM {identifier(table)} AS t WHERE t.county_id = {county}"
        f" AND t.{key} = q.target_key AND t.retired_at IS NULL) THEN 'synced' ELSE 'gone' END"
        f" WHERE q.county_id = {county} AND q.table_name = {literal(table)} AND q.resolution IS NULL"
        f" AND q.run_id <> {run} AND {condition}"
    )


def _filter_sql(
    county_id: str,
    run_id: UUID,
    row_filter: RejectedFilter,
    is_open: bool | None,
    *,
    table: str | None = None,
    alias: str = "",
) -> str:
    """SQL conditions with literals, because COPY takes no parameters."""
    conditions = [f"{alias}county_id = {literal(county_id)}", f"{alias}run_id = {uuid_literal(run_id)}"]
    conditions += [f"{alias}table_name = {literal(name)}" for name in (row_filter.table, table) if name is not None]
    reason = {
        name: value for name, value in (("rule", row_filter.rule), ("field", row_filter.field)) if value is not None
    }
    if reason:
        conditions.append(f"{alias}reasons @> CAST({literal(orjson.dumps([reason]).decode())} AS jsonb)")
    if is_open is not None:
        conditions.append(f"{alias}resolution IS {'' if is_open else 'NOT '}NULL")
    return " AND ".join(conditions)


def _verbatim(sql: str) -> TextClause:
    """SQL without parameters: colons in literals are escaped."""
    return text(sql.replace(":", "\\:"))
