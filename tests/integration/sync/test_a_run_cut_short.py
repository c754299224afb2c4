"""What a run that was cut short leaves, and how it goes on."""

from uuid import UUID

import pytest

from functions.sync import tasks
from functions.sync.service import requests
from shared.access import Caller
from shared.problems import Conflict
from tests.integration.sync.county import COUNTY, County

CALLER = Caller("sub", "somebody", frozenset({COUNTY}), frozenset())


def test_what_a_killed_run_had_finished_is_not_done_again(county: County) -> None:
    planned = county.plan()
    items = county.items(planned)
    county.partition(planned["run_id"], items[0])
    requests.resume(COUNTY, UUID(planned["run_id"]), CALLER)

    again = county.plan(run_id=planned["run_id"])

    done = county.query(
        "SELECT table_name, partition_no FROM sync_partitions WHERE status = 'done' AND run_id = CAST(:id AS uuid)",
        id=planned["run_id"],
    )
    assert done == [(items[0]["table_name"], items[0]["partition_no"])]
    assert county.items(again) == items
    assert county.go_on(again) == "apply"


def test_a_failed_run_leaves_the_county_free_for_the_next_one(county: County) -> None:
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


def test_a_poisoned_partition_fails_its_run_with_its_key_range_named(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = county.plan()
    poisoned = county.items(planned)[1]
    county.change("ALTER TABLE parcel RENAME COLUMN kept TO gone")

    with pytest.raises(tasks.RetryableError):
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
    requests.cancel(COUNTY, UUID(planned["run_id"]), CALLER)

    with pytest.raises(Conflict, match="cancelled"):
        county.partition(planned["run_id"], items[1])
    with pytest.raises(Conflict, match="cancelled"):
        county.step(tasks.apply, planned["run_id"])
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
    county.step(tasks.reconcile, planned["run_id"])
    county.step(tasks.apply, planned["run_id"])
    county.fail(planned["run_id"], RuntimeError("no publishing"))
    assert county.job(planned["run_id"])[0] == "failed"
    before = county.row_versions()

    requests.resume(COUNTY, UUID(planned["run_id"]), CALLER)
    again = county.plan(run_id=planned["run_id"])

    assert county.items(again) == []
    assert county.go_on(again) == "apply"
    assert county.job(planned["run_id"])[0] == "succeeded"
    assert county.row_versions() == before
    assert county.object_keys("curated/latest.json")
