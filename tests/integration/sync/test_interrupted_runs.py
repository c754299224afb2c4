"""Interrupted runs: their remains, their resumption and their failure."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import boto3
import pytest
from pg8000.exceptions import DatabaseError

from functions.sync import failure
from functions.sync.schemas.runs import SyncRequest, SyncRun
from functions.sync.service import commands, run_views
from functions.sync.tasks import machine
from shared.access import Caller
from shared.db.engine import make_engine
from shared.jobs import executions, lifecycle
from shared.problems import Conflict, SourceRefused
from shared.settings import settings
from tests.conftest import MigratedDatabase
from tests.integration.sync.county import COUNTY, County, call
from tests.polling import eventually

CALLER = Caller("sub", "somebody", frozenset({COUNTY}), frozenset())


def at_once(act: Callable[[], SyncRun]) -> list[str]:
    """The answers of five concurrent callers while executions start slowly: a status, or a slug."""
    start = executions.start

    def slowly(*given: Any) -> None:
        time.sleep(0.1)
        start(*given)

    def answered(_: int) -> str:
        try:
            return act().status
        except Conflict as problem:
            return problem.slug

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(5) as pool:
        patch.setattr(executions, "start", slowly)
        return list(pool.map(answered, range(5)))


def executions_of(run_id: str) -> int:
    listed = boto3.client("stepfunctions").list_executions(stateMachineArn=settings().sync_state_machine_arn)
    return sum(execution["name"].startswith(run_id) for execution in listed["executions"])


@pytest.mark.parametrize("status", ["running", "failed"])
def test_of_several_who_resume_a_run_of_yesterday_at_once_one_does(county: County, status: str) -> None:
    run_id = county.plan()["run_id"]
    gone = settings().sync_state_machine_arn.replace(":stateMachine:", ":execution:") + ":gone"
    county.query(
        "UPDATE jobs SET execution_arn = :arn, created_at = now() - interval '1 day', execution_named_at = NULL"
        " RETURNING 1",
        arn=gone,
    )
    if status == "failed":
        failure.fail_orphaned_active_run(COUNTY)
    before = executions_of(run_id)

    answers = at_once(lambda: commands.resume(COUNTY, UUID(run_id), CALLER))

    assert sorted(answers) == ["running", *["sync-run-under-way"] * 4]
    assert executions_of(run_id) == before + 1
    with pytest.raises(Conflict, match="not finished"):  # it is a run of this minute, and nobody takes its place
        commands.start(COUNTY, SyncRequest(), caller=CALLER, idempotency_key=None)


def test_an_approval_of_a_run_of_yesterday_that_several_send_at_once_starts_it_once(county: County) -> None:
    county.sync()
    county.change("UPDATE sale SET price = '7' WHERE parcel_id = 1")
    run_id, _ = county.sync(validate_only=True)
    county.query("UPDATE jobs SET created_at = now() - interval '1 day', execution_named_at = NULL RETURNING 1")
    before = executions_of(run_id)

    assert at_once(lambda: commands.approve(COUNTY, UUID(run_id), CALLER)) == ["running"] * 5

    assert executions_of(run_id) == before + 1
    assert county.job(run_id) == ("running", None)


def test_finished_partitions_of_a_killed_run_are_not_read_again(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = county.plan()
    items = county.items(planned)
    county.partition(planned["run_id"], items[0])
    with pytest.raises(Conflict, match="under way"):
        commands.resume(COUNTY, UUID(planned["run_id"]), CALLER)
    monkeypatch.setattr(lifecycle, "START_GRACE", timedelta(0))
    machine = settings().sync_state_machine_arn.replace(":stateMachine:", ":execution:")
    county.query("UPDATE jobs SET execution_arn = :arn RETURNING 1", arn=f"{machine}:gone")
    commands.resume(COUNTY, UUID(planned["run_id"]), CALLER)

    again = county.plan(run_id=planned["run_id"])

    done = county.query(
        "SELECT table_name, partition_no FROM sync_partitions WHERE status = 'done' AND run_id = CAST(:id AS uuid)",
        id=planned["run_id"],
    )
    assert done == [(items[0]["table_name"], items[0]["partition_no"])]
    assert county.items(again) == items
    assert county.go_on(again) == "apply"


def test_a_failed_run_releases_the_county_for_the_next_one(county: County) -> None:
    planned = county.plan()
    county.partition(planned["run_id"], county.items(planned)[0])
    county.fail(planned["run_id"], RuntimeError("anything"))

    status, error = county.job(planned["run_id"])
    assert (status, error) == (
        "failed",
        {"type": "task-failed", "detail": "A task failed (RuntimeError); see its log."},
    )
    assert county.query("SELECT count(*) FROM properties_operational") == [(0,)]
    assert county.state()["staging"] == []
    assert county.sync()[1] == "apply"


def test_a_failing_partition_fails_its_run_with_its_key_range_named(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = county.plan()
    poisoned = county.items(planned)[1]
    county.change("ALTER TABLE parcel RENAME COLUMN kept TO gone")

    with pytest.raises(SourceRefused):
        county.partition(planned["run_id"], poisoned)
    county.fail(planned["run_id"], type("States", (Exception,), {})("States.ExceedToleratedFailureThreshold"))

    _, error = county.job(planned["run_id"])
    assert error is not None
    assert error["type"] == "partition-failed"
    assert error["detail"].startswith("partition 2 of properties_operational (keys after 100 up to 200)")
    assert 'column "kept" does not exist' in error["detail"]


def test_tasks_of_a_cancelled_run_notice_and_stop(county: County) -> None:
    planned = county.plan()
    items = county.items(planned)
    county.partition(planned["run_id"], items[0])
    commands.cancel(COUNTY, UUID(planned["run_id"]), CALLER)

    with pytest.raises(Conflict, match="cancelled"):
        county.partition(planned["run_id"], items[1])
    with pytest.raises(Conflict, match="cancelled"):
        county.step(machine.apply, planned["run_id"])
    county.fail(planned["run_id"], Conflict("cancelled"))

    assert county.job(planned["run_id"])[0] == "cancelled"
    assert county.query("SELECT count(*) FROM properties_operational") == [(0,)]
    assert county.state()["staging"] == []


def test_a_run_that_was_applied_and_not_published_is_published_by_resuming_it(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = county.plan()
    for item in county.items(planned):
        county.partition(planned["run_id"], item)
    county.step(machine.reconcile, planned["run_id"])
    county.step(machine.apply, planned["run_id"])
    county.fail(planned["run_id"], RuntimeError("no publishing"))
    assert county.job(planned["run_id"])[0] == "failed"
    before = county.row_versions()

    commands.resume(COUNTY, UUID(planned["run_id"]), CALLER)
    again = county.plan(run_id=planned["run_id"])

    assert county.items(again) == []
    assert county.go_on(again) == "apply"
    assert county.job(planned["run_id"])[0] == "succeeded"
    assert county.row_versions() == before
    assert county.object_keys("curated/latest.json")


def test_a_run_is_applied_by_the_database_without_a_waiting_client(
    county: County, database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_LOCK_TIMEOUT_S", 1)
    run_id = _reconciled(county)
    with _held(database, "properties_operational"):
        left = _apply(county, run_id, left=0)
        still = _apply(county, run_id, left=1)
        # an execution that takes the run up goes on to wait, and nobody can cancel what is being written
        resumed = county.step(machine.reconcile, run_id)
        with pytest.raises(Conflict, match="try again") as busy:
            commands.cancel(COUNTY, UUID(run_id), CALLER)
    assert (left, still) == ({"outcome": "applying", "left": 1}, {"outcome": "applying", "left": 1})
    assert resumed["outcome"] == "apply"
    assert busy.value.slug == "sync-run-busy"

    assert eventually(lambda: _apply(county, run_id, left=1) == {"outcome": "applied", "left": 1})

    county.publish(run_id)
    assert county.query("SELECT count(*), min(valid_from) = max(valid_from) FROM properties_operational") == [
        (299, True)
    ]
    assert county.state()["staging"] == []
    assert county.job(run_id)[0] == "succeeded"


def test_a_transaction_that_fails_after_a_handoff_is_begun_again(county: County, database: MigratedDatabase) -> None:
    run_id = _reconciled(county)
    with _held(database, "properties_operational"):
        assert _apply(county, run_id, left=0)["outcome"] == "applying"
        county.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        assert eventually(lambda: _apply(county, run_id, left=1) == {"outcome": "applying", "left": 2})

    assert eventually(lambda: _apply(county, run_id, left=2)["outcome"] == "applied")
    assert county.query("SELECT count(*) FROM properties_operational") == [(299,)]


def test_a_transaction_that_fails_after_every_handoff_fails_the_run(county: County) -> None:
    run_id = _reconciled(county)

    with pytest.raises(Conflict, match="3 times") as given_up:
        _apply(county, run_id, left=3)
    county.fail(run_id, given_up.value)

    assert county.query("SELECT count(*) FROM properties_operational") == [(0,)]
    commands.resume(COUNTY, UUID(run_id), CALLER)
    assert county.go_on(county.plan(run_id=run_id)) == "apply"


def test_of_a_statement_that_fails_nothing_is_applied(county: County, database: MigratedDatabase) -> None:
    run_id = _reconciled(county)
    with make_engine(database.owner_url).begin() as owner:
        owner.exec_driver_sql("ALTER TABLE sales ADD CONSTRAINT refused CHECK (sale_id <> '000005-000001') NOT VALID")

    with pytest.raises(DatabaseError, match="refused"):
        county.step(machine.apply, run_id)

    assert county.query("SELECT count(*) FROM properties_operational") == [(0,)]
    assert county.query("SELECT count(*) FROM audit_events WHERE action = 'sync.applied'") == [(0,)]
    assert county.query("SELECT applied_at FROM sync_runs") == [(None,)]


def _reconciled(county: County) -> str:
    """A run up to Reconcile."""
    planned = county.plan()
    for item in county.items(planned):
        county.partition(planned["run_id"], item)
    assert county.step(machine.reconcile, planned["run_id"])["outcome"] == "apply"
    run_id: str = planned["run_id"]
    return run_id


def _apply(county: County, run_id: str, *, left: int) -> dict[str, Any]:
    """Apply in a Lambda that waits a second."""
    return call(machine.apply, {"county_id": COUNTY, "run_id": run_id, "left": left}, seconds=61)


@contextmanager
def _held(database: MigratedDatabase, table: str) -> Iterator[None]:
    """Lock a table against writes."""
    with make_engine(database.owner_url).connect() as owner:
        owner.exec_driver_sql(f"LOCK TABLE {table} IN SHARE MODE")
        yield
        owner.rollback()


def test_an_orphaned_run_is_failed_and_releases_its_county(county: County) -> None:
    planned = county.plan()
    county.partition(planned["run_id"], county.items(planned)[0])

    county.end_execution(planned["run_id"], "TIMED_OUT", execution_arn="arn:of-an-earlier-one")
    assert county.job(planned["run_id"])[0] == "running"
    county.end_execution(planned["run_id"], "TIMED_OUT")

    status, error = county.job(planned["run_id"])
    assert error is not None
    assert (status, error["type"]) == ("failed", "timed-out")
    assert county.state()["staging"] == []
    assert county.sync()[1] == "apply"


def test_an_orphaned_run_does_not_keep_the_next_one_from_starting(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "START_GRACE", timedelta(0))
    lost = commands.start(COUNTY, SyncRequest(), caller=CALLER, idempotency_key="one")
    with pytest.raises(Conflict, match="not finished"):
        commands.start(COUNTY, SyncRequest(), caller=CALLER, idempotency_key="two")
    county.query("UPDATE jobs SET execution_arn = execution_arn || '-gone' RETURNING 1")

    second = commands.start(COUNTY, SyncRequest(), caller=CALLER, idempotency_key="two")

    status, error = county.job(str(lost.id))
    assert error is not None
    assert (status, error["type"]) == ("failed", "interrupted")
    assert second.status == "pending"

    county.query("UPDATE jobs SET execution_arn = execution_arn || '-gone' RETURNING 1")
    assert [run.status for run in run_views.page(COUNTY, status=None, page_size=9, page_token=None).items] == [
        "failed"
    ] * 2


def test_a_cancelled_run_stops_its_execution(county: County) -> None:
    run = commands.start(COUNTY, SyncRequest(), caller=CALLER, idempotency_key=None)

    commands.cancel(COUNTY, run.id, CALLER)

    ((arn,),) = county.query("SELECT execution_arn FROM jobs")
    assert boto3.client("stepfunctions").describe_execution(executionArn=arn)["status"] == "ABORTED"
