"""Errors and notes of runs, and idempotent requests."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from functions.sync.repository import partitions
from functions.sync.schemas.runs import SyncRequest
from functions.sync.service import commands, run_views
from shared.access import Caller
from shared.db import unit_of_work
from shared.problems import Problem
from tests.integration.sync.county import COUNTY, County

CALLER = Caller("sub", "somebody", frozenset({COUNTY}), frozenset())


@pytest.mark.parametrize(
    "change",
    ["ALTER TABLE sale RENAME COLUMN price TO amount", "ALTER TABLE parcel RENAME COLUMN kept TO stays"],
    ids=["of a table", "within a query"],
)
def test_a_failed_run_names_the_missing_column(county: County, change: str) -> None:
    county.sync()
    county.change(change)
    with pytest.raises(Problem) as failed:
        county.plan()
    error = county.fail(str(uuid4()), failed.value)["error"]
    assert error["type"] == "source-column-missing"
    assert not error["detail"].startswith("source-column-missing")


def test_a_new_column_and_a_changed_type_are_notes_of_the_run(county: County) -> None:
    county.sync()
    county.change(
        "ALTER TABLE sale ADD COLUMN agent text;ALTER TABLE sale ALTER COLUMN price TYPE integer USING price::integer"
    )
    county.change("UPDATE sale SET price = 7 WHERE parcel_id = 1")
    run_id, outcome = county.sync()
    assert outcome == "apply"
    notes = [(item.note, item.table, item.column) for item in run_views.get(COUNTY, UUID(run_id)).notes]
    assert notes == [("new_column", "sales", "agent"), ("changed_type", "sales", "price")]


@pytest.mark.parametrize("mode", ["full", "snapshot"])
def test_a_run_with_validate_only_that_changes_nothing_does_not_wait(county: County, mode: str) -> None:
    county.sync()
    before = county.row_versions()
    run_id, outcome = county.sync(mode=mode, validate_only=True)
    assert (outcome, county.job(run_id)) == ("unchanged", ("succeeded", None))
    assert (county.row_versions(), county.state()["staging"], county.state()["active"]) == (before, [], [])


def test_concurrent_requests_with_one_key_start_one_run_and_are_answered_with_it(county: County) -> None:
    def start(_: int) -> Any:
        return commands.start(COUNTY, SyncRequest(), caller=CALLER, idempotency_key="one").id

    with ThreadPoolExecutor(10) as pool:
        ids = set(pool.map(start, range(10)))
    assert len(ids) == 1
    assert county.query("SELECT count(*) FROM sync_runs") == [(1,)]


def test_an_approval_that_is_sent_again_is_answered_like_the_first(county: County) -> None:
    county.sync()
    county.change("UPDATE sale SET price = '7' WHERE parcel_id = 1")
    run_id, _ = county.sync(validate_only=True)
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: commands.approve(COUNTY, UUID(run_id), CALLER).status, range(5)))
    assert answers == ["running"] * 5


def test_a_run_is_shown_while_it_is_planned_anew_with_other_tables(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another plan is written between reading the run and its partitions: the answer is of one snapshot."""
    planned = county.plan()
    run_id = UUID(planned["run_id"])
    original = partitions.progress

    def meanwhile(*args: Any) -> Any:
        with unit_of_work(COUNTY) as other:
            other.execute(text("UPDATE sync_partitions SET table_name = 'owners' WHERE table_name = 'sales'"))
        return original(*args)

    monkeypatch.setattr(partitions, "progress", meanwhile)
    assert run_views.get(COUNTY, run_id).partitions.total == len(county.items(planned))
