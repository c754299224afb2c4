"""The files of an analysis. Its task knows nothing of them, so that it needs no Parquet."""

from uuid import UUID

from functions.market_analysis.domain.files import CONTENT_TYPES, to_file
from functions.market_analysis.job_kinds import MARKET_ANALYSIS
from functions.market_analysis.schemas import DownloadFormat
from shared import jobs, storage
from shared.problems import Conflict, NotFound


def file_address(county_id: str, analysis_id: UUID, file_format: DownloadFormat) -> str:
    """A signed address of an analysis's results as a file, for 15 minutes.

    The file is rendered by the first request for it and kept in the job's folder. Raises NotFound, Conflict before the
    analysis has succeeded, and Gone where its results were lost or damaged before there was a file.
    """
    job = jobs.get(county_id, MARKET_ANALYSIS, analysis_id)
    if job.status != "succeeded":
        raise Conflict(f"The job is {job.status}: there are no results to show.", slug="job-not-succeeded")
    period = f"{job.parameters['from']}-{job.parameters['to']}"
    filename = f"{county_id}-market-analysis-{period}.{file_format}"
    key = storage.county_key(county_id, "jobs", str(analysis_id), filename)
    if not _is_kept(key):
        results = jobs.results(county_id, MARKET_ANALYSIS, analysis_id)
        storage.put(key, to_file(results, file_format), CONTENT_TYPES[file_format])
    return storage.signed_url(key, filename, CONTENT_TYPES[file_format])


def _is_kept(key: str) -> bool:
    """The file is there, and is not empty."""
    try:
        return storage.find(key).size > 0
    except NotFound:
        return False
