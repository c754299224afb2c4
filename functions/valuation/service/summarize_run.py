"""The end of a run: the distribution of its changes, and its results as files."""

from pathlib import Path
from tempfile import TemporaryDirectory

from functions.valuation.repository import results, runs
from functions.valuation.schemas.runs import ExportFormat, ValuationRunResults
from functions.valuation.service.parquet_export import write_parquet
from shared.csv_export.tables import CSV
from shared.db import unit_of_work
from shared.jobs import RunningJob
from shared.jobs.download import StoredFile, store_file
from shared.problems import NotFound


def finish_run(job: RunningJob) -> ValuationRunResults:
    """Summarize and export the partitions' results. Raises NotFound for a run that was not planned."""
    with unit_of_work(job.county_id) as connection:
        run = runs.find(connection, job.county_id, job.job_id)
        if run is None:
            raise NotFound(f"{job.county_id} has no valuation run {job.job_id}.", slug="valuation-run-not-found")
        overall = results.overall_change(connection, job.county_id, job.job_id)
        by_neighborhood = results.changes_by_group(connection, job.county_id, job.job_id, "neighborhood")
        by_class = results.changes_by_group(connection, job.county_id, job.job_id, "property_class")
        flags = results.flag_counts(connection, job.county_id, job.job_id)
        refusals = results.refusal_counts(connection, job.county_id, job.job_id)
        runs.set_counts(connection, job.county_id, job.job_id, overall.valued, overall.not_valued, overall.review)
    return ValuationRunResults(
        valuation_date=run.valuation_date,
        models=run.models,
        data_version=run.data_version,
        overall=overall,
        by_neighborhood=by_neighborhood,
        by_property_class=by_class,
        flags=flags,
        not_valued=refusals,
        files=_files(job),
    )


def _files(job: RunningJob) -> dict[ExportFormat, StoredFile]:
    name = f"{job.county_id}-valuation-run"
    with TemporaryDirectory() as folder:
        rows, csv, parquet = Path(folder, "rows"), Path(folder, f"{name}.csv"), Path(folder, f"{name}.parquet")
        with unit_of_work(job.county_id) as connection:
            results.export(connection, job.county_id, job.job_id, csv)
            results.copy_out(connection, job.county_id, job.job_id, rows)
        write_parquet(rows, parquet)
        return {
            "csv": store_file(job, csv, csv.name, CSV),
            "parquet": store_file(job, parquet, parquet.name, "application/vnd.apache.parquet"),
        }
