"""A killed local cloud: what a restart has, and what it has not."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from infra.local.aws.clients import Clients
from tests.integration.local_cloud.processes import wait_until_ended
from tests.integration.local_cloud.sample_template import write_assembly
from tests.integration.local_cloud.test_cloud import bearer, sign_in

PROCESS = "tests.integration.local_cloud.serving_process"


@dataclass
class Serving:
    """A local cloud in another process."""

    process: subprocess.Popen[bytes]
    url: str
    clients: Clients
    users: dict[str, str]

    def family(self) -> list[psutil.Process]:
        """The process and all that it started."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def end(self, sent: signal.Signals) -> int:
        """Sends a signal and waits until the process and all that it started have ended."""
        family = self.family()
        self.process.send_signal(sent)
        self.process.communicate(timeout=30)
        assert wait_until_ended(family) == []
        return self.process.returncode


@dataclass
class Directory:
    """A data directory, and the clouds that were started on it."""

    data: Path
    assembly: Path
    started: list[subprocess.Popen[bytes]]

    def spawn(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", PROCESS, str(self.data), str(self.assembly)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        )
        self.started.append(process)
        return process

    def serve(self) -> Serving:
        process = self.spawn()
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1].decode()
        record = json.loads(line)
        return Serving(process, record["url"], Clients(record["endpoint"]), record["users"])


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    made = Directory(tmp_path / "data", write_assembly(tmp_path / "assembly"), [])
    yield made
    for process in made.started:
        process.kill()
        process.communicate()


def put_something_of_each_kind(serving: Serving) -> str:
    """An object, a secret, a schedule and a user; the bucket's name."""
    s3 = serving.clients("s3")
    bucket = str(s3.list_buckets()["Buckets"][0]["Name"])
    s3.put_object(
        Bucket=bucket, Key="kept/a.txt", Body=b"kept", ContentType="text/plain", Metadata={"run": "7"}, Tagging="a=b"
    )
    s3.put_object(Bucket=bucket, Key="kept/b.txt", Body=b"deleted")
    s3.delete_object(Bucket=bucket, Key="kept/b.txt")
    serving.clients("secretsmanager").create_secret(Name="terrafusion/king_wa/source", SecretString="hidden")
    serving.clients("scheduler").create_schedule(
        Name="king_wa",
        GroupName="tf-syncs",
        ScheduleExpression="cron(0 2 * * ? *)",
        ScheduleExpressionTimezone="America/Los_Angeles",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:states:::x", "RoleArn": "arn:aws:iam::123456789012:role/x", "Input": "{}"},
    )
    cognito = serving.clients("cognito-idp")
    pool = cognito.list_user_pools(MaxResults=1)["UserPools"][0]["Id"]
    cognito.admin_create_user(UserPoolId=pool, Username="new", UserAttributes=[{"Name": "email", "Value": "n@x.test"}])
    cognito.admin_set_user_password(UserPoolId=pool, Username="new", Password="Aa1!aaaaaaaa", Permanent=True)
    cognito.admin_add_user_to_group(UserPoolId=pool, Username="new", GroupName="Auditor")
    return bucket


def start_long_run(serving: Serving, bucket: str) -> None:
    """Starts an execution and waits until its task runs."""
    states = serving.clients("stepfunctions")
    machine = states.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    given = json.dumps({"run": "long", "items": 1, "how": "hangs"})
    states.start_execution(stateMachineArn=machine, name="long", input=given)
    wait_for(serving, bucket, "runs/long/started-0")


def wait_for(serving: Serving, bucket: str, key: str) -> None:
    deadline = time.monotonic() + 20
    while not serving.clients("s3").list_objects_v2(Bucket=bucket, Prefix=key).get("Contents"):
        assert time.monotonic() < deadline, f"{key} was never written"
        time.sleep(0.05)


def refreshed(serving: Serving, tokens: dict[str, str]) -> Any:
    return serving.clients("cognito-idp").initiate_auth(
        ClientId=tokens["client"],
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]},
    )["AuthenticationResult"]


def test_a_killed_cloud_leaves_no_process_and_comes_back_with_everything(directory: Directory) -> None:
    first = directory.serve()
    bucket = put_something_of_each_kind(first)
    tokens = sign_in(first.clients, "new", "Aa1!aaaaaaaa")
    secrets = [each["ARN"] for each in first.clients("secretsmanager").list_secrets()["SecretList"]]
    start_long_run(first, bucket)

    rival = directory.spawn()
    _, errors = rival.communicate(timeout=30)
    assert rival.returncode == 1
    assert f"in use by process {first.process.pid}" in errors.decode()

    first.end(signal.SIGKILL)

    second = directory.serve()
    kept = second.clients("s3").get_object(Bucket=bucket, Key="kept/a.txt")
    assert kept["Body"].read() == b"kept"
    assert (kept["ContentType"], kept["Metadata"], kept["TagCount"]) == ("text/plain", {"run": "7"}, 1)
    listed = second.clients("s3").list_objects_v2(Bucket=bucket, Prefix="kept/")["Contents"]
    assert [each["Key"] for each in listed] == ["kept/a.txt"]

    manager = second.clients("secretsmanager")
    assert sorted(each["ARN"] for each in manager.list_secrets()["SecretList"]) == sorted(secrets)
    assert manager.get_secret_value(SecretId="terrafusion/king_wa/source")["SecretString"] == "hidden"

    schedule = second.clients("scheduler").get_schedule(GroupName="tf-syncs", Name="king_wa")
    assert schedule["ScheduleExpressionTimezone"] == "America/Los_Angeles"

    assert second.users == first.users
    opened = httpx.get(f"{second.url}/v1/echo/1", headers=bearer(tokens["AccessToken"]))
    assert opened.status_code == 200
    assert refreshed(second, tokens)["AccessToken"]
    again = sign_in(second.clients, "new", "Aa1!aaaaaaaa")
    assert httpx.get(f"{second.url}/v1/echo/1", headers=bearer(again["AccessToken"])).status_code == 200

    wait_for(second, bucket, "runs/long/done-0")  # the execution that the kill cut short began again

    assert second.end(signal.SIGTERM) == 0
