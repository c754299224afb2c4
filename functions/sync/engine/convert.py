"""Convert: a geographic file of a county written as parts that partitions can read, one file a call.

Its function has GDAL's layer in place of Polars', so nothing here may import a module that needs Polars.
"""

from uuid import UUID

from functions.sync.engine.run_log import log_state
from functions.sync.repository import runs
from shared.counties.configuration import CountyConfiguration
from shared.counties.source_description import FilesDescription
from shared.db import unit_of_work
from shared.problems import Conflict, NotFound, Unprocessable
from shared.sources.files.geographic import conversion
from shared.sources.files.geographic.conversion import Bounds
from shared.uploads.files import upload_files


def convert_file(county_id: str, run_id: UUID, table: str, bounds: Bounds) -> int:
    """Convert the file of a source table for a run, and return its number of rows. Idempotent.

    Raises Conflict for a run that has ended, and as `conversion.convert` does.
    """
    with unit_of_work(county_id) as connection:
        run = runs.find(connection, county_id, run_id)
    if run is None:
        raise NotFound(f"{county_id} has no sync run {run_id}.", slug="sync-run-not-found")
    if run.status != "running":
        raise Conflict(f"Sync run {run_id} is {run.status}.", slug="sync-run-not-running")
    rows = conversion.convert(county_id, _files(county_id, run.upload_id), table, bounds)
    log_state("file converted", county_id, run_id, table=table, rows=rows)
    return rows


def sample_file(county_id: str, upload_id: UUID | None, table: str, rows: int, bounds: Bounds) -> str:
    """Convert the first rows of a source table's file, or of an upload, and return the key of their object.

    Raises as `conversion.sample` does.
    """
    return conversion.sample(county_id, _files(county_id, upload_id), table, rows, bounds)


def _files(county_id: str, upload_id: UUID | None) -> FilesDescription:
    if upload_id is not None:
        return upload_files(county_id, upload_id)
    with unit_of_work(county_id) as connection:
        county = runs.county(connection, county_id)
    if county is None:
        raise NotFound(f"{county_id} is not onboarded.", slug="county-not-found")
    configuration = CountyConfiguration.model_validate(county[0])
    source = configuration.data_ingestion_settings.source_description
    if not isinstance(source, FilesDescription):
        raise Unprocessable(f"The source of {county_id} is not files.", slug="source-table-missing")
    return source
