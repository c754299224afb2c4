"""A distributed map: one task for each item of a list in S3."""

from dataclasses import dataclass
from typing import Any

from aws_cdk.aws_s3 import IBucket
from aws_cdk.aws_stepfunctions import (
    Choice,
    Condition,
    DistributedMap,
    IChainable,
    JsonPath,
    S3JsonItemReader,
    StateMachineType,
)
from constructs import Construct

from infra.constructs.service_function import ServiceFunction
from infra.constructs.steps import FAILURE, call, error_state


@dataclass(frozen=True)
class MapSpec:
    """The words of a map.

    `name`: of the map, and its label, so without blanks. `task`: the state within it. `item`: the member of the task's
    event that holds an item. `key_path`: where the list's key lies in the state. `error`, `cause`: of the failure when
    an item was not done.
    """

    name: str
    task: str
    item: str
    key_path: str
    error: str
    cause: str


def distributed_map(
    scope: Construct,
    spec: MapSpec,
    function: ServiceFunction,
    bucket: IBucket,
    max_concurrency: int,
    context: dict[str, Any],
    *,
    on_failure: IChainable,
    then: IChainable,
) -> IChainable:
    """A Map state with one child execution an item.

    `function`: what the children call. `bucket`: of the list. `max_concurrency`: children at a time. `context`: members
    of a child's event beside the item. `on_failure`: follows when an item was not done; `then` when all were.

    A child's result is in the database or in S3, and its output a few letters: the outputs of all children together
    must stay under the state's 256 KB. A failed child fails the map on AWS; other executors continue without its
    output, so the outputs are counted.
    """
    outcome = f"$.{spec.item}_outcome"
    mapped = DistributedMap(
        scope,
        spec.name,
        item_reader=S3JsonItemReader(bucket=bucket, key=JsonPath.string_at(spec.key_path)),
        item_selector={**context, spec.item: JsonPath.object_at("$$.Map.Item.Value")},
        max_concurrency=max_concurrency,
        map_execution_type=StateMachineType.STANDARD,
        label=spec.name,
        result_selector={"all.$": "States.ArrayLength($)", "done.$": "States.ArrayLength($[*].done)"},
        result_path=outcome,
    )
    mapped.item_processor(call(scope, spec.task, function, result_selector={"done": True}))
    mapped.add_catch(on_failure, errors=["States.ALL"], result_path=FAILURE)
    incomplete = error_state(scope, f"{spec.task} failed", spec.error, spec.cause, on_failure)
    mapped.next(
        Choice(scope, f"Is all of {spec.name} done")
        .when(Condition.number_equals_json_path(f"{outcome}.done", f"{outcome}.all"), then)
        .otherwise(incomplete)
    )
    return mapped
