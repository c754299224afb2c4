"""Publish: the specialised stores, in three steps, of which each may run twice.

`prepare` decides which files make up the county's tables now: the last manifest's, but for those of whose range a
row has changed since; of a table that is new, those that were written while it was applied (see `ahead`). `curate`
writes one of them. `publish` checks that all are there, then puts the manifest, and then what points at it, so that
nobody sees half a run.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
from sqlalchemy import Connection, func

from functions.sync.domain.publication import Manifest, ManifestTable, PlannedFile, Publication
from functions.sync.engine.publication import file_plan
from functions.sync.engine.publication.early_writer import read_ahead
from functions.sync.engine.publication.file_plan import latest_manifest, plan_files, still_there
from functions.sync.engine.publication.file_writer import load_publication
from functions.sync.engine.run_context import RunContext, load
from functions.sync.object_keys import athena_key, files_key, latest_manifest_key, manifest_key, publication_key
from functions.sync.repository import published, runs
from shared import storage
from shared.aws import client
from shared.db import unit_of_work
from shared.db.models import SYNC_TARGETS
from shared.jobs import repository as jobs
from shared.problems import Conflict, NotFound
from shared.settings import settings

UNCOMMITTED = timedelta(minutes=15)
"""A version is dated when its transaction begins, and seen when it ends: none lasts longer than the Lambda that waits
for it, but for that of a run, and what is published is that of the last run."""


def prepare_publication(county_id: str, run_id: UUID) -> str:
    """Decide what is to be published after a run; the key of the list of files that are to be written."""
    context = load(county_id, run_id)
    before, done = latest_manifest(county_id), read_ahead(context)
    with unit_of_work(county_id) as connection:
        # what was edited while the run was applied is not in the files that were written meanwhile
        seen = context.run.applied_at or published.now(connection)
        tables = {name: done.get(name) or _files(connection, context, name, before) for name in SYNC_TARGETS}
    publication = Publication(
        changes_through=seen - UNCOMMITTED,
        tables={name: files for name, files in tables.items() if files is not None},
    )
    storage.put(publication_key(county_id, run_id), publication.model_dump_json().encode(), "application/json")
    written = [
        {"table_name": name, "file_no": number}
        for name, files in publication.tables.items()
        for number, planned in enumerate(files, start=1)
        if planned.written
    ]
    key = files_key(county_id, run_id)
    storage.put(key, orjson.dumps(written), "application/json")
    return key


def publish_run(county_id: str, run_id: UUID) -> None:
    """Show what `prepare` planned and `curate` wrote. Raises Conflict where a file is missing."""
    with unit_of_work(county_id) as connection:
        run = runs.find(connection, county_id, run_id)
    if run is not None and run.published_at is not None:  # an earlier try did it, and its answer was lost
        return
    context = load(county_id, run_id)
    publication = load_publication(county_id, run_id)
    _require_files(publication)
    tables = {
        name: ManifestTable(rows=sum(planned.file.rows for planned in files), files=[planned.file for planned in files])
        for name, files in publication.tables.items()
    }
    manifest = Manifest(
        county_id=county_id,
        run_id=run_id,
        published_at=datetime.now(UTC),
        changes_through=publication.changes_through,
        tables=tables,
    )
    body = orjson.dumps(manifest.model_dump(mode="json"))
    storage.put(manifest_key(county_id, run_id), body, "application/json")
    storage.put(latest_manifest_key(county_id), body, "application/json")
    for name, table in tables.items():
        listed = "".join(f"s3://{settings().data_bucket}/{file.key}\n" for file in table.files)
        storage.put(athena_key(county_id, name), listed.encode(), "text/plain")
    _announce(context)
    with unit_of_work(county_id) as connection:
        runs.set_run(connection, county_id, run_id, published_at=func.now(), active=False)
        jobs.set_status(connection, county_id, run_id, "succeeded")


def _files(
    connection: Connection, context: RunContext, table: str, before: Manifest | None
) -> list[PlannedFile] | None:
    """A table's files; None for one that the county does not have."""
    known = before.tables.get(table) if before is not None else None
    if before is None or known is None:
        bounds, rows = published.cut(connection, context.county_id, table, file_plan.ROWS_PER_FILE)
        if not any(rows) and table not in {one.target_table_name for one in context.mapping.table_mappings}:
            return None
        return plan_files(context, table, bounds, rows)
    bounds = [file.upper_key for file in known.files[:-1] if file.upper_key is not None]
    changed = published.changed_rows(
        connection, context.county_id, table, bounds, before.changes_through, before.run_id
    )
    there = still_there(known.files)
    if not any(changed) and all(there):
        return plan_files(context, table, bounds, [file.rows for file in known.files], there)
    rows = published.live_rows(connection, context.county_id, table, bounds)
    if max(rows) > file_plan.LARGEST_FILE * file_plan.ROWS_PER_FILE:
        cut = published.cut(connection, context.county_id, table, file_plan.ROWS_PER_FILE)
        return plan_files(context, table, *cut)
    kept = [None if count else file for file, count in zip(there, changed, strict=True)]
    return plan_files(context, table, bounds, rows, kept)


def _require_files(publication: Publication) -> None:
    for files in publication.tables.values():
        for planned in files:
            if not planned.written:
                continue
            try:
                storage.find(planned.file.key)
            except NotFound as missing:
                raise Conflict(f"The file {planned.file.key} has not been written.") from missing


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
