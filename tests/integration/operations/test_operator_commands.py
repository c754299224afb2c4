"""The operator's commands on a deployed stage, against moto."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from infra.cli.errors import CommandError
from infra.cli.main import app
from tests.aws import CREDENTIALS

STEPS = "arn:aws:states:us-east-1:123456789012:stateMachine:terrafusion-dev-sync"
FUNCTIONS = ("sync-plan", "reporting-task", "jobs-settle")


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account with some functions, queues, machine and schedules of the stage dev."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws(config={"lambda": {"use_docker": False}}):
        role = boto3.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        for name in FUNCTIONS:
            boto3.client("lambda").create_function(
                FunctionName=f"terrafusion-dev-{name}",
                Runtime="python3.13",
                Role=role,
                Handler="a.b",
                Code={"ZipFile": _zip()},
            )
        for name in ("sync", "jobs", "webhooks"):
            boto3.client("sqs").create_queue(QueueName=f"terrafusion-dev-{name}-dead-letters")
        boto3.client("stepfunctions").create_state_machine(
            name="terrafusion-dev-sync",
            roleArn=role,
            definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
        )
        scheduler = boto3.client("scheduler")
        scheduler.create_schedule_group(Name="terrafusion-dev-syncs")
        for name in ("king_wa", "king_wa.snapshot", "king_wa_2"):
            scheduler.create_schedule(
                Name=name,
                GroupName="terrafusion-dev-syncs",
                State="ENABLED",
                ScheduleExpression="cron(0 4 * * ? *)",
                ScheduleExpressionTimezone="America/Los_Angeles",
                FlexibleTimeWindow={"Mode": "OFF"},
                Target={"Arn": STEPS, "RoleArn": role, "Input": json.dumps({"county_id": name})},
            )
        yield


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.py", "")
    return buffer.getvalue()


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def _reserved(name: str) -> Any:
    concurrency = boto3.client("lambda").get_function_concurrency(FunctionName=f"terrafusion-dev-{name}")
    return concurrency.get("ReservedConcurrentExecutions")


def test_a_paused_function_is_started_for_nobody_until_it_runs_again_as_it_was_reserved(account: None) -> None:
    boto3.client("lambda").put_function_concurrency(
        FunctionName="terrafusion-dev-reporting-task", ReservedConcurrentExecutions=7
    )

    for _ in range(2):  # idempotent: the second time it is no pause of a pause
        run("pause", "dev", "reporting-task", "syncs")
    assert (_reserved("reporting-task"), _reserved("sync-plan")) == (0, 0)

    run("unpause", "dev", "reporting-task", "syncs")
    assert (_reserved("reporting-task"), _reserved("sync-plan")) == (7, None)
    assert "was not paused" in run("unpause", "dev", "syncs")


def test_a_county_is_paused_by_its_own_schedules(account: None) -> None:
    def states() -> dict[str, str]:
        return {s["Name"]: s["State"] for s in boto3.client("scheduler").list_schedules()["Schedules"]}

    before = boto3.client("scheduler").get_schedule(Name="king_wa", GroupName="terrafusion-dev-syncs")

    assert "2 schedules" in run("pause", "dev", "--county", "king_wa")
    assert states() == {"king_wa": "DISABLED", "king_wa.snapshot": "DISABLED", "king_wa_2": "ENABLED"}

    run("unpause", "dev", "--county", "king_wa")
    assert set(states().values()) == {"ENABLED"}
    after = boto3.client("scheduler").get_schedule(Name="king_wa", GroupName="terrafusion-dev-syncs")
    assert (before["Target"], before["ScheduleExpression"]) == (after["Target"], after["ScheduleExpression"])


def test_what_is_to_be_paused_has_to_exist(account: None) -> None:
    with pytest.raises(CommandError, match=r"no function reports: there are .*, and syncs, jobs, api"):
        run("pause", "dev", "reports")
    with pytest.raises(CommandError, match="name functions"):
        run("pause", "dev")


def _send(queue: str, body: dict[str, Any], **attributes: str) -> None:
    sqs = boto3.client("sqs")
    sqs.send_message(
        QueueUrl=sqs.get_queue_url(QueueName=f"terrafusion-dev-{queue}-dead-letters")["QueueUrl"],
        MessageBody=json.dumps(body),
        MessageAttributes={n: {"DataType": "String", "StringValue": v} for n, v in attributes.items()},
    )


def test_undelivered_events_are_listed_and_delivered_again(account: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.awslambda_simple.models import LambdaSimpleBackend

    invoked = []

    def invoke(_backend: Any, name: str, _qualifier: Any, body: str, *_headers: Any) -> bytes:
        invoked.append((name, json.loads(body)))
        return b""

    monkeypatch.setattr(LambdaSimpleBackend, "invoke", invoke)
    _send("sync", {"county_id": "king_wa", "trigger": "schedule"}, TARGET_ARN=STEPS, ERROR_MESSAGE="throttled")
    settle = "arn:aws:lambda:us-east-1:123456789012:function:terrafusion-dev-jobs-settle"
    context = {"functionArn": f"{settle}:$LATEST", "condition": "RetriesExhausted"}
    error = {"errorType": "DatabaseUnavailable", "errorMessage": "the database does not answer"}
    _send("jobs", {"requestContext": context, "requestPayload": {"detail": 1}, "responsePayload": error})

    listed = run("dead-letters", "dev")
    assert "throttled" in listed
    assert "DatabaseUnavailable: the database does not answer" in listed
    assert not invoked

    for url in boto3.client("sqs").list_queues()["QueueUrls"]:  # those that were looked at are hidden for a minute
        boto3.client("sqs").purge_queue(QueueUrl=url)
    _send("sync", {"county_id": "king_wa", "trigger": "schedule"}, TARGET_ARN=STEPS, ERROR_MESSAGE="throttled")
    _send("jobs", {"requestContext": context, "requestPayload": {"detail": 1}, "responsePayload": error})
    assert "2 delivered again" in run("dead-letters", "dev", "--redrive")

    (execution,) = boto3.client("stepfunctions").list_executions(stateMachineArn=STEPS)["executions"]
    started = boto3.client("stepfunctions").describe_execution(executionArn=execution["executionArn"])
    assert json.loads(started["input"]) == {"county_id": "king_wa", "trigger": "schedule"}
    assert invoked == [(settle, {"detail": 1})]
    assert "No event is undelivered" in run("dead-letters", "dev")


def test_a_countys_secret_is_put_where_its_stage_reads_it(account: None, tmp_path: Path) -> None:
    address = tmp_path / "source.json"
    address.write_text("{}")

    for stage in ("dev", "prod", "prod"):
        run("county", "source", "terrafusion/king_wa/source", str(address), "--deployed", stage)

    names = {secret["Name"] for secret in boto3.client("secretsmanager").list_secrets()["SecretList"]}
    assert names == {"terrafusion/king_wa/source", "terrafusion-prod/king_wa/source"}
