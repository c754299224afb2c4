"""The database is killed while jobs run: the template's machines, the real tasks, a server of the test's own.

Only the delays between the machines' attempts are shortened.
"""

import importlib
import json
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from sqlalchemy import text

from functions.reporting.handler import handler as reporting
from functions.sync.handler import handler as syncing
from functions.valuation.handler import handler as valuation
from infra.functions import REGISTRY
from infra.local.cloud_assembly import Assembly
from infra.local.postgres import LocalPostgres
from infra.local.resource_names import LocalIdentifiers
from infra.local.synthesis import synthesized
from infra.local.template import Template
from shared.appraisal.avm import network
from shared.aws import forget_clients
from shared.db import engine, unit_of_work
from shared.db.driver import PreparingConnection
from shared.db.migrate import upgrade
from shared.jobs import lifecycle
from shared.settings import settings
from tests.aws import CREDENTIALS
from tests.conftest import APPLICATION_PASSWORD, OWNER
from tests.gateway import Handler, LambdaContext, call, claims_of
from tests.integration.evidence_county import COUNTY, add_county, add_evidence
from tests.integration.sync.county import COUNTY as SYNCED
from tests.integration.sync.county import County
from tests.polling import eventually

ENTRIES = {spec.name: spec.entry for spec in REGISTRY}
BOUND_S = 180
"""For a job to end once the database is back, however busy the machine is."""


@dataclass
class Database:
    """The server, which is killed at the n-th statement of a task."""

    server: LocalPostgres
    wanted: threading.Event = field(default_factory=threading.Event)
    dead: threading.Event = field(default_factory=threading.Event)
    back: threading.Event = field(default_factory=threading.Event)
    statements: int = 0

    def kill_at(self, statements: int) -> None:
        """Kill the server at this statement of the next tasks."""
        for event in (self.wanted, self.dead, self.back):
            event.clear()
        self.statements = statements

    def count(self) -> None:
        if self.statements:
            self.statements -= 1
            if not self.statements:
                self.wanted.set()
                assert self.dead.wait(20)

    def killed(self) -> None:
        """Wait until the server has been killed, as the kernel kills a process group that runs out of memory."""
        assert self.wanted.wait(BOUND_S), "no task came so far"
        pid = self.server.pid
        assert pid is not None
        os.killpg(pid, signal.SIGKILL)
        self.dead.set()

    def restart(self) -> None:
        self.server.start()
        self.back.set()


@pytest.fixture(scope="module")
def server() -> Iterator[LocalPostgres]:
    with tempfile.TemporaryDirectory(prefix="terrafusion-killed-") as folder, LocalPostgres(Path(folder)) as made:
        made.create_owner(OWNER, "terrafusion")
        made.create_database("killed")
        upgrade(made.owner_url("killed"), APPLICATION_PASSWORD)
        yield made


