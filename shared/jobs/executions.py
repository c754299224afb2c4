"""Executions of state machines as jobs see them: started, looked at, stopped."""

from collections.abc import Mapping
from typing import Any

import orjson
from aws_lambda_powertools import Logger
from pydantic import BaseModel, ConfigDict, Field

from shared.aws import client
from shared.observability.correlation import FIELD, correlation_id
from shared.problems import ServiceUnavailable

Failure = Mapping[str, str]
"""Failure of an execution, in the form of a state machine's Catch: {Error, Cause}."""

GONE: Failure = {"Error": "Execution.Gone", "Cause": ""}
_ENDED = {
    "TIMED_OUT": {"Error": "Execution.TimedOut", "Cause": ""},
    "ABORTED": {"Error": "Execution.Aborted", "Cause": ""},
    "SUCCEEDED": GONE,  # without having ended its job, which its last task does
}

_logger = Logger(service="jobs")


class ExecutionEnd(BaseModel):
    """An execution's end, as EventBridge tells of it ("Step Functions Execution Status Change")."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    arn: str = Field(alias="executionArn")
    name: str
    status: str
    input: str | None = None
    error: str | None = None
    cause: str | None = None

    def given(self) -> dict[str, Any] | None:
        """The execution's input; None where it was too long for an event."""
        return None if self.input is None else dict(orjson.loads(self.input))

    def failure(self) -> Failure | None:
        """Its failure; None for one that has not ended."""
        return failure_of(self.status, self.error, self.cause)


def arn_of(machine_arn: str, name: str) -> str:
    """The ARN of a machine's execution of this name."""
    return f"{machine_arn.replace(':stateMachine:', ':execution:', 1)}:{name}"


def start(machine_arn: str, name: str, start_input: Mapping[str, Any]) -> None:
    """Start an execution, which is handed the correlation id; a second start of the same name is the first one.

    Raises ServiceUnavailable.
    """
    machine = client("stepfunctions")
    handed_over = {FIELD: correlation_id() or name, **start_input}
    try:
        machine.start_execution(stateMachineArn=machine_arn, name=name, input=orjson.dumps(handed_over).decode())
    except machine.exceptions.ExecutionAlreadyExists:
        return
    except Exception as error:
        raise ServiceUnavailable("The job could not be started; send the request again.") from error


def ending(arn: str) -> Failure | None:
    """The failure of an execution; None while it runs, or where Step Functions does not answer."""
    machine = client("stepfunctions")
    try:
        execution = machine.describe_execution(executionArn=arn)
    except machine.exceptions.ExecutionDoesNotExist:
        return GONE
    except Exception as error:
        _logger.warning("an execution could not be looked at", execution=arn, reason=str(error))
        return None
    return failure_of(execution["status"], execution.get("error"), execution.get("cause"))


def failure_of(status: str, error: str | None, cause: str | None) -> Failure | None:
    """The failure that an execution's status stands for; None for one that has not ended."""
    if status == "FAILED":
        return {"Error": error or "Unknown", "Cause": cause or ""}
    return _ENDED.get(status)


def stop(arn: str) -> None:
    """Stop an execution. One that has ended is as good; one that cannot be stopped finds its job ended."""
    try:
        client("stepfunctions").stop_execution(executionArn=arn, error="Cancelled", cause="The job was cancelled.")
    except Exception as error:
        _logger.warning("an execution could not be stopped", execution=arn, reason=str(error))
