"""Curate: one curated file, a range of a table's rows, written after Apply."""

from uuid import UUID

from functions.sync.domain.publication import PlannedFile
from functions.sync.engine.publication.curated_file import write_file
from functions.sync.engine.publication.file_plan import load_publication
from functions.sync.engine.run_context import require_running
from functions.sync.engine.run_log import log_state
from functions.sync.repository import published, runs
from shared.db import unit_of_work
from shared.mapping.targets import target_tables
from shared.problems import Conflict, NotFound


def curate_file(county_id: str, run_id: UUID, table: str, number: int) -> int:
    """Write the file of that number, and return its number of rows. Idempotent.

    Raises NotFound, and Conflict for a run that has ended or a table that has other rows than when it was planned.
    """
    planned = load_publication(county_id, run_id).tables[table][number - 1]
    with unit_of_work(county_id) as connection:
        run = runs.find(connection, county_id, run_id)
        if run is None:
            raise NotFound(f"{county_id} has no sync run {run_id}.", slug="sync-run-not-found")
        require_running(run)
        columns = target_tables()[table].columns
        texts = published.rows_between(
            connection, county_id, table, list(columns), planned.lower_key, planned.file.upper_key
        )
    if texts.height != planned.file.rows:
        raise Conflict(f"{table} has {texts.height:,} rows {_range(planned)}, and had {planned.file.rows:,}.")
    write_file(table, planned.file.key, texts)
    log_state("file written", county_id, run_id, table=table, file=number, rows=texts.height)
    return texts.height


def _range(planned: PlannedFile) -> str:
    return f"after {planned.lower_key or 'the beginning'} up to {planned.file.upper_key or 'the end'}"
