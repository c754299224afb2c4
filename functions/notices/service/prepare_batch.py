"""The first step of a batch: its notices are written down, and cut into files."""

from functions.notices.repository import batches, templates
from functions.notices.schemas import LetterFilePart, NoticeBatchRequest
from functions.notices.service.batch_plan import BatchPlan, keep_plan, kept_plan
from functions.notices.service.batches import previous_year_of
from shared.counties.notice_county import notice_county
from shared.db import unit_of_work
from shared.jobs import RunningJob
from shared.rolls.appeal_deadlines import deadline_after


def prepare_batch(job: RunningJob) -> list[LetterFilePart]:
    """Write down the notices of a batch; one that was written down before stays as it is. Returns its files.

    Raises Unprocessable where the roll is not there any more.
    """
    request = NoticeBatchRequest.model_validate(job.parameters)
    with unit_of_work(job.county_id) as connection:
        batches.lock(connection, job.county_id, request.roll_year)
        if not batches.is_planned(connection, job.county_id, job.job_id):
            county = notice_county(connection, job.county_id)
            years = batches.roll_years(connection, job.county_id, request.roll_year)
            previous_year = previous_year_of(years, request.roll_year)
            deadline = deadline_after(county.settings, request.roll_year, request.mailed_on)
            template = templates.newest(connection, job.county_id)
            batches.release_ended(connection, job.county_id, request.roll_year)
            skipped = batches.prepare(
                connection,
                job.county_id,
                job.job_id,
                request,
                previous_year=previous_year,
                deadline=deadline,
                letters_per_file=county.settings.letters_per_file,
            )
            files = batches.planned_files(connection, job.county_id, job.job_id)
            plan = BatchPlan(
                previous_year=previous_year,
                deadline=deadline,
                template_version=0 if template is None else template.version,
                letters=sum(file.letters for file in files),
                skipped=skipped,
            )
            keep_plan(job, plan)  # before the commit: what is written down without its plan is written down again
        else:
            plan, files = kept_plan(job), batches.planned_files(connection, job.county_id, job.job_id)
    return [
        LetterFilePart(file_no=file.file_no, letters=file.letters, template_version=plan.template_version)
        for file in files
    ]
