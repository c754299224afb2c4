"""Submitting a job and looking at it."""

import hashlib
import math
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import orjson
from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, Row

from shared import audit, storage
from shared.access import Caller
from shared.db import DatabaseBusy, lock_timeout, unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs import executions, repository
from shared.jobs.failures import NOT_STARTED, reason_of
from shared.jobs.kind import AnyJobKind, JobKind, Request, Results
from shared.jobs.schemas import FINISHED, Job, JobError, JobRecord, Progress
from shared.problems import Conflict, CountyRateLimited, Gone, NotFound, ServiceUnavailable, Unprocessable
from shared.settings import settings

START_GRACE = timedelta(seconds=60)
"""A job's execution may be named for this long before it is to be found."""
START_GRACE_UNNAMED = timedelta(hours=6)
"""A job of an earlier release does not say which execution works on it."""
CHECK_INTERVAL_S = 30
"""Callers ask for a job's progress every second or so; Step Functions answers 15 such questions a second."""
_checked_at: dict[UUID, float] = {}
_MAX_REMEMBERED = 1000
_BUSY_RETRY_S = 30
"""After which one of a county's jobs may have ended. A choice of that order: reports take seconds, studies minutes."""
_LOCK_TIMEOUT_S = 5
"""For a transaction that holds a job to end."""


def deterministic_id(county_id: str, kind_name: str, caller: Caller, idempotency_key: str | None) -> UUID:
    """The id of what a request makes: the same for the same caller and Idempotency-Key, else a new one.

    So a request that is sent twice finds what the first one made, whatever happened in between.
    """
    if idempotency_key is None:
        return uuid4()
    return uuid5(NAMESPACE_URL, "\x1f".join((county_id, kind_name, caller.subject, idempotency_key)))


def digest(parameters: BaseModel) -> str:
    """Digest of a request's parameters (SHA-256, hexadecimal)."""
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
    county_id: str,
    kind: JobKind[Request, Results],
    parameters: Request,
    *,
    caller: Caller,
    idempotency_key: str | None = None,
    check: Callable[[], None] | None = None,
    job_id: UUID | None = None,
) -> Job:
    """Record a job and start its execution. `job_id` is that of what the job works on, where they are one.

    `check` raises where the request cannot be met. It is not called where an earlier request with this key has made the
    job: what was checked for it then need not hold now. Raises NotFound for a county that is not onboarded,
    Unprocessable for a key that was used for something else, CountyRateLimited where the county has too many jobs under
    way, ServiceUnavailable when no execution could be started.
    """
    request_digest = digest(parameters)
    job_id = job_id or deterministic_id(county_id, kind.name, caller, idempotency_key)
    if check is not None and not (idempotency_key is not None and _exists(county_id, kind.name, job_id)):
        check()
    job = Job(
        id=job_id,
        kind=kind.name,
        status="pending",
        progress=Progress(),
        submitted_by=caller.username,
        created_at=datetime.now(UTC),
        parameters=parameters.model_dump(mode="json"),
        links=kind.links(county_id, job_id),
    )
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        added = repository.add(connection, county_id, job, request_digest, _execution(str(job_id)))
        if added:
            _require_room(connection, county_id, job_id)
        row = repository.find(connection, county_id, kind.name, job_id)
    if row is None:
        raise Conflict(f"{job_id} is the id of another kind of job.")
    if not added:
        refuse_reused_key(row.request_digest, request_digest)
    if row.status == "failed" and row.error["type"] == NOT_STARTED:
        try:
            return resume(county_id, kind, job_id)
        except Conflict:  # the same request, sent at once, has gone on with it
            return read(county_id, kind, job_id)
    if row.status == "pending":
        try:
            _start(county_id, kind.name, job_id, row.execution_arn.rpartition(":")[2])
        except ServiceUnavailable as problem:
            if idempotency_key is None:  # with a key the next try finds the pending job and starts it
                with unit_of_work(county_id) as connection:
                    reason = JobError(type=problem.slug, detail=problem.detail)
                    repository.set_status(connection, county_id, job_id, "failed", reason)
            raise
    return as_job(county_id, kind, row)


def _require_room(connection: Connection, county_id: str, job_id: UUID) -> None:
    """Raise CountyRateLimited where the county has as many other jobs under way as it may: they share the machine."""
    limit = settings().county_active_jobs
    if limit and repository.count_others_under_way(connection, county_id, job_id) >= limit:
        problem = CountyRateLimited(
            f"{county_id} has {limit} jobs under way; send this one when one of them has ended."
        )
        problem.retry_after = _BUSY_RETRY_S
        raise problem


def _exists(county_id: str, name: str, job_id: UUID) -> bool:
    with unit_of_work(county_id) as connection:
        return repository.find(connection, county_id, name, job_id) is not None


