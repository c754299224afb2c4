"""Routes of submissions to a state."""

from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response

from functions.state_submissions.job_kinds import STATE_SUBMISSION
from functions.state_submissions.service import requests
from shared.api import Api, Operation, declare_job_routes, see_other

api = Api("state_submissions")
handler = api.handler

declare_job_routes(
    api,
    STATE_SUBMISSION,
    submit=Operation(
        "submit_to_state",
        "Make the package of the state's sales study",
        "Valid sales, invalid ones with the number of their reason, the summary by stratum, the abstract of the roll\n"
        "and a certificate, in the form of the county's state. While a sale lacks what the form asks for, there is no\n"
        "package.",
    ),
    check=requests.check,
    get=Operation("get_state_submission", "A submission's progress", "The job of a submission."),
    results=Operation(
        "get_state_submission_results",
        "The figures of a submission",
        "Each stratum with the sales that its figures are made of, and the sales that were refused with their reasons.",
    ),
)


@api.get(f"{STATE_SUBMISSION.path}/download", permission=STATE_SUBMISSION.view, summary="Take the package", status=303)
def download_state_submission(county_id: str, submission_id: UUID) -> Response[Any]:
    """Redirect (303) to an address of the ZIP archive that holds for 15 minutes. 409 where sales were refused."""
    return see_other(requests.package_address(county_id, submission_id))
