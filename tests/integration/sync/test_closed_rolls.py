"""A closed roll does not change in any way until a correction of it is approved."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from functions.roll.handler import handler as roll_handler
from functions.sync.handler import handler as sync_handler
from functions.sync.schemas.runs import ReplayRequest
from functions.sync.service import commands
from functions.sync.tasks import machine
from functions.valuation.repository import approvals
from shared.access import Caller
from shared.db import unit_of_work
from shared.problems import Conflict
from tests.conftest import MigratedDatabase
from tests.gateway import call, claims_of
from tests.integration.sync.county import COUNTY, County
from tests.integration.sync.precedence_world import SMALL, YEAR, World, new_world

CALLER = Caller("sub", "ada", frozenset({COUNTY}), frozenset())
CLAIMS = claims_of(counties=(COUNTY,), username="ada")
ROLLS = "/v1/counties/{county_id}/rolls/{roll_year}"


def roll(part: str = "", method: str = "GET", body: Any = None) -> Any:
    path = {"county_id": COUNTY, "roll_year": str(YEAR)}
    answer = call(roll_handler, method, ROLLS + part, path=path, body=body, claims=CLAIMS)
    assert answer.status == 200, answer.body
    return answer.body


@pytest.fixture
def closed(database: MigratedDatabase, small: County) -> World:
    """A roll with a record of the county's for parcel 1 and one that an approval made for parcel 2, closed."""
    world = new_world(database, small)
    world.approve({"2"}, (100, 300))
    roll("/close", "POST", {})
    return world


def by_sync(mode: str) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.roll("1", Decimal(999))
        world.change_source("1", ("property_class", "C"))
        assert world.county.sync(mode=mode)[1] == "awaiting_approval"

    return change


def by_removal(world: World) -> None:
    world.roll("1", None)
    assert world.county.sync()[1] == "awaiting_approval"


def by_a_new_record_of_the_year(world: World) -> None:
    world.roll("2", Decimal(999))
    assert world.county.sync()[1] == "awaiting_approval"


def by_replay(world: World) -> None:
    """Take a rejected record with a mapping that accepts it."""
    county = world.county
    county.change(f"INSERT INTO roll (id, place, yr, total, changed_at) VALUES ('A3', '3', {YEAR}, '5 USD', now())")
    run_id, outcome = county.sync()
    assert outcome == "apply"
    county.set_mapping(SMALL[: SMALL.rindex("      - {source: total")])  # the roll without its values
    replayed = commands.replay(COUNTY, UUID(run_id), ReplayRequest(), caller=CALLER, idempotency_key=None)
    assert county.go_on(county.plan(run_id=str(replayed.id))) == "awaiting_approval"


def by_taking_an_approval_back(world: World) -> None:
    with pytest.raises(Conflict, match="closed") as refused, unit_of_work(COUNTY) as connection:
        approvals.restore(connection, COUNTY, world.approvals[0], uuid4())
    assert refused.value.slug == "roll-closed"


def by_an_approval(world: World) -> None:
    with pytest.raises(Conflict, match="closed") as refused:
        world.approve({"1"}, (100, 400))
    assert refused.value.slug == "roll-closed"


def by_hand(statement: str) -> Callable[[World], None]:
    def change(_: World) -> None:
        with pytest.raises(Conflict, match=f"The roll of {YEAR} is closed"), unit_of_work(COUNTY) as connection:
            connection.execute(text(statement))

    return change


def rows(county: County) -> Any:
    return county.query("SELECT assessment_id, total_value, version, retired_at FROM assessments ORDER BY 1")