def resume(county_id: str, kind: AnyJobKind, job_id: UUID) -> Job:
    """Go on with a job that failed, or that nobody works on any more; what it has done already is not done again.

    Raises NotFound, Conflict for a job that has ended otherwise or is under way, ServiceUnavailable when no execution
    could be started.
    """
    fail_if_orphaned(county_id, kind.name, job_id)
    execution = f"{job_id}-{uuid4().hex[:8]}"
    with unit_of_work(county_id) as connection:
        locked_row = repository.find(connection, county_id, kind.name, job_id, for_update=True)
        row = _found(locked_row, county_id, kind.name, job_id)
        if row.status in ("pending", "running"):
            raise Conflict(f"The job is {row.status}: it is under way.", slug="job-under-way")
        if row.status != "failed":
            raise Conflict(f"The job is {row.status}: there is nothing to go on with.", slug="job-not-resumable")
        repository.revive(connection, county_id, job_id, _execution(execution))
    try:
        _start(county_id, kind.name, job_id, execution)
    except ServiceUnavailable as problem:
        with unit_of_work(county_id) as connection:
            reason = JobError(type=NOT_STARTED, detail=problem.detail)
            repository.set_status(connection, county_id, job_id, "failed", reason)
        raise
    return read(county_id, kind, job_id)


def cancel(county_id: str, kind: AnyJobKind, job_id: UUID, caller: Caller) -> Job:
    """End a job that has not ended; tasks of it that still run notice and stop, and change nothing.

    One that was cancelled before is as good. Raises NotFound, Conflict for a job that has ended otherwise, or has
    committed what it changes.
    """
    with unit_of_work(county_id) as connection:
        busy = Conflict("What the job changes is being written; try again in a moment.", slug="job-busy")
        with lock_timeout(connection, _LOCK_TIMEOUT_S, busy):
            locked_row = repository.find(connection, county_id, kind.name, job_id, for_update=True)
        row = _found(locked_row, county_id, kind.name, job_id)
        if row.status == "cancelled":
            return as_job(county_id, kind, row)
        if row.status in FINISHED:
            raise Conflict(f"The job is {row.status}: there is nothing to cancel.", slug="job-ended")
        if row.committed_at is not None:
            raise Conflict("What the job changes has been written; it is about to end.", slug="job-committed")
        reason = JobError(type="cancelled", detail=f"By {caller.username}.")
        repository.set_status(connection, county_id, job_id, "cancelled", reason)
        old, new = {"status": row.status}, {"status": "cancelled"}
        audit.record(
            connection, county_id, caller.username, kind.cancellation, kind.subject(job_id), {}, old=old, new=new
        )
    if settings().jobs_state_machine_arn:
        executions.stop(row.execution_arn or _execution(str(job_id)))
    return read(county_id, kind, job_id)


def fail_if_orphaned(county_id: str, name: str, job_id: UUID) -> None:
    """Fail a job whose execution has ended, or is not there any more; a job that somebody works on goes on."""
    with unit_of_work(county_id) as connection:
        row = repository.find(connection, county_id, name, job_id)
    if row is not None and row.status in ("pending", "running"):
        _fail_if_orphaned(county_id, row)


def fail_orphan_of(county_id: str, job_id: UUID, execution_arn: str, failure: executions.Failure) -> bool:
    """Fail the job that an execution has left; False where it has ended, or another execution works on it."""
    reason = reason_of(failure)
    with unit_of_work(county_id) as connection:
        is_orphaned = repository.is_worked_on_by(connection, county_id, job_id, execution_arn)
        if is_orphaned:
            repository.set_status(connection, county_id, job_id, "failed", reason)
    return is_orphaned


def fail_orphans(county_id: str, rows: Iterable[Row[*tuple[Any, ...]]]) -> bool:
    """Fail those of these jobs whose executions have ended without them; True if there was one."""
    return sum(_fail_if_orphaned(county_id, row) for row in rows if is_due_for_check(row, row.job_id)) > 0


def is_due_for_check(row: Row[*tuple[Any, ...]], job_id: UUID) -> bool:
    """True if the execution of a job, as it was read, is due for a look.

    Step Functions tells us of an execution's end, but not at once, nor for ever. A young job is not looked at, nor one
    that was looked at a moment ago.
    """
    if row.status not in ("pending", "running") or may_not_exist_yet(row):
        return False
    now = time.monotonic()
    if now < _checked_at.get(job_id, -math.inf) + CHECK_INTERVAL_S:
        return False
    if len(_checked_at) > _MAX_REMEMBERED:
        _checked_at.clear()
    _checked_at[job_id] = now
    return True


