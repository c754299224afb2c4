"""The Lambda entries of the sync machine: Plan -> partitions -> Reconcile -> Apply -> Prepare -> files -> Publish, any
failure -> Fail. Convert, to which Plan may send first, is in `convert_task`.

Plan and Fail get the machine's whole state with `execution: {id, name}`, Fail also `failure: {Error, Cause}`; the
others get {county_id, run_id}, Apply also `left` of its answer before, a partition also `partition`, one item of the
list that Plan wrote, and a file also `file`, one of the list that Prepare wrote. Every task is safe to run twice.
Everything is imported here: a Lambda imports at full speed before its first event, and slowly after it.
"""

from typing import Any
from uuid import UUID

from aws_lambda_powertools import Logger
from pydantic import BaseModel, ConfigDict

from functions.sync.engine.apply import apply_run
from functions.sync.engine.partition import read_partition
from functions.sync.engine.plan import plan_run, scheduled_run_id
from functions.sync.engine.publication.file_writer import write_curated_file
from functions.sync.engine.publish import prepare_publication, publish_run
from functions.sync.engine.reconcile import reconcile_run
from functions.sync.failure import fail_run
from functions.sync.repository import partitions
from functions.sync.schemas import SyncRequest
from functions.sync.tasks.retries import machine_task
from shared import metrics
from shared.counties.configuration import SyncMode
from shared.db import unit_of_work
from shared.jobs.executions import ExecutionEnd
from shared.problems import Conflict, Problem, ServiceUnavailable
from shared.settings import settings

_logger = Logger(service="sync")

_TO_ANSWER_IN = 60
"""Seconds of its time that Apply keeps for itself when it waits for the database."""


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Execution(_Event):
    id: str
    name: str


class _Start(_Event):
    county_id: str
    run_id: UUID | None = None
    mode: SyncMode | None = None
    validate_only: bool = False
    trigger: str = "request"
    execution: _Execution

    @property
    def run(self) -> UUID:
        """The run that was asked for, or the one that belongs to the execution."""
        return self.run_id or scheduled_run_id(self.execution.id)


class _Failure(_Start):
    failure: dict[str, str]


class _Run(_Event):
    county_id: str
    run_id: UUID


class _Application(_Run):
    left: int = 0


class _Item(_Event):
    table_name: str
    partition_no: int


class _Partition(_Run):
    partition: _Item


class _FileItem(_Event):
    table_name: str
    file_no: int


class _File(_Run):
    file: _FileItem


