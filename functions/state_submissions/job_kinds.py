"""The kind of job of submissions to a state."""

from functions.state_submissions.schemas import StateSubmissionRequest, StateSubmissionResults
from shared.access import Permission
from shared.jobs import JobKind

STATE_SUBMISSION = JobKind(
    "state_submission",
    collection="state-submissions",
    id_parameter="submission_id",
    request=StateSubmissionRequest,
    results=StateSubmissionResults,
    run=Permission.RUN_REPORT,
    view=Permission.VIEW_REPORT,
    linked=("results", "download"),
)
