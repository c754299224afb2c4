"""The Lambda entry that hears of executions of the jobs machine that ended without having ended their job."""

from typing import Any
from uuid import UUID

from aws_lambda_powertools import Logger

from shared.jobs import fail_orphan_of
from shared.jobs.executions import ExecutionEnd
from shared.observability import lambda_entry

_logger = Logger(service="jobs")


@lambda_entry
def settle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {settled}: whether the job has been failed. The event is EventBridge's, of an execution's status."""
    end = ExecutionEnd.model_validate(event["detail"])
    start_input, failure = end.given(), end.failure()
    if start_input is None or failure is None:
        return {"settled": False}
    failed = fail_orphan_of(start_input["county_id"], UUID(start_input["job_id"]), end.arn, failure)
    if failed:
        _logger.error("job left", county_id=start_input["county_id"], job_id=start_input["job_id"], status=end.status)
    return {"settled": failed}
