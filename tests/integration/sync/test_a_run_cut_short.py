"""A run that is killed anywhere ends in the same data as an undisturbed one."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from functions.sync import tasks
from functions.sync.schemas import SyncRequest
from functions.sync.service import requests
from shared import storage
from shared.access import Caller
from shared.db.driver import PreparingConnection
from shared.problems import Conflict
from tests.integration.sync.county import COUNTY, County

CALLER = Caller("sub", "somebody", frozenset({COUNTY}), frozenset())

CHANGES = """
UPDATE parcel SET value = '7' WHERE id = 42;
UPDATE parcel SET kept = false WHERE id = 7;
UPDATE parcel SET kept = true WHERE id = 8;
UPDATE parcel SET built = '2999' WHERE id = 250;
INSERT INTO parcel (id, pin, class, built, value) VALUES (301, 'P301', 'R', '2000', '5');
DELETE FROM sale WHERE parcel_id = 3
"""


class Killed(BaseException):
    """Not an Exception: nothing in the code can have caught it."""


@contextmanager
def killed_at(operation: int | None) -> Iterator[None]:
    """Kill at the n-th statement or object that is written; half of the time just after it was done."""
    left = [operation]

    def watched(original: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            if left[0] is None:
                return original(*args, **options)
            left[0] -= 1
            if left[0] == 0 and operation is not None and operation % 2:
                raise Killed
            result = original(*args, **options)
            if left[0] == 0:
                raise Killed
            return result

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("execute_simple", "execute_unnamed", "execute_prepared"):
            patch.setattr(PreparingConnection, name, watched(getattr(PreparingConnection, name)))
        patch.setattr(storage, "put", watched(storage.put))
        try:
            yield
        finally:
            left[0] = None  # what a dying process would have left to the server: the rollback


def final_state(county: County) -> dict[str, Any]:
    return {
        "parcels": sorted(
            county.query(
                "SELECT property_id, total_value, year_built, version, retired_at IS NOT NULL"
                " FROM properties_operational"
            )
        ),
        "history": sorted(
            county.query(
                "SELECT property_id, total_value, version, retired_at IS NOT NULL FROM properties_operational_history"
            )
        ),
        "sales": sorted(county.query("SELECT sale_id, version, retired_at IS NOT NULL FROM sales")),
        "staging": county.query("SELECT relname FROM pg_class WHERE relnamespace = 'staging'::regnamespace"),
        "active": county.query("SELECT run_id FROM sync_runs WHERE active"),
    }


def expected_state() -> dict[str, Any]:
    """Worked out by hand from what the test does to the source."""
    parcels = {i: (Decimal(f"{i}000.50"), 1900 + i % 100, 1, False) for i in range(1, 301) if i != 150}
    parcels[42] = (Decimal("7.00"), 1942, 2, False)
    parcels[7] = (*parcels[7][:2], 2, True)
    parcels[8] = (*parcels[8][:2], 3, False)
    parcels[301] = (Decimal("5.00"), 2000, 1, False)
    return {
        "parcels": [(f"{i:06}", *row) for i, row in sorted(parcels.items())],
        "history": [
            ("000007", Decimal("7000.50"), 1, False),
            ("000008", Decimal("8000.50"), 1, False),
            ("000008", Decimal("8000.50"), 2, True),
            ("000042", Decimal("42000.50"), 1, False),
        ],
        "sales": [(f"{i:06}-{s:06}", 2 if i == 3 else 1, i == 3) for i in range(1, 121) for s in (1, 2)],
        "staging": [],
        "active": [],
    }


def prepare(county: County) -> str:
    """Two runs behind it, changes in the source, and a run that was asked for."""
    county.sync()
    county.change("UPDATE parcel SET kept = false WHERE id = 8")
    county.sync()
    county.change(CHANGES)
    return str(requests.start(COUNTY, SyncRequest(), caller=CALLER, idempotency_key=None).id)


def walk(county: County, run_id: str) -> None:
    county.go_on(county.plan(run_id=run_id))


@pytest.mark.parametrize("seed", range(10))
def test_a_run_that_is_killed_again_and_again_ends_like_an_undisturbed_one(county: County, seed: int) -> None:
    run_id = prepare(county)
    chance = random.Random(seed)  # noqa: S311 - a test's dice
    kills = 0
    for _ in range(3):
        try:
            with killed_at(chance.randint(1, 150)):
                walk(county, run_id)
        except Killed:
            kills += 1
            if chance.random() < 0.5:  # the state machine saw it; otherwise it died as well
                county.fail(run_id, TimeoutError("States.Timeout"))
        if county.job(run_id)[0] == "succeeded":
            break
        requests.resume(COUNTY, UUID(run_id), CALLER)
    if county.job(run_id)[0] != "succeeded":
        walk(county, run_id)

    assert kills > 0
    assert final_state(county) == expected_state()
    rejected = county.query("SELECT source_key FROM rejected_rows WHERE run_id = CAST(:id AS uuid)", id=run_id)
    assert rejected == [("250",)]
    assert county.sync()[1] == "unchanged"


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
