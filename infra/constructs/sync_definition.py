"""The sync machine: Plan -> partitions -> Reconcile -> Apply -> Prepare -> files -> Publish, any failure -> Fail.

Where Plan says that a geographic file has to be converted first, Convert does it, and Plan is called again.

Input: `{county_id, run_id?, mode?, correlation_id?, ...}`, or `{county_id, run_id, correlation_id, resume_at: "apply"}`
for a run that waited for approval. Plan and Fail get the whole state with `execution: {id, name}`, Fail also
`failure: {Error, Cause}`; the other tasks get `{county_id, run_id, correlation_id}`, Apply also `left` of its former
answer (0 at first), a partition also `partition`, one item of the list that Plan wrote, and a file also `file`, one of
the list that Prepare wrote.
"""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk.aws_s3 import IBucket
from aws_cdk.aws_stepfunctions import (
    Choice,
    Condition,
    Fail,
    IChainable,
    JsonPath,
    Pass,
    Result,
    Succeed,
    Wait,
    WaitTime,
)
from constructs import Construct

from infra.constructs.distributed_map import MapSpec, distributed_map
from infra.constructs.service_function import ServiceFunction
from infra.constructs.steps import DISCARD, FAILURE, call, error_state
from shared.observability.correlation import FIELD

_RUN = {name: JsonPath.string_at(f"$.{name}") for name in ("county_id", "run_id", FIELD)}
"""Of Plan's answer, or of the input that resumes a run. A schedule's input has only the county."""
_APPLY_POLL_INTERVAL = Duration.seconds(30)
"""Between two calls of Apply. A choice: a transaction that outlives its first call takes minutes, and each poll costs a
start of the function."""
_EXECUTION = {
    "id": JsonPath.string_at("$$.Execution.Id"),
    "name": JsonPath.string_at("$$.Execution.Name"),
}


@dataclass(frozen=True)
class SyncSteps:
    """The functions that the machine calls."""

    plan: ServiceFunction
    convert: ServiceFunction
    partition: ServiceFunction
    reconcile: ServiceFunction
    apply: ServiceFunction
    prepare: ServiceFunction
    curate: ServiceFunction
    publish: ServiceFunction
    fail: ServiceFunction


def sync_definition(scope: Construct, steps: SyncSteps, bucket: IBucket, max_concurrency: int) -> IChainable:
    """Build the machine; returns its first state."""
    failed = _record_failure(scope, steps.fail)
    unexpected = error_state(
        scope, "Unexpected outcome", "UnexpectedOutcome", "A task answered with an unknown outcome.", failed
    )
    done = Succeed(scope, "Done")

    publish = call(scope, "Publish", steps.publish, payload=_RUN, result_path=DISCARD, on_failure=failed)
    publish.next(done)
    files_map = MapSpec(
        "Files",
        "File",
        "file",
        "$.publication.files.key",
        "FileFailed",
        "A file of the publication could not be written.",
    )
    prepare = call(scope, "Prepare", steps.prepare, payload=_RUN, result_path="$.publication", on_failure=failed)
    prepare.next(
        distributed_map(scope, files_map, steps.curate, bucket, max_concurrency, _RUN, on_failure=failed, then=publish)
    )
    begin = _apply(scope, steps.apply, on_failure=failed, on_unknown_outcome=unexpected, then=prepare)
    reconcile = call(
        scope,
        "Reconcile",
        steps.reconcile,
        payload=_RUN,
        result_selector={"outcome": JsonPath.string_at("$.outcome")},
        result_path="$.reconciliation",
        on_failure=failed,
    )
    reconcile.next(
        Choice(scope, "What to do with the changes")
        .when(Condition.string_equals("$.reconciliation.outcome", "apply"), begin)
        .when(
            Condition.string_equals("$.reconciliation.outcome", "awaiting_approval"),
            Succeed(scope, "Awaiting approval"),
        )
        .when(Condition.string_equals("$.reconciliation.outcome", "unchanged"), done)
        .otherwise(unexpected)
    )
    partitions_map = MapSpec(
        "Partitions",
        "Partition",
        "partition",
        "$.partitions.key",
        "PartitionFailed",
        "A partition could not be read; the run's partitions say which.",
    )
    partitions = distributed_map(
        scope, partitions_map, steps.partition, bucket, max_concurrency, _RUN, on_failure=failed, then=reconcile
    )
    plan = call(scope, "Plan", steps.plan, on_failure=failed)
    start = Pass(scope, "Name the execution", parameters=_EXECUTION, result_path="$.execution")
    start.next(plan)
    convert = call(
        scope,
        "Convert",
        steps.convert,
        payload={**_RUN, "table": JsonPath.string_at("$.table")},
        result_path=DISCARD,
        on_failure=failed,
    )
    convert.next(start)
    plan.next(
        Choice(scope, "Anything to read")
        .when(Condition.string_equals("$.outcome", "proceed"), partitions)
        .when(Condition.string_equals("$.outcome", "convert"), convert)
        .when(Condition.string_equals("$.outcome", "skipped"), done)
        .otherwise(unexpected)
    )
    return (
        Choice(scope, "Where to begin")
        .when(
            Condition.and_(Condition.is_present("$.resume_at"), Condition.string_equals("$.resume_at", "apply")), begin
        )
        .otherwise(start)
    )


def _apply(
    scope: Construct,
    function: ServiceFunction,
    *,
    on_failure: IChainable,
    on_unknown_outcome: IChainable,
    then: IChainable,
) -> IChainable:
    """A loop around Apply: the database carries the transaction out, for however long it takes, and the machine polls
    for its end. `on_failure`, `on_unknown_outcome`, `then`: the states that follow."""
    begin = Pass(scope, "Begin to apply", result=Result.from_object({"left": 0}), result_path="$.application")
    apply = call(
        scope,
        "Apply",
        function,
        payload={**_RUN, "left": JsonPath.number_at("$.application.left")},
        result_path="$.application",
        on_failure=on_failure,
    )
    begin.next(apply)
    wait = Wait(scope, "Leave it to the database", time=WaitTime.duration(_APPLY_POLL_INTERVAL))
    wait.next(apply)
    apply.next(
        Choice(scope, "Is it applied")
        .when(Condition.string_equals("$.application.outcome", "applied"), then)
        .when(Condition.string_equals("$.application.outcome", "applying"), wait)
        .otherwise(on_unknown_outcome)
    )
    return begin


def _record_failure(scope: Construct, fail: ServiceFunction) -> Pass:
    """A task that marks the run as failed before the execution fails; its own failure fails the execution too."""
    end = Fail(scope, "Sync failed", error_path=f"{FAILURE}.Error", cause_path=f"{FAILURE}.Cause")
    record = call(scope, "Record the failure", fail, result_path=DISCARD, on_failure=end)
    record.next(end)
    name = Pass(scope, "Name the failed execution", parameters=_EXECUTION, result_path="$.execution")
    name.next(record)
    return name
