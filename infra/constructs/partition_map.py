"""A Distributed Map over the partitions that a task has listed in S3.

One child execution an item. What a child answers is in the database, and its output a few letters: the outputs of
all children together must stay under the state's 256 KB. A failed child fails the map on AWS; other executors go on
without its output. So the outputs are counted, and whatever comes after begins only when all partitions are done.
"""

from collections.abc import Mapping

from aws_cdk.aws_s3 import IBucket
from aws_cdk.aws_stepfunctions import (
    Choice,
    Condition,
    DistributedMap,
    IChainable,
    JsonPath,
    Pass,
    Result,
    S3JsonItemReader,
    StateMachineType,
)
from constructs import Construct

from infra.constructs.service_function import ServiceFunction
from infra.constructs.steps import FAILURE, call

PARTITIONS = "$.partitions"
"""Where the state names the list: `{bucket, key}`. The map puts its counts there."""


def partition_map(
    scope: Construct,
    name: str,
    partition: ServiceFunction,
    bucket: IBucket,
    *,
    item: Mapping[str, str],
    max_concurrency: int,
    then: IChainable,
    failed: IChainable,
    unfinished: IChainable,
) -> DistributedMap:
    """Calls `partition` for each item with `item` and the item as `partition`, then goes to `then`.

    An error goes to `failed`; a partition that has left no output to `unfinished`. `name` is that of the map's state
    and its label, so it has no blanks.
    """
    each = DistributedMap(
        scope,
        name,
        item_reader=S3JsonItemReader(bucket=bucket, key=JsonPath.string_at(f"{PARTITIONS}.key")),
        item_selector={**item, "partition": JsonPath.object_at("$$.Map.Item.Value")},
        max_concurrency=max_concurrency,
        map_execution_type=StateMachineType.STANDARD,
        label=name,
        result_selector={"all.$": "States.ArrayLength($)", "done.$": "States.ArrayLength($[*].done)"},
        result_path=PARTITIONS,
    )
    each.item_processor(call(scope, f"One of {name}", partition, result_selector={"done": True}))
    each.add_catch(failed, errors=["States.ALL"], result_path=FAILURE)
    each.next(
        Choice(scope, f"Is each of {name} done")
        .when(Condition.number_equals_json_path(f"{PARTITIONS}.done", f"{PARTITIONS}.all"), then)
        .otherwise(unfinished)
    )
    return each


def refusal(scope: Construct, name: str, error: str, cause: str, then: IChainable) -> Pass:
    """A state that puts an error of the machine's own where a caught one would be, and goes on to `then`."""
    state = Pass(scope, name, result=Result.from_object({"Error": error, "Cause": cause}), result_path=FAILURE)
    state.next(then)
    return state
