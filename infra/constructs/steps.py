"""Task states: a call of a function with its retries, time limit and failure path.

The definitions stay inside what every executor of the language runs: JSONPath, plain function ARNs, no
nested executions (DESIGN: the sync engine).
"""

from typing import Any

from aws_cdk import Duration
from aws_cdk.aws_stepfunctions import IChainable, JitterType, JsonPath, Pass, Result, TaskInput, Timeout
from aws_cdk.aws_stepfunctions_tasks import LambdaInvoke
from constructs import Construct

from infra.constructs.service_function import ServiceFunction
from shared.db import DatabaseBusy, DatabaseUnavailable
from shared.problems import ServiceUnavailable

FAILURE = "$.failure"
"""Where a caught error lies in the state: `{"Error": ..., "Cause": ...}`."""

UNAVAILABLE = [problem.__name__ for problem in (DatabaseUnavailable, DatabaseBusy, ServiceUnavailable)]
"""Dependencies that recover within minutes: a failover of Aurora takes 30 to 120 seconds, a restart with recovery
longer."""
UNAVAILABLE_ATTEMPTS = 25
"""Delays of 2, 4, ... 32, then 60 s: 21 minutes at most, and half of that on average under full jitter."""
THROTTLED = ["Lambda.TooManyRequestsException"]
"""The account has no execution left for the function, or the function is paused (a reserved concurrency of 0)."""
THROTTLED_ATTEMPTS = 500
MAX_THROTTLED_DELAY_S = 300
"""Some 20 hours on average under full jitter: a throttled call has not begun and costs a state transition, so it waits
for as long as an execution may live, give or take; the execution's own time-out ends it."""
RETRYABLE = [
    "RetryableError",  # raised by a task for what another attempt may read: a county's source
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
]
CRASHED = ["Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout", "States.Timeout"]
"""The function ended without an answer: out of memory, or out of time. Every task is idempotent. It is retried once:
a second crash of the same input is the input's."""


def call(
    scope: Construct,
    name: str,
    function: ServiceFunction,
    *,
    payload: dict[str, Any] | None = None,
    result_selector: dict[str, Any] | None = None,
    result_path: str | None = None,
    on_failure: IChainable | None = None,
) -> LambdaInvoke:
    """A Task state that calls the version of `function` that is deployed with the machine: a deployment in the middle
    of an execution leaves it the code that it began with.

    `payload`: the event, by default the whole state. `result_selector`: the members of the answer that are kept, by
    default all. `result_path`: where the answer lies in the state. `on_failure`: the state that follows an error that
    the retries did not remove, with the error at `$.failure`.
    """
    task = LambdaInvoke(
        scope,
        name,
        lambda_function=function.version,
        payload_response_only=True,
        retry_on_service_exceptions=False,
        payload=TaskInput.from_object(payload) if payload else None,
        result_selector=result_selector,
        result_path=result_path,
        # A minute longer than the function's own limit, so that the function is the one to report the time-out.
        task_timeout=Timeout.duration(Duration.seconds(function.spec.timeout_s + 60)),
    )
    for errors, attempts, max_delay_s in (
        (UNAVAILABLE, UNAVAILABLE_ATTEMPTS, 60),
        (THROTTLED, THROTTLED_ATTEMPTS, MAX_THROTTLED_DELAY_S),
        (RETRYABLE, 5, 60),
    ):
        task.add_retry(
            errors=errors,
            interval=Duration.seconds(2),
            backoff_rate=2,
            max_attempts=attempts,
            max_delay=Duration.seconds(max_delay_s),
            jitter_strategy=JitterType.FULL,
        )
    task.add_retry(
        errors=CRASHED, interval=Duration.seconds(2), backoff_rate=2, max_attempts=1, jitter_strategy=JitterType.FULL
    )
    if on_failure:
        task.add_catch(on_failure, errors=["States.ALL"], result_path=FAILURE)
    return task


DISCARD = JsonPath.DISCARD
"""As a `result_path`: the answer is dropped, so that the state never grows."""


def error_state(scope: Construct, name: str, error: str, cause: str, then: IChainable) -> Pass:
    """A Pass state that raises an error of the machine's own: it lies where a caught one would, and `then` follows."""
    state = Pass(scope, name, result=Result.from_object({"Error": error, "Cause": cause}), result_path=FAILURE)
    state.next(then)
    return state
