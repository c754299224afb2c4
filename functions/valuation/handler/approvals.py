"""Routes of bringing a run's values to a roll, and of taking them back."""

from uuid import UUID

from aws_lambda_powertools.event_handler import Response

from functions.valuation.handler.api import api
from functions.valuation.job_kinds import VALUATION_APPROVAL, VALUATION_RUN
from functions.valuation.schemas.runs import ApproveRun, UndoApproval
from functions.valuation.service import approvals
from shared.api import Operation, accepted, declare_job_routes, faults_in_body
from shared.jobs import Job


@api.post(
    VALUATION_RUN.path + "/approve", permission=VALUATION_APPROVAL.run, summary="Bring values to a roll", status=202
)
def approve_valuation_run(county_id: str, run_id: UUID, body: ApproveRun) -> Response[Job]:
    """Writes the run's values, or those of a filter, to the roll of a year and to the properties, all or none.

    Only to a roll that is open. A sync leaves the values alone until the county's own record changes.
    """
    with faults_in_body():
        job = approvals.submit_approval(county_id, run_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    return accepted(job)


@api.post(VALUATION_RUN.path + "/undo", permission=VALUATION_APPROVAL.run, summary="Take an approval back", status=202)
def undo_approval(county_id: str, run_id: UUID, body: UndoApproval) -> Response[Job]:
    """Puts back what was on the roll before, as long as the roll is open and nothing newer was written."""
    with faults_in_body():
        job = approvals.submit_undo(county_id, run_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    return accepted(job)


declare_job_routes(
    api,
    VALUATION_APPROVAL,
    get=Operation("get_approval", "An approval's progress", "The progress of an approval, or of undoing one."),
    results=Operation(
        "get_approval_results",
        "The results of an approval",
        "Counts of the assessments and properties written, and of the values that were not, by reason.",
    ),
)
