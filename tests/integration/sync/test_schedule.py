"""Runs that a schedule starts."""

import pytest

from functions.sync.handler import handler
from shared.problems import Conflict
from tests.gateway import call, claims_of
from tests.integration.sync.county import COUNTY, County


def test_a_scheduled_run_is_skipped_with_the_reason_while_another_is_active(county: County) -> None:
    active = county.plan()

    tick = county.plan(trigger="schedule")

    assert tick["outcome"] == "skipped"
    status, error = county.job(tick["run_id"])
    assert status == "cancelled"
    assert error is not None
    assert error["type"] == "schedule-skipped"
    assert active["run_id"] in error["detail"]
    assert county.go_on(active) == "apply"
    shown = call(
        handler,
        "GET",
        "/v1/counties/{county_id}/sync-runs",
        path={"county_id": COUNTY},
        query={"status": "cancelled"},
        claims=claims_of(counties=[COUNTY]),
    )
    assert [(run["id"], run["trigger"]) for run in shown.body["items"]] == [(tick["run_id"], "schedule")]


def test_a_tick_that_is_delivered_twice_is_one_run(county: County) -> None:
    county.plan()
    execution = {"id": "arn:tick", "name": "tick"}

    first, again = (county.plan(trigger="schedule", execution=execution) for _ in range(2))

    assert first == again
    assert first["outcome"] == "skipped"
    assert county.query("SELECT count(*) FROM sync_runs") == [(2,)]


def test_a_request_is_refused_where_a_tick_would_be_skipped(county: County) -> None:
    county.plan()

    with pytest.raises(Conflict, match="not finished"):
        county.plan(trigger="request")


def test_a_schedule_names_the_mode_of_its_runs(county: County) -> None:
    county.sync()

    tick = county.plan(trigger="schedule", mode="snapshot")

    assert county.go_on(tick) == "apply"
    ((mode, trigger),) = county.query(
        "SELECT mode, trigger FROM sync_runs WHERE run_id = CAST(:id AS uuid)", id=tick["run_id"]
    )
    assert (mode, trigger) == ("snapshot", "schedule")