@machine_task
def plan(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {county_id, run_id, partitions: {bucket, key}, outcome: "proceed" | "convert" | "skipped"}; with "convert"
    also `table`, whose file is to be converted before Plan is called again.
    """
    start = _Start.model_validate(event)
    request = SyncRequest(mode=start.mode, validate_only=start.validate_only)
    planned = plan_run(start.county_id, start.run, request, start.trigger, start.execution.id)
    _log("planned", start.county_id, planned.run_id, outcome=planned.outcome)
    return {
        **({"table": planned.convert} if planned.convert is not None else {}),
        "county_id": start.county_id,
        "run_id": str(planned.run_id),
        "partitions": {"bucket": settings().data_bucket, "key": planned.partitions_key},
        "outcome": planned.outcome,
    }


@machine_task
def partition(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {unchanged, rows_read, rows_rejected, rows_staged}. A failure is kept with the partition's key range."""
    part = _Partition.model_validate(event)
    table, number = part.partition.table_name, part.partition.partition_no
    try:
        done, seconds = read_partition(part.county_id, part.run_id, table, number)
    except Exception as error:
        if not isinstance(error, ServiceUnavailable):
            _keep_error(part, error)
        raise
    figures: dict[str, int | bool | None] = {
        "unchanged": done.unchanged,
        "rows_read": done.rows_read,
        "rows_rejected": done.rows_rejected,
        "rows_staged": done.rows_staged,
    }
    _measure(part, seconds, figures)
    _log(
        "partition done",
        part.county_id,
        part.run_id,
        table=table,
        partition=number,
        seconds=round(seconds, 3),
        rows_per_second=round((done.rows_read or 0) / seconds) if seconds else None,
        **figures,
    )
    return figures


@machine_task
def reconcile(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {county_id, run_id, outcome: "apply" | "awaiting_approval" | "unchanged"}."""
    run = _Run.model_validate(event)
    outcome = reconcile_run(run.county_id, run.run_id)
    _log("reconciled", run.county_id, run.run_id, outcome=outcome)
    return {"county_id": run.county_id, "run_id": str(run.run_id), "outcome": outcome}


@machine_task
def apply(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """-> {outcome: "applied" | "applying", left}: what of it is to be passed on to the next call, where it goes on."""
    run = _Application.model_validate(event)
    patience = context.get_remaining_time_in_millis() / 1000 - _TO_ANSWER_IN
    done = apply_run(run.county_id, run.run_id, patience=patience, left=run.left)
    _log(done.outcome, run.county_id, run.run_id)
    return done._asdict()


@machine_task
def prepare(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {county_id, run_id, files: {bucket, key}}."""
    run = _Run.model_validate(event)
    key = prepare_publication(run.county_id, run.run_id)
    _log("publication prepared", run.county_id, run.run_id)
    files = {"bucket": settings().data_bucket, "key": key}
    return {"county_id": run.county_id, "run_id": str(run.run_id), "files": files}


@machine_task
def curate(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {rows}."""
    one = _File.model_validate(event)
    table, number = one.file.table_name, one.file.file_no
    rows = write_curated_file(one.county_id, one.run_id, table, number)
    _log("file written", one.county_id, one.run_id, table=table, file=number, rows=rows)
    return {"rows": rows}


@machine_task
def publish(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {county_id, run_id}."""
    run = _Run.model_validate(event)
    publish_run(run.county_id, run.run_id)
    _log("published", run.county_id, run.run_id)
    return {"county_id": run.county_id, "run_id": str(run.run_id)}


@machine_task
def fail(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {county_id, run_id, error: {type, detail}}. The event is the machine's, or EventBridge's of an execution that
    ended without having ended its run."""
    if "detail" in event:
        return _settle(ExecutionEnd.model_validate(event["detail"]))
    failed = _Failure.model_validate(event)
    error = fail_run(failed.county_id, failed.run, failed.failure)
    _logger.error("sync failed", county_id=failed.county_id, run_id=str(failed.run), error=error.model_dump())
    return {"county_id": failed.county_id, "run_id": str(failed.run), "error": error.model_dump()}


def _settle(end: ExecutionEnd) -> dict[str, Any]:
    given, failure = end.given(), end.failure()
    if given is None or failure is None:
        return {}
    start = _Start.model_validate({**given, "execution": {"id": end.arn, "name": end.name}})
    error = fail_run(start.county_id, start.run, failure, left_by=end.arn)
    return {"county_id": start.county_id, "run_id": str(start.run), "error": error.model_dump()}


def _keep_error(part: _Partition, error: Exception) -> None:
    """For whoever looks at the run; a run that is over has nothing to keep it for."""
    if isinstance(error, Conflict):
        return
    said = error.detail if isinstance(error, Problem) else type(error).__name__
    table, number = part.partition.table_name, part.partition.partition_no
    with unit_of_work(part.county_id) as connection:
        found = partitions.find(connection, part.county_id, part.run_id, table, number)
        if found is not None:
            message = f"{found.name}: {said}"
            partitions.set_error(connection, part.county_id, part.run_id, table, number, message)


def _measure(part: _Partition, seconds: float, figures: dict[str, int | bool | None]) -> None:
    counted = {"RowsRead": "rows_read", "RowsRejected": "rows_rejected", "RowsStaged": "rows_staged"}
    metrics.record(
        "sync",
        {
            **{name: ("Count", float(figures[figure] or 0)) for name, figure in counted.items()},
            "PartitionSeconds": ("Seconds", seconds),
        },
        properties={"county_id": part.county_id, "run_id": str(part.run_id), "table": part.partition.table_name},
    )


def _log(message: str, county_id: str, run_id: UUID, **figures: object) -> None:
    _logger.info(message, extra={"county_id": county_id, "run_id": str(run_id), **figures})
