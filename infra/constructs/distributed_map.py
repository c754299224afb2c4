"""One task for each item of a list in S3, by a distributed map."""

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
from infra.constructs.steps import FAILURE, call, refusal


@dataclass(frozen=True)
class MapSpec:
    """The map's name, which is its label too and has no blanks; that of the task in it, and that of an item in the
    task's event; where the key of the list lies in the state; and the error where an item was not done."""

    name: str
    task: str
    item: str
    key_path: str
    error: str
    cause: str


def distributed_map(
    scope: Construct,
    each: MapSpec,
    function: ServiceFunction,
    bucket: IBucket,
    max_concurrency: int,
    carried: dict[str, Any],
    *,
    on_failure: IChainable,
    then: IChainable,
) -> IChainable:
    """One child execution an item, which gets `carried` of the state and the item.

    What a child answers is in the database or in S3, and its output a few letters: the outputs of all children
    together must stay under the state's 256 KB. A failed child fails the map on AWS. Other executors go on without
    its output: so the outputs are counted, and `then` is not reached unless all items are done.
    """
    outcome = f"$.{each.item}_outcome"
    mapped = DistributedMap(
        scope,
        each.name,
        item_reader=S3JsonItemReader(bucket=bucket, key=JsonPath.string_at(each.key_path)),
        item_selector={**carried, each.item: JsonPath.object_at("$$.Map.Item.Value")},
        max_concurrency=max_concurrency,
        map_execution_type=StateMachineType.STANDARD,
        label=each.name,
        result_selector={"all.$": "States.ArrayLength($)", "done.$": "States.ArrayLength($[*].done)"},
        result_path=outcome,
    )
    mapped.item_processor(call(scope, each.task, function, result_selector={"done": True}))
    mapped.add_catch(on_failure, errors=["States.ALL"], result_path=FAILURE)
    undone = refusal(scope, f"{each.task} failed", each.error, each.cause, on_failure)
    mapped.next(
        Choice(scope, f"Is all of {each.name} done")
        .when(Condition.number_equals_json_path(f"{outcome}.done", f"{outcome}.all"), then)
        .otherwise(undone)
    )
    return mapped
