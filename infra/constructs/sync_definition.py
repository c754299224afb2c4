"""The sync machine: Plan -> partitions -> Reconcile -> Apply -> Prepare -> files -> Publish, any failure -> Fail.

Where Plan says that a geographic file has to be converted first, Convert does it, and Plan is called again.

Input: `{county_id, run_id?, mode?, ...}`, or `{county_id, run_id, resume_at: "apply"}` for a run that waited for
approval. Plan and Fail get the whole state with `execution: {id, name}`, Fail also `failure: {Error, Cause}`; the
other tasks get `{county_id, run_id}`, Apply also `left` of its answer before (0), a partition also `partition`, one
item of the list that Plan wrote, and a file also `file`, one of the list that Prepare wrote.
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
from infra.constructs.steps import DISCARD, FAILURE, call, refusal

_RUN = {"county_id": JsonPath.string_at("$.county_id"), "run_id": JsonPath.string_at("$.run_id")}
_BETWEEN_QUESTIONS = Duration.seconds(30)
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
    """The first state; the others are reached from it."""
    failed = _record_failure(scope, steps.fail)
    unexpected = refusal(
        scope, "Unexpected outcome", "UnexpectedOutcome", "A task answered with an unknown outcome.", failed
    )
    done = Succeed(scope, "Done")

    publish = call(scope, "Publish", steps.publish, payload=_RUN, result_path=DISCARD, on_failure=failed)
    publish.next(done)
    files = MapSpec(
        "Files",
        "File",
        "file",
        "$.publication.files.key",
        "FileFailed",
        "A file of the publication could not be written.",
    )
    prepare = call(scope, "Prepare", steps.prepare, payload=_RUN, result_path="$.publication", on_failure=failed)
    prepare.next(
        distributed_map(scope, files, steps.curate, bucket, max_concurrency, _RUN, on_failure=failed, then=publish)
    )
    begin = _apply(scope, steps.apply, on_failure=failed, on_nonsense=unexpected, then=prepare)
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
    each = MapSpec(
        "Partitions",
        "Partition",
        "partition",
        "$.partitions.key",
        "PartitionFailed",
        "A partition could not be read; the run's partitions say which.",
    )
    partitions = distributed_map(
        scope, each, steps.partition, bucket, max_concurrency, _RUN, on_failure=failed, then=reconcile
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
    scope: Construct, function: ServiceFunction, *, on_failure: IChainable, on_nonsense: IChainable, then: IChainable
) -> IChainable:
    """Apply is asked again until it is done: the database is at it, however long a Lambda may wait for it."""
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
    wait = Wait(scope, "Leave it to the database", time=WaitTime.duration(_BETWEEN_QUESTIONS))
    wait.next(apply)
    apply.next(
        Choice(scope, "Is it applied")
        .when(Condition.string_equals("$.application.outcome", "applied"), then)
        .when(Condition.string_equals("$.application.outcome", "applying"), wait)
        .otherwise(on_nonsense)
    )
    return begin


def _record_failure(scope: Construct, fail: ServiceFunction) -> Pass:
    """The run is marked as failed before the execution is; a failure of that itself fails the execution too."""
    end = Fail(scope, "Sync failed", error_path=f"{FAILURE}.Error", cause_path=f"{FAILURE}.Cause")
    record = call(scope, "Record the failure", fail, result_path=DISCARD, on_failure=end)
    record.next(end)
    name = Pass(scope, "Name the failed execution", parameters=_EXECUTION, result_path="$.execution")
    name.next(record)
    return name
