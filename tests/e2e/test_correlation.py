"""One identifier leads from a request through everything that it starts: the logs of gateway, functions and tasks, the
state machine, and the database's sessions."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Connection, text

from infra.cli.session import local_client
from shared.db.engine import make_engine
from shared.db.roles import APPLICATION_ROLE
from tests.e2e.conftest import Platform
from tests.polling import eventually

COUNTY = "lucas_oh"


@pytest.fixture
def sessions(platform: Platform) -> Iterator[Connection]:
    """A connection as the functions' own role, which sees its own sessions."""
    secrets = local_client("secretsmanager", platform.data_dir)
    values = [secrets.get_secret_value(SecretId=s["ARN"])["SecretString"] for s in secrets.list_secrets()["SecretList"]]
    (secret,) = [json.loads(value) for value in values if APPLICATION_ROLE in value]
    address = (secret["host"], secret["port"], secret["dbname"])
    engine = make_engine(
        URL.create("postgresql", APPLICATION_ROLE, secret["password"], *address, {"sslmode": "disable"})
    )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection
    engine.dispose()


def _lines(log: Path, identifier: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines() if identifier in line and line.startswith("{")]


def test_one_identifier_goes_from_the_gateway_to_the_log_of_each_task_and_to_sql(
    platform: Platform, sessions: Connection
) -> None:
    with platform.signed_in("itadmin") as client:
        submitted = client.post(f"/v1/counties/{COUNTY}/sync-runs", json={"mode": "full"})
        assert submitted.status_code == 202, submitted.text
        identifier, run = submitted.headers["x-amzn-requestid"], submitted.json()
        names: set[str] = set()
        until = time.monotonic() + 120
        while client.get(run["links"]["self"]).json()["status"] in ("pending", "running"):
            assert time.monotonic() < until
            for _ in range(20):
                names |= set(sessions.scalars(text("SELECT application_name FROM pg_stat_activity")))
                time.sleep(0.005)

    logs = platform.data_dir / "logs"
    assert f"terrafusion {identifier}" in names
    assert eventually(lambda: bool(_lines(logs / "requests.jsonl", identifier)))
    (request,) = _lines(logs / "requests.jsonl", identifier)
    assert (request["request_id"], request["status"]) == (identifier, 202)
    (accepted,) = [line for line in _lines(logs / "api.log", identifier) if line.get("message") == "job accepted"]
    assert (accepted["correlation_id"], accepted["job_id"]) == (identifier, run["id"])
    tasks = _lines(logs / "functions.log", identifier)
    assert {(line["correlation_id"], line["work_id"]) for line in tasks if "message" in line} == {
        (identifier, run["id"])
    }
    states = local_client("stepfunctions", platform.data_dir)
    machines = states.list_state_machines()["stateMachines"]
    (machine,) = [m["stateMachineArn"] for m in machines if m["name"].endswith("-sync")]
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{run['id']}"
    assert json.loads(states.describe_execution(executionArn=execution)["input"])["correlation_id"] == identifier
