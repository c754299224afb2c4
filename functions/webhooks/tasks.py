"""The Lambda entries of webhooks: a job's end from EventBridge, and an attempt of the deliveries machine."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from functions.webhooks.service import delivery
from functions.webhooks.service.dispatch import dispatch as dispatch_end
from shared.jobs.executions import ExecutionEnd
from shared.observability import lambda_entry


@lambda_entry
def dispatch(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {deliveries}: how many were started. The event is EventBridge's, of an execution's status."""
    return {"deliveries": dispatch_end(ExecutionEnd.model_validate(event["detail"]))}


@lambda_entry
def attempt(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {outcome, wait_s}: `retry` after so many seconds, or how the delivery has ended."""
    result = delivery.attempt(event["county_id"], UUID(event["webhook_id"]), UUID(event["delivery_id"]))
    return asdict(result)
