"""`terrafusion doctor`: here on folders and ports that are wrong; in an account against moto, and stubs of the rest."""

import json
import platform
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from typer.testing import CliRunner

from infra.cli import account_checks, machine_checks
from infra.cli.deployed_stage import DeployedStage
from infra.cli.errors import CommandError
from infra.cli.findings import Finding
from infra.cli.main import app
from infra.local.data_directory import DataDirectory
from infra.settings import DEVELOPMENT, StageSettings
from tests.aws import CREDENTIALS

VERSION = "18.4"


def test_a_machine_that_can_run_the_platform_needs_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    result = CliRunner().invoke(app, ["doctor", "--data-dir", str(tmp_path / "data"), "--port", str(free)])

    assert result.exit_code == 0, result.output
    assert "Nothing has to be mended" in result.output
    assert not (tmp_path / "data").exists()


def test_a_port_in_use_ends_the_command_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        result = CliRunner().invoke(app, ["doctor", "--data-dir", str(tmp_path), "--port", str(port)])

        assert result.exit_code == 1
        assert "1 of 10 have to be mended" in result.output
        assert "start with another --port" in result.output
        (tmp_path / "address.json").write_text(json.dumps({"address": f"http://127.0.0.1:{port}"}))
        assert not machine_checks.check_port(port, tmp_path).blocking


def test_a_data_directory_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    other = tmp_path / "other" / "postgres" / "cluster"
    other.mkdir(parents=True)
    (other / "PG_VERSION").write_text("15\n")

    occupied = machine_checks.check_data_directory(tmp_path / "file")
    outdated = machine_checks.check_data_directory(tmp_path / "other")
    with DataDirectory(tmp_path / "used"):
        used = machine_checks.check_data_directory(tmp_path / "used")

    assert occupied.blocking
    assert "another --data-dir" in occupied.remedy
    assert outdated.blocking
    assert "was made by PostgreSQL 15" in outdated.text
    assert not used.blocking
    assert "is in use by process" in used.text


def test_a_full_disk_and_a_foreign_platform_have_to_be_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**9))
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))

    assert machine_checks.check_disk(tmp_path / "data").blocking
    assert machine_checks.check_wheels().blocking


class _Account(DeployedStage):
    """The stage dev in moto's account, with answers of our own where moto has none."""

    def __init__(self, *, executions: int = 1000, versions: tuple[str, ...] = (VERSION,), addresses: int = 5) -> None:
        super().__init__("dev")
        options = [{"EngineVersion": VERSION}] if VERSION in versions else []
        self._answers: dict[str, list[tuple[str, dict[str, Any]]]] = {
            "lambda": [("get_account_settings", {"AccountLimit": {"ConcurrentExecutions": executions}})],
            "rds": [
                ("describe_orderable_db_instance_options", {"OrderableDBInstanceOptions": options}),
                ("describe_db_engine_versions", {"DBEngineVersions": [{"EngineVersion": v} for v in versions]}),
            ],
            "service-quotas": [("get_service_quota", {"Quota": {"Value": float(addresses)}})],
        }

    def _client(self, service: Any) -> Any:
        client = super()._client(service)
        if service in self._answers:
            stub = Stubber(client)
            for method, answer in self._answers[service]:
                stub.add_response(method, answer)
            stub.activate()
        return client

    def findings(self, settings: StageSettings = DEVELOPMENT) -> dict[str, Finding]:
        return {finding.check: finding for finding in account_checks.check_account(self, settings, VERSION)}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def _bootstrap(version: str) -> None:
    boto3.client("ssm").put_parameter(
        Name="/cdk-bootstrap/hnb659fds/version", Value=version, Type="String", Overwrite=True
    )


def test_an_account_that_takes_the_stage_needs_nothing(account: None) -> None:
    _bootstrap("21")
    topic = boto3.client("sns").create_topic(Name="terrafusion-dev-alarms")["TopicArn"]
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="it@example.gov")

    findings = _Account().findings()

    assert [finding for finding in findings.values() if finding.blocking or finding.remedy] == []
    assert findings["Alarms' e-mail"].text == "it@example.gov"


def test_a_new_account_is_told_each_thing_to_do(account: None) -> None:
    for _ in range(5):
        boto3.client("ec2").allocate_address()
    wishes = replace(
        DEVELOPMENT, account="111122223333", region="us-east-1", availability_zones=("us-east-1a", "us-east-1z")
    )

    findings = _Account(executions=10, versions=("18.3", "17.9")).findings(wishes)

    blocking = {name for name, finding in findings.items() if finding.blocking}
    assert blocking == {"Account", "Concurrent executions", "Aurora", "CDK bootstrap", "Zones", "Elastic IPs"}
    assert findings["Aurora"].remedy.endswith("to one of 18.3")
    assert all(finding.remedy for finding in findings.values() if finding.blocking)


