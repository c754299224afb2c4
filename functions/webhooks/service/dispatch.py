"""Dispatch: a job's end becomes a delivery to each webhook that wants it."""

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import Row

from functions.webhooks import repository
from functions.webhooks.schemas import EndedJob, Message
from shared.db import unit_of_work
from shared.jobs import executions
from shared.jobs.executions import ExecutionEnd
from shared.jobs.schemas import JobError
from shared.problems import ServiceUnavailable
from shared.settings import settings

EVENTS = {
    "succeeded": "job.succeeded",
    "failed": "job.failed",
    "cancelled": "job.cancelled",
    "awaiting_approval": "job.awaiting_approval",
}
"""Types of messages, by the status of a job."""
KEPT_DELIVERIES = 1000
"""Newest deliveries of a webhook that are kept. A choice: some months of a county's jobs."""


def dispatch(end: ExecutionEnd) -> int:
    """Start a delivery to each of the county's webhooks that wants this end; how many there are. Idempotent.

    Raises ServiceUnavailable where the job has not been ended yet: whoever records that has the same event.
    """
    start_input = end.given() or {}
    county_id = start_input.get("county_id")
    if county_id is None:
        return 0
    named = start_input.get("job_id") or start_input.get("run_id")  # a scheduled sync is known by its execution alone
    job_id = None if named is None else UUID(named)
    with unit_of_work(county_id) as connection:
        webhooks = [row for row in repository.of_county(connection, county_id) if row.enabled]
        job = repository.ended_job(connection, county_id, job_id, end.arn) if webhooks else None
        if job is None:
            return 0
        if job.status not in EVENTS:
            raise ServiceUnavailable(f"The job {job.job_id} is still {job.status}.", slug="job-not-ended")
        message = _message(county_id, job).model_dump(mode="json")
        interested = [row.webhook_id for row in webhooks if _wants(row, message["type"], job.kind)]
        delivery_ids = {each: uuid5(NAMESPACE_URL, f"{end.arn}\x1f{each}") for each in interested}
        for webhook_id, delivery_id in delivery_ids.items():
            repository.add_delivery(connection, county_id, webhook_id, delivery_id, message)
            repository.forget_deliveries(connection, county_id, webhook_id, KEPT_DELIVERIES)
    for webhook_id, delivery_id in delivery_ids.items():
        start_delivery(county_id, webhook_id, delivery_id, str(delivery_id))
    return len(delivery_ids)


def start_delivery(county_id: str, webhook_id: UUID, delivery_id: UUID, execution: str) -> None:
    """Start the machine that attempts a delivery until it succeeds or is given up. Raises ServiceUnavailable."""
    start_input = {"county_id": county_id, "webhook_id": str(webhook_id), "delivery_id": str(delivery_id)}
    executions.start(settings().webhook_state_machine_arn, execution, start_input)


def _wants(webhook: Row[Any], event: str, kind: str) -> bool:
    return event in webhook.events and (webhook.job_kinds is None or kind in webhook.job_kinds)


def _message(county_id: str, job: Row[Any]) -> Message:
    data = EndedJob(
        county_id=county_id,
        id=job.job_id,
        kind=job.kind,
        status=job.status,
        submitted_by=job.submitted_by,
        created_at=job.created_at,
        finished_at=job.finished_at,
        error=None if job.error is None else JobError.model_validate(job.error),
    )
    return Message.model_validate(
        {"type": EVENTS[job.status], "timestamp": job.finished_at or job.created_at, "data": data}
    )
