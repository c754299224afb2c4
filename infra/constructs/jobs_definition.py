"""The jobs machine: the function of the job's kind runs it; on an error it is called again to record the failure.

Input: `{county_id, job_id, kind, correlation_id}`. The call after an error has `failure: {Error, Cause}` as well. A job
that is cut into partitions has a function for each step, Plan -> Distributed Map -> Finish: Plan answers with `outcome`
("proceed", or "ended" where there is nothing more to do) and `partitions: {bucket, key}`; a partition gets the input
and `partition`, one item of the list that Plan wrote.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk.aws_s3 import IBucket
from aws_cdk.aws_stepfunctions import Choice, Condition, Fail, IChainable, JsonPath, Succeed
from constructs import Construct

from infra.constructs.distributed_map import MapSpec, distributed_map
from infra.constructs.service_function import ServiceFunction
from infra.constructs.steps import DISCARD, FAILURE, call
from shared.observability.correlation import FIELD

MAX_CONCURRENCY = 20
"""Partitions of one job at a time. A choice of that order: each holds a connection to the database."""

_JOB = {name: JsonPath.string_at(f"$.{name}") for name in ("county_id", "job_id", "kind", FIELD)}


@dataclass(frozen=True)
class PartitionedSteps:
    """The functions of a kind of job that is cut into partitions."""

    kind: str
    plan: ServiceFunction
    partition: ServiceFunction
    finish: ServiceFunction


def jobs_definition(
    scope: Construct, functions: Sequence[ServiceFunction], partitioned: Sequence[PartitionedSteps], bucket: IBucket
) -> IChainable:
    """Build the machine; returns its first state, a choice by `$.kind`."""
    done = Succeed(scope, "Done")
    failed = Fail(scope, "Job failed", error_path=f"{FAILURE}.Error", cause_path=f"{FAILURE}.Cause")
    choice = Choice(scope, "Kind of job")
    for kind, first in {
        **_single_function_jobs(scope, functions, done, failed),
        **_partitioned_jobs(scope, partitioned, bucket, done, failed),
    }.items():
        choice.when(Condition.string_equals("$.kind", kind), first)
    return choice.otherwise(
        Fail(scope, "Unknown kind", error="UnknownKind", cause="No function of the registry runs this kind of job.")
    )


def _single_function_jobs(
    scope: Construct, functions: Sequence[ServiceFunction], done: Succeed, failed: Fail
) -> Mapping[str, IChainable]:
    """First states of the jobs that a single call does, by kind."""
    first: dict[str, IChainable] = {}
    for function in functions:
        for kind in [declared.name for declared in function.spec.job_kinds]:
            record = _record_failure(scope, kind, function, failed)
            task = call(scope, f"Run {kind}", function, result_path=DISCARD, on_failure=record)
            task.next(done)
            first[kind] = task
    return first


def _partitioned_jobs(
    scope: Construct, partitioned: Sequence[PartitionedSteps], bucket: IBucket, done: Succeed, failed: Fail
) -> Mapping[str, IChainable]:
    """First states of the jobs that are cut into partitions, by kind."""
    first: dict[str, IChainable] = {}
    for steps in partitioned:
        kind = steps.kind
        record = _record_failure(scope, kind, steps.plan, failed)
        finish = call(scope, f"Finish {kind}", steps.finish, payload=_JOB, result_path=DISCARD, on_failure=record)
        finish.next(done)
        partition_map = MapSpec(
            f"Partitions-{kind}",
            f"Partition of {kind}",
            "partition",
            "$.partitions.key",
            "PartitionFailed",
            "A partition has not been done.",
        )
        partitions = distributed_map(
            scope, partition_map, steps.partition, bucket, MAX_CONCURRENCY, _JOB, on_failure=record, then=finish
        )
        plan = call(
            scope,
            f"Plan {kind}",
            steps.plan,
            result_selector={
                "outcome": JsonPath.string_at("$.outcome"),
                "key": JsonPath.string_at("$.partitions.key"),
            },
            result_path="$.partitions",
            on_failure=record,
        )
        plan.next(
            Choice(scope, f"Is {kind} to be done")
            .when(Condition.string_equals("$.partitions.outcome", "proceed"), partitions)
            .otherwise(done)
        )
        first[kind] = plan
    return first


def _record_failure(scope: Construct, kind: str, function: ServiceFunction, failed: Fail) -> IChainable:
    """A task that marks the job as failed before the execution fails."""
    record = call(scope, f"Record failed {kind}", function, result_path=DISCARD, on_failure=failed)
    record.next(failed)
    return record
