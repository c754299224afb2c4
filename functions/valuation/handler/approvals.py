"""Routes of bringing a run's values to a roll, and of taking them back."""

from uuid import UUID

from aws_lambda_powertools.event_handler import Response

from functions.valuation.handler.api import api
from functions.valuation.job_kinds import VALUATION_APPROVAL, VALUATION_RUN
from functions.valuation.schemas.runs import ApproveRun, UndoApproval
from functions.valuation.service import approvals
from shared.api import Operation, accepted, declare_job_routes
from shared.jobs import Job


@api.post(
    VALUATION_RUN.path + "/approve", permission=VALUATION_APPROVAL.run, summary="Bring values to a roll", status=202
)
def approve_valuation_run(county_id: str, run_id: UUID, body: ApproveRun) -> Response[Job]:
    """Writes the run's values, or those of a filter, to the roll of a year and to the properties, all or none.

    Only to a roll that is open. A sync leaves the values alone until the county's own record changes.
    """
    return accepted(
        approvals.submit_approval(county_id, run_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    )


@api.post(VALUATION_RUN.path + "/undo", permission=VALUATION_APPROVAL.run, summary="Take an approval back", status=202)
def undo_approval(county_id: str, run_id: UUID, body: UndoApproval) -> Response[Job]:
    """Puts back what was on the roll before, as long as the roll is open and nothing newer was written."""
    return accepted(
        approvals.submit_undo(county_id, run_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    )


declare_job_routes(
    api,
    VALUATION_APPROVAL,
    get=Operation("get_approval", "An approval's progress", "How an approval, or taking one back, goes."),
    results=Operation(
        "get_approval_results",
        "What an approval wrote",
        "How many assessments and properties were written, and which values were not.",
    ),
)
