"""Events of the sync machine's tasks, parsed.

Plan and Fail get the whole input of the execution with `execution: {id, name}`, Fail also `failure: {Error, Cause}`.
The others get {county_id, run_id}; Apply also `left` of its answer before, Partition also `partition`, one item of the
list that Plan wrote, and Curate also `file`, one of the list that Prepare wrote."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from functions.sync.engine.plan import scheduled_run_id
from functions.sync.schemas.runs import SyncRequest
from shared.counties.configuration import SyncMode
from shared.jobs.executions import ExecutionEnd


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class _Execution(_Event):
    id: str
    name: str


class StartEvent(_Event):
    """Input of an execution: a run that was requested, or (without `run_id`) a scheduled one."""

    county_id: str
    requested_run: UUID | None = Field(default=None, alias="run_id")
    mode: SyncMode | None = None
    validate_only: bool = False
    trigger: str = "request"
    execution: _Execution

    @property
    def run_id(self) -> UUID:
        """The run that was requested, or the one of the scheduled execution."""
        return self.requested_run or scheduled_run_id(self.execution.id)

    @property
    def request(self) -> SyncRequest:
        return SyncRequest(mode=self.mode, validate_only=self.validate_only)


class FailEvent(StartEvent):
    """A failure that the machine has caught, or (with `ended_execution`, its ARN) an execution's end without one."""

    failure: dict[str, str]
    ended_execution: str | None = None


class RunEvent(_Event):
    """A run."""

    county_id: str
    run_id: UUID


class ApplyEvent(RunEvent):
    """A run to be applied; see `engine.apply.ApplyResult` for `handoffs`, which the machine passes as `left`."""

    handoffs: int = Field(default=0, alias="left")


class _PartitionItem(_Event):
    table_name: str
    partition_no: int


class PartitionEvent(RunEvent):
    """A partition of a run."""

    partition: _PartitionItem


class _FileItem(_Event):
    table_name: str
    file_no: int


class FileEvent(RunEvent):
    """A curated file of a run."""

    file: _FileItem


def parse_failure(event: dict[str, Any]) -> FailEvent | None:
    """The machine's event, or EventBridge's "Step Functions Execution Status Change"; None where that reports no end of
    a run.
    """
    if "detail" not in event:
        return FailEvent.model_validate(event)
    end = ExecutionEnd.model_validate(event["detail"])
    execution_input, failure = end.given(), end.failure()
    if execution_input is None or failure is None:
        return None
    execution = {"id": end.arn, "name": end.name}
    return FailEvent.model_validate(
        {**execution_input, "execution": execution, "failure": failure, "ended_execution": end.arn}
    )
