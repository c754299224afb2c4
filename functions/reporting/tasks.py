"""The jobs machine's task of reports."""

from pathlib import Path
from tempfile import TemporaryDirectory

from functions.reporting import making
from functions.reporting.report import CONTENT_TYPES
from functions.reporting.schemas import ReportRequest, ReportResult
from functions.reporting.service import KIND
from shared import jobs
from shared.jobs import RunningJob, job_task
from shared.jobs.download import store_file


def run(job: RunningJob) -> ReportResult:
    """Make a report and put its file into the job's folder."""
    request = ReportRequest.model_validate(job.parameters)
    asked_at = jobs.get(job.county_id, KIND, job.job_id).created_at
    made = making.make_report(job.county_id, str(job.job_id), request, asked_at)
    filename = f"{job.county_id}-{request.report_type.replace('_', '-')}-{asked_at:%Y-%m-%d}.{request.format}"
    with TemporaryDirectory() as folder:
        path = Path(folder, filename)
        path.write_bytes(made.content)
        stored = store_file(job, path, filename, CONTENT_TYPES[request.format])
    return ReportResult(report_type=request.report_type, format=request.format, title=made.title, file=stored)


handler = job_task({KIND: run})
