"""Executions of state machines: what EventBridge tells of their end, and those that a restart interrupts begin again.

Every task is idempotent, so an execution that was running when the process ended is started once more with its name
and input.
"""

import json
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

from moto.events.models import events_backends
from moto.stepfunctions.exceptions import InvalidExecutionInput
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend, stepfunctions_parser_backends

from infra.local.aws.replacements import Replacements
from infra.local.cloud_assembly import ACCOUNT, REGION
from infra.local.quotas import STATE_BYTES
from infra.local.state import StateStore

_KIND = "execution"
_RUNNING = "RUNNING"

_log = logging.getLogger(__name__)

Send = Callable[[str, dict[str, Any]], None]
"""Sends an event to a function, by its ARN, and does not wait for it."""


def install(send: Send, replacements: Replacements) -> None:
    """Gives executions that are started without a name one of their own (moto calls them all `None`), and tells the
    rules of EventBridge of the end of each."""
    start_execution = StepFunctionsParserBackend.start_execution
    run: Callable[[Any], None] = ExecutionWorker._execution_logic
    terminated = BaseExecutionWorkerCommunication.terminated

    def start(
        self: Any, state_machine_arn: str, name: str | None, execution_input: str, *arguments: Any, **named: Any
    ) -> Any:
        if len(execution_input.encode()) > STATE_BYTES:
            raise InvalidExecutionInput(f"The input has more than {STATE_BYTES:,} bytes")
        return start_execution(self, state_machine_arn, name or str(uuid4()), execution_input, *arguments, **named)

    def run_to_an_end(self: Any) -> None:
        """An execution whose thread ends by an error of the interpreter itself would be `RUNNING` for ever."""
        try:
            run(self)
        except Exception as error:
            execution = self._execution_communication.execution
            _log.exception("the execution %s was given up", execution.name)
            execution.error, execution.cause = "States.Runtime", str(error)
            execution.exec_status = ExecutionStatus.FAILED
            _tell(execution, send)

    def end(self: Any) -> None:
        terminated(self)
        _tell(self.execution, send)

    replacements.replace(StepFunctionsParserBackend, "start_execution", start)
    replacements.replace(ExecutionWorker, "_execution_logic", run_to_an_end)
    replacements.replace(BaseExecutionWorkerCommunication, "terminated", end)


def _tell(execution: Any, send: Send) -> None:
    """Sends the event of an execution's end to the functions whose rules want it."""
    event: Any = _status_change(execution)
    for rule in events_backends[ACCOUNT][REGION].event_buses["default"].rules.values():
        if rule.state == "ENABLED" and rule.event_pattern.matches_event(event):
            for target in rule.targets:
                if ":function:" in target["Arn"]:
                    send(target["Arn"], event)


def _status_change(execution: Any) -> dict[str, Any]:
    """EventBridge's "Step Functions Execution Status Change"."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": ACCOUNT,
        "time": _iso(execution.stop_date or execution.start_date),
        "region": REGION,
        "resources": [execution.exec_arn],
        "detail": {
            "executionArn": execution.exec_arn,
            "stateMachineArn": execution.state_machine.arn,
            "name": execution.name,
            "status": execution.status,
            "input": json.dumps(execution.input_data),
            "inputDetails": {"included": True},
            "error": execution.error,
            "cause": execution.cause,
        },
    }


def _iso(moment: datetime | str) -> str:
    return moment if isinstance(moment, str) else moment.isoformat()


def write_executions(state: StateStore) -> None:
    """Brings the state store's list of running executions up to date."""
    running = {
        execution.exec_arn: {
            "machine": machine.arn,
            "name": execution.name,
            "input": execution.input_data,
        }
        for machine in list(_machines().values())
        for execution in list(getattr(machine, "executions", ()))
        if execution.exec_status is not None and execution.status == _RUNNING
    }
    state.mirror(_KIND, running)


def resume_executions(state: StateStore, client: Any) -> None:
    """Starts again what was running; an execution of a machine that is gone is forgotten."""
    for document in state.all(_KIND).values():
        if document["machine"] in _machines():
            _log.info("%s begins again", document["name"])
            client.start_execution(
                stateMachineArn=document["machine"], name=document["name"], input=json.dumps(document["input"])
            )
    write_executions(state)


def _machines() -> dict[str, Any]:
    machines = stepfunctions_parser_backends[ACCOUNT][REGION].state_machines
    return {machine.arn: machine for machine in machines}
