"""Submitting a job and looking at it."""

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import orjson
from pydantic import BaseModel
from sqlalchemy import Row

from shared import storage
from shared.access import Caller
from shared.aws import client
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs import repository
from shared.jobs.schemas import Job, JobError, Progress
from shared.problems import Conflict, NotFound, ServiceUnavailable, Unprocessable
from shared.settings import settings

COLLECTIONS = {
    "sync": "sync-runs",
    "valuation_model": "valuation-models",
    "comparables_model": "comparables-models",
    "valuation_run": "valuation-runs",
    "valuation_approval": "valuation-approvals",
    "ratio_study": "ratio-studies",
    "sales_validation": "sales-validations",
    "market_analysis": "market-analyses",
    "report": "reports",
    "gis_export": "gis-exports",
}
"""Where the jobs of each kind are found below their county."""


def deterministic_id(county_id: str, kind: str, caller: Caller, idempotency_key: str | None) -> UUID:
    """The id of what a request makes: the same for the same caller and Idempotency-Key, else a new one.

    So a request that is sent twice finds what the first one made, whatever happened in between.
    """
    if idempotency_key is None:
        return uuid4()
    return uuid5(NAMESPACE_URL, "\x1f".join((county_id, kind, caller.subject, idempotency_key)))


def digest(parameters: BaseModel) -> str:
    """What tells one request's parameters from another's."""
    return hashlib.sha256(orjson.dumps(parameters.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)).hexdigest()


def refuse_reused_key(known_digest: str, request_digest: str) -> None:
    """Raise Unprocessable where an Idempotency-Key comes back with another request."""
    if known_digest != request_digest:
        raise Unprocessable(
            "This Idempotency-Key was used for a request with other parameters.",
            pointer="/header/idempotency-key",
            slug="idempotency-key-reused",
        )


def submit(
    county_id: str, kind: str, parameters: BaseModel, *, caller: Caller, idempotency_key: str | None = None
) -> Job:
    """Write a job down and start it.

    Raises NotFound for a county that is not onboarded, Unprocessable for a key that was used for something else,
    ServiceUnavailable when no execution could be started.
    """
    request_digest = digest(parameters)
    job_id = deterministic_id(county_id, kind, caller, idempotency_key)
    job = Job(
        id=job_id,
        kind=kind,
        status="pending",
        progress=Progress(),
        submitted_by=caller.username,
        created_at=datetime.now(UTC),
        parameters=parameters.model_dump(mode="json"),
        links=links_of(county_id, kind, job_id),
    )
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        added = repository.add(connection, county_id, job, request_digest)
        row = repository.find(connection, county_id, kind, job_id)
    if row is None:
        raise Conflict(f"{job_id} is the id of another kind of job.")
    if not added:
        refuse_reused_key(row.request_digest, request_digest)
    if row.status == "pending":
        try:
            _start(county_id, kind, job_id, str(job_id))
        except ServiceUnavailable as problem:
            if idempotency_key is None:  # with a key the next try finds the pending job and starts it
                with unit_of_work(county_id) as connection:
                    reason = JobError(type=problem.slug, detail=problem.detail)
                    repository.set_status(connection, county_id, job_id, "failed", reason)
            raise
    return as_job(county_id, row)


def is_submitted(county_id: str, kind: str, *, caller: Caller, idempotency_key: str | None) -> bool:
    """Whether an earlier request with this key has made a job: what was checked for it then need not hold now."""
    if idempotency_key is None:
        return False
    with unit_of_work(county_id) as connection:
        job_id = deterministic_id(county_id, kind, caller, idempotency_key)
        return repository.find(connection, county_id, kind, job_id) is not None


def resume(county_id: str, kind: str, job_id: UUID) -> Job:
    """Go on with a job that failed; what it has done already is not done again. One that is under way goes on as it is.

    Raises NotFound, Conflict for a job that has succeeded or was cancelled, ServiceUnavailable when no execution
    could be started.
    """
    with unit_of_work(county_id) as connection:
        repository.revive(connection, county_id, job_id)
        row = repository.find(connection, county_id, kind, job_id)
        if row is None:
            raise NotFound(f"{county_id} has no {kind} {job_id}.", slug="job-not-found")
    if row.status in ("succeeded", "cancelled"):
        raise Conflict(f"The job is {row.status}: there is nothing to go on with.", slug="job-not-resumable")
    if row.status == "pending":
        _start(county_id, kind, job_id, f"{job_id}-{uuid4().hex[:8]}")
    return as_job(county_id, row)


def _start(county_id: str, kind: str, job_id: UUID, execution: str) -> None:
    """Start the execution of a pending job; a second start of the same name is the first one."""
    machine = client("stepfunctions")
    try:
        machine.start_execution(
            stateMachineArn=settings().jobs_state_machine_arn,
            name=execution,
            input=orjson.dumps({"county_id": county_id, "job_id": str(job_id), "kind": kind}).decode(),
        )
    except machine.exceptions.ExecutionAlreadyExists:
        return
    except Exception as error:
        raise ServiceUnavailable("The job could not be started; send the request again.") from error


def get(county_id: str, kind: str, job_id: UUID) -> Job:
    """A job as it stands. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        row = repository.find(connection, county_id, kind, job_id)
    if row is None:
        raise NotFound(f"{county_id} has no {kind} {job_id}.", slug="job-not-found")
    return as_job(county_id, row)


def results(county_id: str, kind: str, job_id: UUID) -> dict[str, Any]:
    """What a succeeded job found out. Raises NotFound, or Conflict while there is no result."""
    job = get(county_id, kind, job_id)
    if job.status != "succeeded":
        raise Conflict(f"The job is {job.status}: there are no results to show.", slug="job-not-succeeded")
    document: dict[str, Any] = orjson.loads(storage.get(results_key(county_id, job_id)))
    return document


def results_key(county_id: str, job_id: UUID) -> str:
    """Where a job's results are kept."""
    return storage.county_key(county_id, "jobs", str(job_id), "results.json")


def as_job(county_id: str, row: Row[*tuple[Any, ...]]) -> Job:
    """A job's row as its caller sees it."""
    return Job(
        id=row.job_id,
        kind=row.kind,
        status=row.status,
        progress=Progress.model_validate(row.progress or {}),
        submitted_by=row.submitted_by,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        error=JobError.model_validate(row.error) if row.error else None,
        parameters=row.parameters,
        links=links_of(county_id, row.kind, row.job_id),
    )


def links_of(county_id: str, kind: str, job_id: UUID) -> dict[str, str]:
    """Where a job and what belongs to it are found."""
    own = f"/v1/counties/{county_id}/{COLLECTIONS[kind]}/{job_id}"
    match kind:
        case "sync":
            return {"self": own, "changes": f"{own}/changes", "rejected_rows": f"{own}/rejected-rows"}
        case "report" | "gis_export":
            return {"self": own, "download": f"{own}/download"}
        case "market_analysis":
            return {"self": own, "results": f"{own}/results", "download": f"{own}/download"}
        case _:
            return {"self": own, "results": f"{own}/results"}
