"""The sync machine: Plan -> partitions -> Reconcile -> Apply -> Publish, any failure -> Fail.

Input: `{county_id, run_id?, mode?, ...}`, or `{county_id, run_id, resume_at: "apply"}` for a run that waited for
approval. Plan and Fail get the whole state with `execution: {id, name}`, Fail also `failure: {Error, Cause}`; the
other tasks get `{county_id, run_id}`, a partition also `partition`, one item of the list that Plan wrote.
"""

from dataclasses import dataclass

from aws_cdk.aws_s3 import IBucket
from aws_cdk.aws_stepfunctions import (
    Choice,
    Condition,
    DistributedMap,
    Fail,
    IChainable,
    JsonPath,
    Pass,
    Result,
    S3JsonItemReader,
    StateMachineType,
    Succeed,
)
from constructs import Construct

from infra.constructs.service_function import ServiceFunction
from infra.constructs.steps import DISCARD, FAILURE, call

_RUN = {"county_id": JsonPath.string_at("$.county_id"), "run_id": JsonPath.string_at("$.run_id")}
_EXECUTION = {
    "id": JsonPath.string_at("$$.Execution.Id"),
    "name": JsonPath.string_at("$$.Execution.Name"),
}


@dataclass(frozen=True)
class SyncSteps:
    """The functions that the machine calls."""

    plan: ServiceFunction
    partition: ServiceFunction
    reconcile: ServiceFunction
    apply: ServiceFunction
    publish: ServiceFunction
    fail: ServiceFunction


def sync_definition(scope: Construct, steps: SyncSteps, bucket: IBucket, max_concurrency: int) -> IChainable:
    """The first state; the others are reached from it."""
    failed = _record_failure(scope, steps.fail)
    unexpected = _refusal(scope, "Unexpected outcome", "A task answered with an unknown outcome.")
    unexpected.next(failed)
    unread = _refusal(scope, "Partition failed", "A partition could not be read; the run's partitions say which.")
    unread.next(failed)
    done = Succeed(scope, "Done")

    publish = call(scope, "Publish", steps.publish, payload=_RUN, result_path=DISCARD, on_failure=failed)
    publish.next(done)
    apply = call(scope, "Apply", steps.apply, payload=_RUN, result_path=DISCARD, on_failure=failed)
    apply.next(publish)
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
        .when(Condition.string_equals("$.reconciliation.outcome", "apply"), apply)
        .when(
            Condition.string_equals("$.reconciliation.outcome", "awaiting_approval"),
            Succeed(scope, "Awaiting approval"),
        )
        .when(Condition.string_equals("$.reconciliation.outcome", "unchanged"), done)
        .otherwise(unexpected)
    )
    partitions = _partitions(scope, steps.partition, bucket, max_concurrency, failed)
    partitions.next(
        Choice(scope, "Is each partition read")
        .when(Condition.number_equals_json_path("$.partitions.read", "$.partitions.all"), reconcile)
        .otherwise(unread)
    )
    plan = call(scope, "Plan", steps.plan, on_failure=failed)
    plan.next(
        Choice(scope, "Anything to read")
        .when(Condition.string_equals("$.outcome", "proceed"), partitions)
        .when(Condition.string_equals("$.outcome", "unchanged"), done)
        .otherwise(unexpected)
    )
    start = Pass(scope, "Name the execution", parameters=_EXECUTION, result_path="$.execution")
    start.next(plan)
    return (
        Choice(scope, "Where to begin")
        .when(
            Condition.and_(Condition.is_present("$.resume_at"), Condition.string_equals("$.resume_at", "apply")), apply
        )
        .otherwise(start)
    )


def _partitions(
    scope: Construct, partition: ServiceFunction, bucket: IBucket, max_concurrency: int, failed: IChainable
) -> DistributedMap:
    """One child execution an item. What a child answers is in the database, and its output a few letters: the
    outputs of all children together must stay under the state's 256 KB.

    A failed child fails the map on AWS. Other executors go on without its output: so the outputs are counted, and
    no run is reconciled without all of its partitions.
    """
    each = DistributedMap(
        scope,
        "Partitions",
        item_reader=S3JsonItemReader(bucket=bucket, key=JsonPath.string_at("$.partitions.key")),
        item_selector={**_RUN, "partition": JsonPath.object_at("$$.Map.Item.Value")},
        max_concurrency=max_concurrency,
        map_execution_type=StateMachineType.STANDARD,
        label="Partitions",
        result_selector={"all.$": "States.ArrayLength($)", "read.$": "States.ArrayLength($[*].read)"},
        result_path="$.partitions",
    )
    each.item_processor(call(scope, "Partition", partition, result_selector={"read": True}))
    each.add_catch(failed, errors=["States.ALL"], result_path=FAILURE)
    return each


def _refusal(scope: Construct, name: str, cause: str) -> Pass:
    """Puts an error of the machine's own where a caught one would be. Its name is the state's, in one word."""
    error = "".join(word.capitalize() for word in name.split())
    return Pass(scope, name, result=Result.from_object({"Error": error, "Cause": cause}), result_path=FAILURE)


def _record_failure(scope: Construct, fail: ServiceFunction) -> Pass:
    """The run is marked as failed before the execution is; a failure of that itself fails the execution too."""
    end = Fail(scope, "Sync failed", error_path=f"{FAILURE}.Error", cause_path=f"{FAILURE}.Cause")
    record = call(scope, "Record the failure", fail, result_path=DISCARD, on_failure=end)
    record.next(end)
    name = Pass(scope, "Name the failed execution", parameters=_EXECUTION, result_path="$.execution")
    name.next(record)
    return name
