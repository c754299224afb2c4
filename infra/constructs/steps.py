"""How a state machine calls a function: with retries, a time limit, and one way to fail.

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

AWAY = [
    *(problem.__name__ for problem in (DatabaseUnavailable, DatabaseBusy, ServiceUnavailable)),
    "Lambda.TooManyRequestsException",
]
"""What comes back within minutes: a failover of Aurora takes 30 to 120 seconds, a restart with recovery longer; and
functions that are throttled get their turn when others are done."""
AWAY_ATTEMPTS = 25
"""With full jitter between 0 and the delay they last some ten minutes, 21 at most."""
RETRYABLE = [
    "RetryableError",  # a task's own word that trying again may help: a county's source
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
]
CRASHED = ["Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout", "States.Timeout"]
"""The function ended without a word: out of memory, or out of time. Every task is safe to run twice."""


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
    """A Task that calls `function`. Without `payload` it gets the whole state; its answer goes to `result_path`.

    `on_failure` is where any error that is left after the retries goes, with the state and `$.failure`.
    """
    task = LambdaInvoke(
        scope,
        name,
        lambda_function=function.function,
        payload_response_only=True,
        retry_on_service_exceptions=False,
        payload=TaskInput.from_object(payload) if payload else None,
        result_selector=result_selector,
        result_path=result_path,
        # A minute longer than the function's own limit, so the function is the one to say that it was late.
        task_timeout=Timeout.duration(Duration.seconds(function.spec.timeout_s + 60)),
    )
    for errors, attempts in ((AWAY, AWAY_ATTEMPTS), (RETRYABLE, 5)):
        task.add_retry(
            errors=errors,
            interval=Duration.seconds(2),
            backoff_rate=2,
            max_attempts=attempts,
            max_delay=Duration.seconds(60),
            jitter_strategy=JitterType.FULL,
        )
    task.add_retry(
        errors=CRASHED, interval=Duration.seconds(2), backoff_rate=2, max_attempts=1, jitter_strategy=JitterType.FULL
    )
    if on_failure:
        task.add_catch(on_failure, errors=["States.ALL"], result_path=FAILURE)
    return task


DISCARD = JsonPath.DISCARD
"""As a `result_path`: the state goes on as it was, so that it never grows."""


def refusal(scope: Construct, name: str, error: str, cause: str, then: IChainable) -> Pass:
    """A state that puts an error of the machine's own where a caught one would be, and goes on to `then`."""
    state = Pass(scope, name, result=Result.from_object({"Error": error, "Cause": cause}), result_path=FAILURE)
    state.next(then)
    return state
