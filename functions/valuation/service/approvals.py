"""Approval of a run's values to a roll, and its undoing: by jobs, as a large roll takes longer than a request may."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from functions.valuation.job_kinds import VALUATION_APPROVAL
from functions.valuation.repository import approvals, runs
from functions.valuation.repository.approvals import StandingApproval
from functions.valuation.repository.runs import RunRecord
from functions.valuation.repository.settings import settings
from functions.valuation.schemas.runs import ApprovalJob, ApprovalResults, ApproveRun, UndoApproval
from shared import audit, jobs
from shared.access import Caller
from shared.db import unit_of_work
from shared.jobs import Job, RunningJob
from shared.problems import Conflict, NotFound, Unprocessable
from shared.rolls import closing

MAX_CYCLE_YEARS = 6
"""Roll years that values of one day may serve: IAAO's Standard on Mass Appraisal of Real Property asks for a review of
each property every four to six years."""


def submit_approval(
    county_id: str, run_id: UUID, request: ApproveRun, *, caller: Caller, idempotency_key: str | None
) -> Job:
    """Start bringing a run's values to a roll.

    Raises NotFound, Conflict for a run that has not succeeded or a roll that is closed, Unprocessable for a roll year
    that does not go with the valuation date.
    """

    def check() -> None:
        with unit_of_work(county_id) as connection:
            _require_year_of_cycle(_require_succeeded_run(connection, county_id, run_id), request.roll_year)
            closing.require_open(connection, county_id, request.roll_year)

    job = ApprovalJob(action="approve", run_id=run_id, roll_year=request.roll_year, filter=request.filter)
    return jobs.submit(county_id, VALUATION_APPROVAL, job, caller=caller, idempotency_key=idempotency_key, check=check)


def submit_undo(
    county_id: str, run_id: UUID, request: UndoApproval, *, caller: Caller, idempotency_key: str | None
) -> Job:
    """Start taking an approval of a run back.

    Raises NotFound, Conflict where there is none that stands, or its roll is closed.
    """

    def check() -> None:
        with unit_of_work(county_id) as connection:
            _require_succeeded_run(connection, county_id, run_id)
            standing = _require_standing_approval(connection, county_id, run_id, request.approval_id)
            closing.require_open(connection, county_id, standing.roll_year)

    job = ApprovalJob(action="undo", run_id=run_id, approval_id=request.approval_id)
    return jobs.submit(county_id, VALUATION_APPROVAL, job, caller=caller, idempotency_key=idempotency_key, check=check)


def approve_or_undo(job: RunningJob) -> ApprovalResults:
    """Approve or undo, as the job asks, in one transaction. Idempotent.

    Raises Conflict where the roll is closed by now, newer values stand on it, or the job was cancelled.
    """
    request = ApprovalJob.model_validate(job.parameters)
    with unit_of_work(job.county_id) as connection:
        job.commit(connection)
        if request.action == "approve":
            return _approve(connection, job, request)
        return _undo(connection, job, request)


def _approve(connection: Connection, job: RunningJob, request: ApprovalJob) -> ApprovalResults:
    county_id, roll_year = job.county_id, request.roll_year
    if roll_year is None:
        raise Unprocessable("An approval names its roll year.", slug="roll-year-missing")
    closing.lock_roll(connection, county_id, roll_year)
    earlier = approvals.find(connection, county_id, job.job_id)
    if earlier is not None:
        return _results(request, earlier)
    _require_succeeded_run(connection, county_id, request.run_id)
    closing.require_open(connection, county_id, roll_year)
    posted = approvals.post(
        connection,
        county_id,
        job.job_id,
        run_id=request.run_id,
        roll_year=roll_year,
        approval_filter=request.filter,
        assessment_ratio=settings(connection, county_id).assessment_ratio,
        by=job.submitted_by,
    )
    approvals.add(
        connection,
        county_id,
        job.job_id,
        run_id=request.run_id,
        roll_year=roll_year,
        approval_filter=request.filter,
        posted=posted,
        by=job.submitted_by,
    )
    written = {"assessments": posted.assessments, "properties": posted.properties, "skipped": posted.skipped}
    _record(connection, job, request.run_id, "valuation_run.approved", {"roll_year": roll_year, **written})
    return ApprovalResults(
        action="approve", approval_id=job.job_id, run_id=request.run_id, roll_year=roll_year, **written
    )


def _undo(connection: Connection, job: RunningJob, request: ApprovalJob) -> ApprovalResults:
    county_id = job.county_id
    done = approvals.find_by_undo(connection, county_id, job.job_id)
    if done is not None:
        return _results(request, done)
    standing = _require_standing_approval(connection, county_id, request.run_id, request.approval_id)
    closing.lock_roll(connection, county_id, standing.roll_year)
    closing.require_open(connection, county_id, standing.roll_year)
    standing = _require_standing_approval(connection, county_id, request.run_id, standing.approval_id)
    superseded = approvals.count_superseded(connection, county_id, standing.approval_id)
    if superseded:
        raise Conflict(
            f"{superseded} of the values that the approval wrote were decided anew since; it cannot be taken back over"
            " them.",
            slug="newer-values",
        )
    assessments, properties = approvals.restore(connection, county_id, standing.approval_id, job.job_id)
    approvals.set_undone(connection, county_id, standing.approval_id, job.job_id, job.submitted_by)
    written = {"assessments": assessments, "properties": properties}
    details = {"approval_id": str(standing.approval_id), "roll_year": standing.roll_year, **written}
    _record(connection, job, request.run_id, "valuation_run.approval_undone", details)
    return _results(request, standing)


def _require_succeeded_run(connection: Connection, county_id: str, run_id: UUID) -> RunRecord:
    """A run that has succeeded. Raises NotFound, Conflict."""
    job = runs.find_with_job(connection, county_id, run_id)
    if job is None:
        raise NotFound(f"{county_id} has no valuation run {run_id}.", slug="valuation-run-not-found")
    run = runs.find(connection, county_id, run_id)
    if job.status != "succeeded" or run is None:
        raise Conflict(f"The run is {job.status}: only one that has succeeded is approved.", slug="job-not-succeeded")
    return run


def _require_standing_approval(
    connection: Connection, county_id: str, run_id: UUID, approval_id: UUID | None
) -> StandingApproval:
    """The approval to take back. Raises NotFound, Conflict where there is none, or it was taken back before."""
    if approval_id is None:
        approval = approvals.latest_standing(connection, county_id, run_id)
        if approval is None:
            raise Conflict("No approval of this run stands on a roll.", slug="nothing-to-undo")
        return approval
    approval = approvals.find(connection, county_id, approval_id)
    if approval is None or approval.run_id != run_id:
        raise NotFound(f"The run {run_id} has no approval {approval_id}.", slug="approval-not-found")
    if approval.undo_id is not None:
        raise Conflict(f"The approval {approval_id} has been taken back already.", slug="nothing-to-undo")
    return approval


def _require_year_of_cycle(run: RunRecord, roll_year: int) -> None:
    first = run.valuation_date.year
    if not first <= roll_year <= first + MAX_CYCLE_YEARS:
        raise Unprocessable(
            f"Values as of {run.valuation_date} go to the rolls of {first} to {first + MAX_CYCLE_YEARS}.",
            pointer="/roll_year",
            slug="roll-year-of-another-date",
        )


def _record(
    connection: Connection, job: RunningJob, run_id: UUID, action: audit.Action, details: dict[str, Any]
) -> None:
    audit.record(connection, job.county_id, job.submitted_by, action, f"valuation-runs/{run_id}", details)


def _results(request: ApprovalJob, done: StandingApproval) -> ApprovalResults:
    return ApprovalResults(
        action=request.action,
        approval_id=done.approval_id,
        run_id=done.run_id,
        roll_year=done.roll_year,
        assessments=done.assessments,
        properties=done.properties,
        skipped=done.skipped if request.action == "approve" else {},
    )