def test_what_a_stage_reserves_has_to_be_in_the_accounts_quota(account: None) -> None:
    wishes = replace(DEVELOPMENT, reserved_concurrency={"auth": 20}, max_function_mb=4096)

    findings = _Account(executions=110).findings(wishes)

    assert "20 cannot be reserved" in findings["Concurrent executions"].text
    assert not findings["Memory of functions"].blocking
    assert "set max_function_mb to 3008" in findings["Memory of functions"].remedy


def test_the_addresses_that_a_stage_has_count_for_it(account: None) -> None:
    ec2 = boto3.client("ec2")
    tags = [{"Key": "project", "Value": "terrafusion"}, {"Key": "stage", "Value": "dev"}]
    ec2.create_tags(Resources=[ec2.allocate_address()["AllocationId"]], Tags=tags)

    assert not _Account(addresses=1).findings()["Elastic IPs"].blocking


def test_an_address_that_has_not_confirmed_hears_no_alarm(account: None) -> None:
    class Pending(_Account):
        def _client(self, service: Any) -> Any:
            client = super()._client(service)
            if service == "sns":
                stub = Stubber(client)
                pending = {"SubscriptionArn": "PendingConfirmation", "Endpoint": "it@example.gov"}
                stub.add_response("list_subscriptions_by_topic", {"Subscriptions": [pending]})
                stub.activate()
            return client

    finding = Pending().findings()["Alarms' e-mail"]

    assert finding.blocking
    assert finding.text == "not confirmed: it@example.gov"


@pytest.mark.parametrize(
    ("verified", "production", "text"),
    [
        (None, True, "SES has not verified example.gov"),
        (False, True, "SES has not verified example.gov"),
        (True, False, "SES is in its sandbox: only verified addresses get mail"),
        (True, True, "no-reply@example.gov: 50,000 a day"),
    ],
)
def test_the_sender_of_mails_to_users_may_send(
    account: None, verified: bool | None, production: bool, text: str
) -> None:
    class Sending(_Account):
        def _client(self, service: Any) -> Any:
            client = super()._client(service)
            if service == "sesv2":
                stub = Stubber(client)
                if verified is None:
                    stub.add_client_error("get_email_identity", "NotFoundException")
                else:
                    stub.add_response("get_email_identity", {"VerifiedForSendingStatus": verified})
                quota = {"Max24HourSend": 50_000.0}
                stub.add_response("get_account", {"ProductionAccessEnabled": production, "SendQuota": quota})
                stub.activate()
            return client

    finding = Sending().findings(replace(DEVELOPMENT, mail_sender="no-reply@example.gov"))["Mails to users"]

    assert (finding.text, finding.blocking) == (text, not (verified and production))


def test_a_production_stage_hears_how_many_mails_cognito_sends(account: None) -> None:
    finding = _Account().findings(replace(DEVELOPMENT, production=True))["Mails to users"]

    assert (finding.text, finding.blocking) == ("Cognito sends them: 50 a day", False)
    assert finding.remedy


def test_what_may_not_be_read_is_no_error_of_the_command(account: None) -> None:
    class Refusing(_Account):
        def _client(self, service: Any) -> Any:
            client = DeployedStage._client(self, service)
            if service in ("lambda", "rds", "service-quotas"):
                stub = Stubber(client)
                for method in ("get_account_settings", "describe_orderable_db_instance_options", "get_service_quota"):
                    if hasattr(client, method):
                        stub.add_client_error(method, "AccessDenied")
                stub.activate()
            return client

    findings = Refusing().findings()

    assert {n for n, f in findings.items() if "could not be read" in f.text} == {
        "Concurrent executions",
        "Aurora",
        "Elastic IPs",
    }


def test_nobody_signed_in_and_an_unknown_stage_are_told_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*CREDENTIALS, "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")

    with pytest.raises(CommandError, match="no region is named"):
        DeployedStage("dev").account()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pytest.raises(CommandError, match="nobody is signed in to AWS"):
        DeployedStage("dev").account()
    result = CliRunner().invoke(app, ["doctor", "--deployed", "staging"])
    assert "there is no stage staging; there are dev" in str(result.exception)
