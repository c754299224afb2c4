"""Lambda entries of the sync machine, one a state: Plan -> partitions -> Reconcile -> Apply -> Prepare -> files
(Curate) -> Publish; a failure of any leads to Fail. Convert, to which Plan may send first, is in `conversion`.

Every state is idempotent. All imports are at the top: a Lambda imports at full speed before its first event, and slowly
afterwards.
"""

from typing import Any

from functions.sync.engine.apply import apply_run
from functions.sync.engine.curate import curate_file
from functions.sync.engine.fail import fail as fail_state
from functions.sync.engine.partition import process_partition
from functions.sync.engine.plan import plan_run
from functions.sync.engine.prepare import prepare_publication
from functions.sync.engine.publish import publish_run
from functions.sync.engine.reconcile import reconcile_run
from functions.sync.tasks.events import ApplyEvent, FileEvent, PartitionEvent, RunEvent, StartEvent, parse_failure
from functions.sync.tasks.retries import machine_task
from shared.observability.correlation import FIELD, correlation_id
from shared.settings import settings

ANSWER_RESERVE_S = 60
"""Seconds of its time that Apply keeps to answer when the database has not committed. A choice, far above the second
that this takes: a Lambda that is cut off answers nothing, and its call is repeated from the beginning."""


@machine_task
def plan(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {county_id, run_id, correlation_id, partitions: {bucket, key}, outcome: "proceed" | "convert" | "skipped"};
    with "convert" also `table`, whose file is to be converted before Plan is called again.
    """
    start = StartEvent.model_validate(event)
    planned = plan_run(start.county_id, start.run_id, start.request, start.trigger, start.execution.id)
    return {
        **({"table": planned.convert} if planned.convert is not None else {}),
        "county_id": start.county_id,
        "run_id": str(planned.run_id),
        FIELD: correlation_id(),
        "partitions": {"bucket": settings().data_bucket, "key": planned.partitions_key},
        "outcome": planned.outcome,
    }


@machine_task
def partition(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {unchanged, rows_read, rows_rejected, rows_staged}."""
    request = PartitionEvent.model_validate(event)
    item = request.partition
    return process_partition(request.county_id, request.run_id, item.table_name, item.partition_no).figures


@machine_task
def reconcile(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {county_id, run_id, outcome: "apply" | "awaiting_approval" | "unchanged"}."""
    run = RunEvent.model_validate(event)
    outcome = reconcile_run(run.county_id, run.run_id)
    return {"county_id": run.county_id, "run_id": str(run.run_id), "outcome": outcome}


@machine_task
def apply(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """-> {outcome: "applied" | "applying", left}: with "applying" the machine calls again with the same `left`."""
    run = ApplyEvent.model_validate(event)
    wait_seconds = context.get_remaining_time_in_millis() / 1000 - ANSWER_RESERVE_S
    result = apply_run(run.county_id, run.run_id, wait_seconds=wait_seconds, handoffs=run.handoffs)
    return {"outcome": result.outcome, "left": result.handoffs}


@machine_task
def prepare(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {county_id, run_id, files: {bucket, key}}."""
    run = RunEvent.model_validate(event)
    files = {"bucket": settings().data_bucket, "key": prepare_publication(run.county_id, run.run_id)}
    return {"county_id": run.county_id, "run_id": str(run.run_id), "files": files}


@machine_task
def curate(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {rows}."""
    request = FileEvent.model_validate(event)
    return {"rows": curate_file(request.county_id, request.run_id, request.file.table_name, request.file.file_no)}


@machine_task
def publish(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {county_id, run_id}."""
    run = RunEvent.model_validate(event)
    publish_run(run.county_id, run.run_id)
    return {"county_id": run.county_id, "run_id": str(run.run_id)}


@machine_task
def fail(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {county_id, run_id, error: {type, detail}}, or {} for an execution's end that concerns no run."""
    failed = parse_failure(event)
    if failed is None:
        return {}
    error = fail_state(failed.county_id, failed.run_id, failed.failure, ended_execution=failed.ended_execution)
    return {"county_id": failed.county_id, "run_id": str(failed.run_id), "error": error.model_dump()}
