"""Publish: the manifest of the county's curated tables, and what points at them.

The manifest is replaced after all its files exist, so that no reader sees half a run.
"""

from datetime import UTC, datetime
from uuid import UUID

import orjson
from sqlalchemy import func

from functions.sync.domain.publication import Manifest, ManifestTable, Publication
from functions.sync.engine.publication.file_plan import load_publication
from functions.sync.engine.run_context import RunContext, load
from functions.sync.engine.run_log import log_state
from functions.sync.object_keys import athena_key, latest_manifest_key, manifest_key
from functions.sync.repository import runs
from functions.sync.schemas.runs import SyncCompleted
from shared import events, storage
from shared.db import unit_of_work
from shared.jobs import repository as jobs
from shared.problems import Conflict, NotFound
from shared.settings import settings


def publish_run(county_id: str, run_id: UUID) -> None:
    """Publish what Prepare planned and Curate wrote, and end the run as succeeded. Idempotent.

    Raises Conflict where a file is missing.
    """
    with unit_of_work(county_id) as connection:
        run = runs.find(connection, county_id, run_id)
    if run is not None and run.published_at is not None:  # by an earlier attempt, whose answer was lost
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
        file_list = "".join(f"s3://{settings().data_bucket}/{file.key}\n" for file in table.files)
        storage.put(athena_key(county_id, name), file_list.encode(), "text/plain")
    _announce(context)
    with unit_of_work(county_id) as connection:
        runs.set_run(connection, county_id, run_id, published_at=func.now(), active=False)
        jobs.set_status(connection, county_id, run_id, "succeeded")
    log_state("published", county_id, run_id)


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
    events.publish(
        SyncCompleted(
            county_id=context.county_id,
            run_id=context.run_id,
            manifest=manifest_key(context.county_id, context.run_id),
            tables=context.run.tables,
        )
    )
