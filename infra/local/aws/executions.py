"""Executions of state machines that a restart interrupts: they begin again.

Every task is safe to run twice, so an execution that was running when the process ended is started once more
with its name and input.
"""

import json
import logging
from typing import Any
from uuid import uuid4

from moto.stepfunctions.parser.models import StepFunctionsParserBackend, stepfunctions_parser_backends

from infra.local.assembly import ACCOUNT, REGION
from infra.local.aws.replacing import Replacements
from infra.local.state import StateStore

_KIND = "execution"
_RUNNING = "RUNNING"

_log = logging.getLogger(__name__)


def install(replacements: Replacements) -> None:
    """Gives executions that are started without a name one of their own; moto calls them all `None`."""
    start_execution = StepFunctionsParserBackend.start_execution

    def start(self: Any, state_machine_arn: str, name: str | None, *arguments: Any, **named: Any) -> Any:
        return start_execution(self, state_machine_arn, name or str(uuid4()), *arguments, **named)

    replacements.replace(StepFunctionsParserBackend, "start_execution", start)


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