def may_not_exist_yet(row: Row[*tuple[Any, ...]]) -> bool:
    """True if a job's execution was named so lately that it need not exist yet."""
    young = START_GRACE if row.execution_arn else START_GRACE_UNNAMED
    return bool(datetime.now(UTC) - (row.execution_named_at or row.created_at) < young)


def _fail_if_orphaned(county_id: str, row: Row[*tuple[Any, ...]]) -> bool:
    """Look at a job's execution, and fail the job where that has ended."""
    if not settings().jobs_state_machine_arn:
        return False
    arn = row.execution_arn or _execution(str(row.job_id))
    failure = executions.ending(arn)
    if failure is None or (failure is executions.GONE and may_not_exist_yet(row)):
        return False
    if failure is executions.GONE and row.status == "pending":
        failure = {"Error": "Execution.NotStarted"}
    try:
        return fail_orphan_of(county_id, row.job_id, arn, failure)
    except DatabaseBusy:  # its last task writes what it changes; the next look finds it done or not
        return False


def _start(county_id: str, name: str, job_id: UUID, execution: str) -> None:
    """Start the execution of a pending job."""
    start_input = {"county_id": county_id, "job_id": str(job_id), "kind": name}
    executions.start(settings().jobs_state_machine_arn, execution, start_input)


def _execution(name: str) -> str:
    return executions.arn_of(settings().jobs_state_machine_arn, name)


def get(county_id: str, kind: AnyJobKind, job_id: UUID) -> Job:
    """A job as it stands. Raises NotFound."""
    return as_job(county_id, kind, _current(county_id, kind.name, job_id))


def record(county_id: str, name: str, job_id: UUID) -> JobRecord:
    """A job of the kind of this name, which may be another module's, as it stands. Raises NotFound."""
    return as_record(_current(county_id, name, job_id))


def read(county_id: str, kind: AnyJobKind, job_id: UUID) -> Job:
    """A job as it is recorded. Raises NotFound."""
    return as_job(county_id, kind, _read(county_id, kind.name, job_id))


def _current(county_id: str, name: str, job_id: UUID) -> Row[*tuple[Any, ...]]:
    row = _read(county_id, name, job_id)
    return _read(county_id, name, job_id) if fail_orphans(county_id, [row]) else row


def _read(county_id: str, name: str, job_id: UUID) -> Row[*tuple[Any, ...]]:
    with unit_of_work(county_id) as connection:
        return _found(repository.find(connection, county_id, name, job_id), county_id, name, job_id)


def _found(row: Row[*tuple[Any, ...]] | None, county_id: str, name: str, job_id: UUID) -> Row[*tuple[Any, ...]]:
    if row is None:
        raise NotFound(f"{county_id} has no {name} {job_id}.", slug="job-not-found")
    return row


def results(county_id: str, kind: JobKind[Any, Results], job_id: UUID) -> Results:
    """The results of a succeeded job. Raises as `raw_results`."""
    return results_as(kind.results, county_id, kind.name, job_id)


def results_as(model: type[Results], county_id: str, name: str, job_id: UUID) -> Results:
    """The results of a job of the kind of this name, read as `model`. Raises as `raw_results`."""
    try:
        return model.model_validate(raw_results(county_id, name, job_id))
    except ValidationError as error:
        raise lost("results") from error


def raw_results(county_id: str, name: str, job_id: UUID) -> dict[str, Any]:
    """The results of a job of the kind of this name, as they were stored.

    Raises NotFound, Conflict while there is no result, and Gone where it was lost or damaged since.
    """
    row = _current(county_id, name, job_id)
    if row.status != "succeeded":
        raise Conflict(f"The job is {row.status}: there are no results to show.", slug="job-not-succeeded")
    try:
        document = orjson.loads(storage.get(results_key(county_id, job_id)))
    except (NotFound, orjson.JSONDecodeError) as error:
        raise lost("results") from error
    if not isinstance(document, dict):
        raise lost("results")
    return document


def lost(what: str) -> Gone:
    """The problem of something made that is not there any more, or cannot be read."""
    return Gone(
        f"The {what} of this job are lost or damaged; submit the request again, with another Idempotency-Key, to make"
        " them anew.",
        slug="lost",
    )


def results_key(county_id: str, job_id: UUID) -> str:
    """Key of a job's results."""
    return storage.county_key(county_id, "jobs", str(job_id), "results.json")


def as_job(county_id: str, kind: AnyJobKind, row: Row[*tuple[Any, ...]]) -> Job:
    """A job's row as its caller sees it."""
    return Job(**dict(as_record(row)), links=kind.links(county_id, row.job_id))


def as_record(row: Row[*tuple[Any, ...]]) -> JobRecord:
    """A job's row as it is recorded, without links."""
    return JobRecord(
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
    )