@pytest.mark.parametrize(
    "change",
    [
        by_sync("full"),
        by_sync("incremental"),
        by_sync("snapshot"),
        by_removal,
        by_a_new_record_of_the_year,
        by_replay,
        by_an_approval,
        by_taking_an_approval_back,
        by_hand("UPDATE assessments SET total_value = 1"),
        by_hand("UPDATE assessments SET roll_year = 1999"),
        by_hand("DELETE FROM assessments"),
    ],
    ids=[
        *("full", "incremental", "snapshot", "removal", "a new record", "replay", "approval", "undo"),
        *("update", "another year", "delete"),
    ],
)
def test_no_way_leads_into_a_closed_roll(closed: World, change: Callable[[World], None]) -> None:
    before, assessments = rows(closed.county), roll()
    change(closed)
    assert rows(closed.county) == before
    assert roll() == assessments


def test_rows_of_a_closed_roll_wait_and_are_a_numbered_correction_once_approved(closed: World) -> None:
    county = closed.county
    as_closed = roll()["as_closed"]
    assert as_closed == {"assessments": 2, "total_value": "400.00", "assessed_value": "300.00"}
    closed.roll("1", Decimal(150))
    closed.change_source("3", ("property_class", "C"))
    run_id, _ = county.sync()
    path = {"county_id": COUNTY, "run_id": run_id}
    shown = call(sync_handler, "GET", "/v1/counties/{county_id}/sync-runs/{run_id}", path=path, claims=CLAIMS).body
    assert [item["guard"] for item in shown["guard_findings"]] == ["closed_roll"]
    assert shown["guard_findings"][0]["detail"].startswith(f"1 rows of the roll of {YEAR}, which ada closed on ")
    assert shown["findings"] == {"closed_roll": 1}
    assert roll()["total_value"] == "400.00"

    approved = call(
        sync_handler, "POST", "/v1/counties/{county_id}/sync-runs/{run_id}/approve", path=path, claims=CLAIMS,
        body={"reason": "Appeal 17 was granted"},
    )  # fmt: skip
    assert (approved.status, approved.headers["location"]) == (202, f"/v1/counties/{COUNTY}/sync-runs/{run_id}")
    county.finish(run_id)

    now = roll()
    assert (now["total_value"], now["as_closed"], now["corrections"]) == ("450.00", as_closed, 1)
    (correction,) = roll("/corrections")
    assert {name: correction[name] for name in ("correction_no", "made_by", "reason", "rows", "sync_run_id")} == {
        "correction_no": 1, "made_by": "ada", "reason": "Appeal 17 was granted", "rows": 1, "sync_run_id": run_id,
    }  # fmt: skip
    assert (correction["total_before"], correction["total_after"]) == ("400.00", "450.00")
    closed.roll("1", Decimal(100))
    second, _ = county.sync()
    commands.approve(COUNTY, UUID(second), CALLER)
    county.finish(second)
    differences = [Decimal(item["total_after"]) - Decimal(item["total_before"]) for item in roll("/corrections")]
    assert Decimal(as_closed["total_value"]) + sum(differences) == Decimal(roll()["total_value"]) == 400
    with pytest.raises(Conflict), unit_of_work(COUNTY) as connection:  # the correction's transaction is over
        connection.execute(text("UPDATE assessments SET total_value = 1"))


def test_a_roll_that_is_closed_while_a_run_is_on_its_way_takes_nothing_of_it(
    database: MigratedDatabase, small: County
) -> None:
    world = new_world(database, small)
    world.roll("1", Decimal(999))
    planned = small.plan()
    for item in small.items(planned):
        small.partition(planned["run_id"], item)
    small.step(machine.reconcile, planned["run_id"])
    roll("/close", "POST", {})
    before = rows(small)
    with pytest.raises(Conflict, match="start a new run"):
        small.finish(planned["run_id"])
    assert rows(small) == before


def test_an_opened_roll_takes_changes_again_and_forgets_what_it_was_closed_with(closed: World) -> None:
    roll("/reopen", "POST", {"reason": "closed by mistake"})
    assert roll()["as_closed"] is None
    closed.roll("1", Decimal(150))
    assert closed.county.sync()[1] == "apply"
    assert roll()["total_value"] == "450.00"
