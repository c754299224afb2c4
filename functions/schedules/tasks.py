"""The Lambda entry of schedules that are due, which EventBridge Scheduler calls."""

from datetime import datetime
from typing import Any
from uuid import UUID

from functions.schedules.service import due
from shared.observability import lambda_entry


@lambda_entry
def start(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """{county_id, schedule_id, scheduled_at} -> {job_id}: the job that was submitted, or null."""
    scheduled_at = datetime.fromisoformat(event["scheduled_at"])
    job_id = due.start(event["county_id"], UUID(event["schedule_id"]), scheduled_at)
    return {"job_id": None if job_id is None else str(job_id)}
