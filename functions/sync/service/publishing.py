"""Publish: the specialised stores. Files first, then the manifest, then the pointer: nobody sees half a run."""

from datetime import UTC, datetime
from uuid import UUID

import orjson
import polars as pl
from sqlalchemy import func

from functions.sync.repository import published, runs
from functions.sync.schemas import Manifest, ManifestTable
from functions.sync.service.context import RunContext, load
from functions.sync.service.frames import put_frame
from functions.sync.service.objects import curated_key, latest_manifest_key, manifest_key
from shared import storage
from shared.aws import client
from shared.db import unit_of_work
from shared.jobs import repository as jobs
from shared.mapping.targets import ColumnKind, TargetColumn, target_tables
from shared.problems import NotFound
from shared.settings import settings

ROWS_PER_FILE = 50_000


def publish(county_id: str, run_id: UUID) -> None:
    """Write the changed tables of an applied run, and say that it is there. Safe to run again."""
    context = load(county_id, run_id)
    before = _latest(county_id)
    tables = {}
    for table in context.mapping.table_mappings:
        name = table.target_table_name
        counts = context.run.tables.get(name)
        if counts is not None and counts.differences == 0 and before is not None and name in before.tables:
            tables[name] = before.tables[name]
        else:
            tables[name] = _write_table(context, name)
    manifest = Manifest(county_id=county_id, run_id=run_id, published_at=datetime.now(UTC), tables=tables)
    body = orjson.dumps(manifest.model_dump(mode="json"))
    storage.put(manifest_key(county_id, run_id), body, "application/json")
    storage.put(latest_manifest_key(county_id), body, "application/json")
    _announce(context)
    with unit_of_work(county_id) as connection:
        runs.set_run(connection, county_id, run_id, published_at=func.now(), active=False)
        jobs.set_status(connection, county_id, run_id, "succeeded")


def _latest(county_id: str) -> Manifest | None:
    try:
        return Manifest.model_validate_json(storage.get(latest_manifest_key(county_id)))
    except NotFound:
        return None


def _write_table(context: RunContext, table: str) -> ManifestTable:
    columns = target_tables()[table].columns
    files: list[str] = []
    rows, last = 0, None
    while True:
        with unit_of_work(context.county_id) as connection:
            texts = published.rows_after(connection, context.county_id, table, list(columns), last, ROWS_PER_FILE)
        if texts.is_empty() and files:
            break
        frame = texts.select(
            *(_typed(column) for column in columns.values()),
            pl.col("version").cast(pl.Int32),
            pl.col("valid_from").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us").dt.replace_time_zone("UTC"),
        )
        key = curated_key(context.county_id, context.run_id, table, len(files) + 1)
        put_frame(key, frame)
        files.append(key)
        rows += frame.height
        if frame.height < ROWS_PER_FILE:
            break
        last = texts.get_column(target_tables()[table].key)[-1]
    return ManifestTable(rows=rows, files=files)


def _typed(column: TargetColumn) -> pl.Expr:
    text = pl.col(column.name)
    match column.kind:
        case ColumnKind.INTEGER:
            return text.cast(pl.Int32)
        case ColumnKind.NUMERIC:
            return text.cast(pl.Decimal(column.precision, column.scale))
        case ColumnKind.FLOAT:
            return text.cast(pl.Float64)
        case ColumnKind.DATE:
            return text.str.to_date("%Y-%m-%d")
        case ColumnKind.BOOLEAN:
            return (text == "t").alias(column.name)
        case ColumnKind.TIMESTAMP:
            return text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us")
        case _:
            return text


def _announce(context: RunContext) -> None:
    detail = {
        "county_id": context.county_id,
        "run_id": str(context.run_id),
        "manifest": manifest_key(context.county_id, context.run_id),
        "tables": {name: counts.model_dump(mode="json") for name, counts in context.run.tables.items()},
    }
    client("events").put_events(
        Entries=[
            {
                "Source": "terrafusion.sync",
                "DetailType": "SyncCompleted",
                "Detail": orjson.dumps(detail).decode(),
                "EventBusName": settings().event_bus_name or "default",
            }
        ]
    )
