"""An upload and a roll-back that are broken off at any step end as undisturbed ones, once they are resumed.

The fault is a call that raises what nobody expects, at steps that are drawn by their number.
"""

import random
from uuid import UUID

import pytest

from functions.sync.schemas.runs import RollBackRequest
from functions.sync.service import commands, roll_backs
from shared.access import Caller
from shared.settings import settings
from tests.aws import make_machine
from tests.integration.sync.county import COUNTY, County
from tests.integration.sync.sync_steps import Steps, break_down, carry_out, disturbed
from tests.integration.sync.upload_steps import asked, confirm, inspected

CALLER = Caller("sub", "the assessor", frozenset({COUNTY}), frozenset())
YEARS = b"PIN,Year Built\r\n" + b"".join(b"P%d,19%02d\r\n" % (number, number % 90) for number in range(1, 290))
FAULTS = 3


@pytest.fixture(autouse=True)
def synced(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    make_machine(monkeypatch, "jobs")
    settings.cache_clear()
    county.sync()


def years(county: County) -> dict[str, int | None]:
    return dict(county.query("SELECT property_id, year_built FROM properties_operational"))


def carried_out(county: County, run_id: str, steps: Steps) -> str:
    """Carry out a run with a fault at a step; a broken run is failed and resumed, as its operator would do."""
    try:
        with disturbed(steps, break_down):
            return carry_out(COUNTY, run_id)
    except Exception as error:
        county.fail(run_id, error)
    if county.job(run_id)[0] == "failed":
        commands.resume(COUNTY, UUID(run_id), CALLER)
    return carry_out(COUNTY, run_id)


def applied(county: County, upload_id: str, run_id: str) -> None:
    assert asked("POST", "/approve", upload_id, by="the assessor", body={}).status == 202
    county.finish(run_id)


def test_an_upload_and_its_roll_back_broken_off_anywhere_end_as_undisturbed_ones(county: County) -> None:
    county.change("UPDATE parcel SET pin = 'P' || id")
    county.sync()
    before = years(county)
    upload = inspected(YEARS, target_table="properties_operational")
    run_id = confirm(upload["id"])
    with disturbed(Steps(), break_down) as comparison:
        assert carry_out(COUNTY, run_id) == "awaiting_approval"
    expected_changes = asked("GET", "/changes", upload["id"], query={"page_size": "500"}).body["items"]
    applied(county, upload["id"], run_id)
    brought = years(county)
    assert brought != before
    rolled_back = _rolled_back(run_id)
    with disturbed(Steps(), break_down) as restoring:
        assert carry_out(COUNTY, rolled_back) == "apply"
    assert years(county) == before

    chance = random.Random("uploads")  # noqa: S311 - a test's dice
    for _ in range(FAULTS):
        upload_id = inspected(YEARS, target_table="properties_operational")["id"]
        run_id = confirm(upload_id)
        at = chance.randint(1, comparison.done)
        assert carried_out(county, run_id, Steps(at, chance.choice(("before", "after")))) == "awaiting_approval", at
        changes = asked("GET", "/changes", upload_id, query={"page_size": "500"}).body["items"]
        assert changes == expected_changes, at
        applied(county, upload_id, run_id)
        assert years(county) == brought, at
        at = chance.randint(1, restoring.done)
        assert carried_out(county, _rolled_back(run_id), Steps(at, chance.choice(("before", "after")))) == "apply", at
        assert years(county) == before, at
        assert county.query("SELECT count(*) FROM field_overrides WHERE ended_at IS NULL") == [(0,)], at
        assert county.query("SELECT relname FROM pg_class WHERE relnamespace = 'staging'::regnamespace") == []


def _rolled_back(run_id: str) -> str:
    request = RollBackRequest()
    return str(roll_backs.roll_back(COUNTY, UUID(run_id), request, caller=CALLER, idempotency_key=None).id)
