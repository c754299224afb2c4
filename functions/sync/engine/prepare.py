"""Prepare: the plan of the curated files that make up the county's tables after a run.

Files of the last manifest are kept, but for those in whose range a row has changed since; of a new table, those that
`publication.early_writer` has written while it was applied.
"""

from datetime import timedelta
from uuid import UUID

import orjson
from sqlalchemy import Connection

from functions.sync.domain.publication import Manifest, PlannedFile, Publication
from functions.sync.engine.publication import file_plan
from functions.sync.engine.publication.early_writer import load_early_files
from functions.sync.engine.publication.file_plan import existing_files, latest_manifest, plan_files
from functions.sync.engine.run_context import RunContext, load
from functions.sync.engine.run_log import log_state
from functions.sync.object_keys import files_key, publication_key
from functions.sync.repository import published
from shared import storage
from shared.db import unit_of_work
from shared.db.models import SYNC_TARGETS

MAX_OPEN_TRANSACTION = timedelta(minutes=15)
"""Longest transaction that writes rows: a version is dated when its transaction begins, and visible when that commits,
and none but a run's own outlasts the Lambda that waits for it (15 minutes, AWS's limit)."""


def prepare_publication(county_id: str, run_id: UUID) -> str:
    """Plan what a run publishes, and return the key of the list of files that Curate is to write. Idempotent."""
    context = load(county_id, run_id)
    earlier, early = latest_manifest(county_id), load_early_files(context)
    with unit_of_work(county_id) as connection:
        # edits made while the run was applied are not in the early files
        visible_at = context.run.applied_at or published.transaction_time(connection)
        tables = {name: early.get(name) or _files(connection, context, name, earlier) for name in SYNC_TARGETS}
    publication = Publication(
        changes_through=visible_at - MAX_OPEN_TRANSACTION,
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
    log_state("publication prepared", county_id, run_id)
    return key


def _files(
    connection: Connection, context: RunContext, table: str, earlier: Manifest | None
) -> list[PlannedFile] | None:
    """The files of a table; None for one that the county does not have.

    Those of the last manifest are kept, but for ranges in which a row has changed since.
    """
    published_table = earlier.tables.get(table) if earlier is not None else None
    if earlier is None or published_table is None:
        bounds, rows = published.cut(connection, context.county_id, table, file_plan.ROWS_PER_FILE)
        if not any(rows) and table not in {mapping.target_table_name for mapping in context.mapping.table_mappings}:
            return None
        return plan_files(context, table, bounds, rows)
    bounds = [file.upper_key for file in published_table.files[:-1] if file.upper_key is not None]
    changed = published.count_changed_by_range(
        connection, context.county_id, table, bounds, earlier.changes_through, earlier.run_id
    )
    existing = existing_files(published_table.files)
    if not any(changed) and all(existing):
        return plan_files(context, table, bounds, [file.rows for file in published_table.files], existing)
    rows = published.count_live_by_range(connection, context.county_id, table, bounds)
    if max(rows) > file_plan.MAX_FILE_GROWTH * file_plan.ROWS_PER_FILE:
        cut = published.cut(connection, context.county_id, table, file_plan.ROWS_PER_FILE)
        return plan_files(context, table, *cut)
    unchanged_files = [None if count else file for file, count in zip(existing, changed, strict=True)]
    return plan_files(context, table, bounds, rows, unchanged_files)
