"""The job of a submission: the study of the state's form, and its package."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from functions.state_submissions import repository
from functions.state_submissions.domain.states import STATES
from functions.state_submissions.render.package import PackageContent, write_package
from functions.state_submissions.schemas import StateSubmissionRequest, StateSubmissionResults
from functions.state_submissions.service.requests import settings_of
from shared import audit
from shared.db import snapshot, unit_of_work
from shared.jobs import RunningJob
from shared.jobs.download import store_file

_ZIP = "application/zip"


def submit(job: RunningJob) -> StateSubmissionResults:
    """Make the study of one snapshot of the county's data, and the package where no sale is refused. Idempotent."""
    request = StateSubmissionRequest.model_validate(job.parameters)
    year = request.assessment_year
    with snapshot(job.county_id) as connection:
        county_name, version, stored = repository.county(connection, job.county_id)
        settings = settings_of(stored)
        state = STATES[settings.state]
        first, last = state.period(year)
        sales = repository.sales(connection, job.county_id, year, first, last)
        submission = state.submission(settings, year, sales, repository.parcels(connection, job.county_id, year))
    job.announce(1, 2, "writing the package")
    results = StateSubmissionResults(
        state=settings.state,
        assessment_year=year,
        period_from=first,
        period_to=last,
        sales=submission.sales,
        valid=submission.valid,
        invalid=submission.invalid,
        outliers_kept=submission.outliers_kept,
        indicated_ratio=submission.indicated_ratio,
        strata=submission.strata,
        parcels_outside_strata=submission.parcels_outside_strata,
        refused=submission.refused,
    )
    if submission.refused:
        return results
    content = PackageContent(
        county_id=job.county_id,
        county_name=county_name,
        state_title=state.title,
        job_id=str(job.job_id),
        made_at=datetime.now(UTC),
        configuration_version=version,
        settings=settings,
        results=results,
        submission=submission,
    )
    with TemporaryDirectory(prefix="terrafusion-submission-") as folder:
        path = Path(folder) / "package.zip"
        files = write_package(content, Path(folder), path)
        file = store_file(job, path, f"{job.county_id}-{settings.state}-{year}.zip", _ZIP)
    with unit_of_work(job.county_id) as connection:
        job.commit(connection)
        details = {"state": settings.state, "assessment_year": year, "valid": results.valid, "invalid": results.invalid}
        subject = f"state-submissions/{job.job_id}"
        audit.record(connection, job.county_id, job.submitted_by, "state_submission.made", subject, details)
    return results.model_copy(update={"files": tuple(files), "file": file})