@pytest.fixture
def database(server: LocalPostgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    made = Database(server)
    url = server.owner_url("killed").set(username="terrafusion_app", password=APPLICATION_PASSWORD)
    monkeypatch.setenv("DATABASE_SECRET_ARN", "killed")
    monkeypatch.setattr(engine, "database_url", lambda _: url)
    engine.forget_engine()
    for name in ("execute_prepared", "execute_simple"):
        monkeypatch.setattr(PreparingConnection, name, counted(getattr(PreparingConnection, name), made))
    yield made
    engine.forget_engine()


def counted(original: Callable[..., Any], database: Database) -> Callable[..., Any]:
    def run(*args: Any, **options: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():  # a task's, and no request's
            database.count()
        return original(*args, **options)

    return run


@pytest.fixture
def machines(assemblies: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Both machines of the template, whose tasks are the functions themselves, one at a time."""
    one_at_a_time = threading.Lock()

    def invoke(parameters: dict[str, Any], **_: object) -> dict[str, Any]:
        entry = ENTRIES[parameters["FunctionName"].rpartition(":")[2].removeprefix("terrafusion-dev-")]
        module, _dot, name = entry.rpartition(".")
        with one_at_a_time:
            try:
                task = getattr(importlib.import_module(module), name)
                answer = task(json.loads(parameters["Payload"]), LambdaContext())
            except Exception as error:
                failed = {"errorType": type(error).__name__, "errorMessage": str(error)}
                return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": failed}
        return {"StatusCode": 200, "Payload": json.loads(json.dumps(answer))}

    monkeypatch.setattr(lambda_eval_utils, "_invoke_lambda_function", invoke)
    template = Template(Assembly(synthesized(assemblies), LocalIdentifiers()))
    for variable, value in {**CREDENTIALS, "EVENT_BUS_NAME": "bus"}.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        boto3.client("s3").create_bucket(Bucket=template.buckets()[0])
        monkeypatch.setenv("DATA_BUCKET", template.buckets()[0])
        boto3.client("events").create_event_bus(Name="bus")
        for machine in template.state_machines():
            created = boto3.client("stepfunctions").create_state_machine(
                name=machine.name, definition=machine.definition, roleArn="arn:aws:iam::123456789012:role/machine"
            )
            variable = f"{machine.name.rpartition('-')[2].upper()}_STATE_MACHINE_ARN"
            monkeypatch.setenv(variable, created["stateMachineArn"])
        settings.cache_clear()
        forget_clients()
        yield
    settings.cache_clear()
    forget_clients()


@pytest.fixture
def patient(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without waiting: the first attempts find the server dead, the others find it restarted."""
    tried: list[float] = []

    def sleep(seconds: float) -> None:
        tried.append(seconds)
        if len(tried) % 6 == 0:
            database.back.wait(BOUND_S)

    monkeypatch.setattr(retrier_decl, "time", SimpleNamespace(sleep=sleep))


def wait_for_end(look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Poll a job until it has ended."""
    assert eventually(lambda: look()["status"] not in ("pending", "running"), BOUND_S), look()
    return look()


def submit(
    handler: Handler, collection: str, body: object, ids: dict[str, str] | None = None
) -> Callable[[], dict[str, Any]]:
    """POST a job; a function that reads it."""
    resource, path = f"/v1/counties/{{county_id}}/{collection}", {**_of(COUNTY), **(ids or {})}
    made = call(handler, "POST", resource, path=path, body=body)
    assert made.status == 202, made.body
    one, kept = made.body["links"]["self"].rpartition("/")[0].rpartition("/")[2], made.body["id"]
    name = {"reports": "report_id", "valuation-models": "model_id", "valuation-approvals": "approval_id"}.get(
        one, "run_id"
    )
    resource = f"/v1/counties/{{county_id}}/{one}/{{{name}}}"

    def look() -> dict[str, Any]:
        body: dict[str, Any] = call(handler, "GET", resource, path={**_of(COUNTY), name: kept}).body
        return body

    return look


def _of(county_id: str) -> dict[str, str]:
    return {"county_id": county_id}


@contextmanager
def database_killed(database: Database, statements: int) -> Iterator[None]:
    """Kill the database under the job that the block starts, and restart it after the block."""
    database.kill_at(statements)
    yield
    database.killed()
    time.sleep(0.2)
    database.restart()


@pytest.mark.usefixtures("machines", "patient")
def test_every_job_under_way_is_done_once_the_database_is_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "MIN_STEPS", 10)  # what the model is worth is not looked at here
    monkeypatch.setattr(network, "EPOCHS", 1)
    add_county()
    add_evidence()

    with database_killed(database, 6):
        model = submit(valuation, "valuation-models", {"valuation_date": "2023-10-01"})
    trained = wait_for_end(model)
    assert trained["status"] == "succeeded", trained
    promoting: dict[str, Any] = {
        "path": {**_of(COUNTY), "model_id": trained["id"]},
        "body": {"override_reason": "for the test"},
    }
    assert (
        call(valuation, "POST", "/v1/counties/{county_id}/valuation-models/{model_id}/promote", **promoting).status
        == 200
    )

    with database_killed(database, 12):
        run = submit(valuation, "valuation-runs", {"valuation_date": "2023-10-01"})
    valued = wait_for_end(run)
    assert (valued["status"], valued["valued"]) == ("succeeded", 500)

    with database_killed(database, 8):
        approval = submit(valuation, "valuation-runs/{run_id}/approve", {"roll_year": 2024}, {"run_id": valued["id"]})
    assert wait_for_end(approval)["status"] == "succeeded"
    with unit_of_work(COUNTY) as connection:
        assert connection.scalar(text("SELECT count(*) FROM assessments")) == 500

    with database_killed(database, 4):
        report = submit(
            reporting,
            "reports",
            {"report_type": "assessment_roll_summary", "format": "csv", "parameters": {"roll_year": 2024}},
        )
    assert wait_for_end(report)["status"] == "succeeded"


@pytest.mark.usefixtures("machines")
def test_a_job_that_cannot_be_marked_as_failed_is_failed_when_it_is_next_read(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrier_decl, "time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr(lifecycle, "START_GRACE", lifecycle.START_GRACE * 0)
    monkeypatch.setattr(lifecycle, "CHECK_INTERVAL_S", 0)
    request = {"report_type": "assessment_roll_summary", "format": "csv", "parameters": {"roll_year": 2024}}
    database.kill_at(2)
    report = submit(reporting, "reports", request)
    database.killed()
    machine = settings().jobs_state_machine_arn
    assert eventually(
        lambda: (
            not boto3.client("stepfunctions").list_executions(stateMachineArn=machine, statusFilter="RUNNING")[
                "executions"
            ]
        ),
        BOUND_S,
    )

    answered = report()
    assert (answered["status"], answered["type"]) == (503, "urn:terrafusion:problem:database-unavailable")
    database.restart()

    left = wait_for_end(report)
    assert (left["status"], left["error"]["type"]) == ("failed", "database-unavailable")
    assert wait_for_end(submit(reporting, "reports", request))["status"] == "succeeded"


@pytest.mark.usefixtures("machines", "patient")
def test_a_sync_ends_and_the_next_one_starts(
    database: Database, postgres_server: LocalPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.sync.domain.partitioning.PARTITION_ROWS", 100)
    postgres_server.create_database("killed_source")
    county = County(postgres_server.owner_url("killed_source"))
    county.build()
    claims = claims_of(counties=[SYNCED])

    def start() -> Callable[[], dict[str, Any]]:
        runs = "/v1/counties/{county_id}/sync-runs"
        made = call(syncing, "POST", runs, path=_of(SYNCED), body={}, claims=claims)
        assert made.status == 202, made.body
        path = {**_of(SYNCED), "run_id": made.body["id"]}
        return lambda: call(syncing, "GET", runs + "/{run_id}", path=path, claims=claims).body

    for statements in (10, 45):  # before anything is staged, and after
        with database_killed(database, statements):
            run = start()
        ended = wait_for_end(run)
        # what was staged in unlogged tables is gone with a crash, and the run says so
        assert ended["status"] == "succeeded" or ended["error"]["type"] == "staged-rows-lost", ended
    assert wait_for_end(start())["status"] == "succeeded"
    with unit_of_work(SYNCED) as connection:
        assert connection.scalar(text("SELECT count(*) FROM properties_operational")) == 299
    county.close()
    postgres_server.drop_database("killed_source")
