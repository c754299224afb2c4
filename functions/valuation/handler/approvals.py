"""Routes of bringing a run's values to a roll, and of taking them back."""

from uuid import UUID

from aws_lambda_powertools.event_handler import Response

from functions.valuation.handler.api import COUNTY, api
from functions.valuation.repository.approvals import KIND
from functions.valuation.schemas.runs import ApprovalResults, ApproveRun, UndoApproval
from functions.valuation.service import approvals
from shared.access import Permission
from shared.api import accepted, answer, declare_job_commands
from shared.jobs import Job

_RUN = COUNTY + "/valuation-runs/{run_id}"
_ONE = COUNTY + "/valuation-approvals/{approval_id}"


@api.post(_RUN + "/approve", permission=Permission.APPROVE_VALUATION, summary="Bring values to a roll", status=202)
def approve_valuation_run(county_id: str, run_id: UUID, body: ApproveRun) -> Response[Job]:
    """Writes the run's values, or those of a filter, to the roll of a year and to the properties, all or none.

    Only to a roll that is open. A sync leaves the values alone until the county's own record changes.
    """
    return accepted(
        approvals.submit_approval(county_id, run_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    )


@api.post(_RUN + "/undo", permission=Permission.APPROVE_VALUATION, summary="Take an approval back", status=202)
def undo_approval(county_id: str, run_id: UUID, body: UndoApproval) -> Response[Job]:
    """Puts back what was on the roll before, as long as the roll is open and nothing newer was written."""
    return accepted(
        approvals.submit_undo(county_id, run_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    )


declare_job_commands(api, _ONE, kind=KIND, permission=Permission.APPROVE_VALUATION)


@api.get(_ONE, permission=Permission.VIEW_VALUATION, summary="An approval's progress")
def get_approval(county_id: str, approval_id: UUID) -> Response[Job]:
    """How an approval, or taking one back, goes."""
    return answer(approvals.get(county_id, approval_id))


@api.get(_ONE + "/results", permission=Permission.VIEW_VALUATION, summary="What an approval wrote")
def get_approval_results(county_id: str, approval_id: UUID) -> Response[ApprovalResults]:
    """How many assessments and properties were written, and which values were not."""
    return answer(approvals.results(county_id, approval_id))
