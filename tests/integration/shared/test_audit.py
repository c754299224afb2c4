"""The audit trail as an auditor asks for it: by actions that there are, and no others."""

from typing import Any, get_args

import pytest
from sqlalchemy import insert

from functions.audit.handler import handler
from functions.audit.schemas import KnownAction
from infra.functions import REGISTRY
from shared import audit
from shared.db import unit_of_work
from shared.db.models import County
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call

COUNTY = "king_wa"


def events(**query: str) -> Answer:
    return call(handler, "GET", "/v1/counties/{county_id}/audit-events", path={"county_id": COUNTY}, query=query)


@pytest.fixture
def trail(database: MigratedDatabase) -> None:
    given: dict[str, Any] = {"county_id": COUNTY, "friendly_name": "King", "configuration": {}, "mapping": ""}
    with unit_of_work(COUNTY) as connection:
        connection.execute(insert(County).values(**given, version=1))
        audit.record(connection, COUNTY, "somebody", "roll.closed", "rolls/2026", {})
        audit.record(connection, COUNTY, "somebody", audit.cancelled("report"), "reports/1", {})


def test_events_are_found_by_each_action_that_there_is(trail: None) -> None:
    figures = {
        action: [each["subject"] for each in events(action=action).body["items"]] for action in get_args(KnownAction)
    }
    assert {action: subjects for action, subjects in figures.items() if subjects} == {
        "roll.closed": ["rolls/2026"],
        "report.cancelled": ["reports/1"],
    }


@pytest.mark.parametrize("action", ["", "roll", "roll.close", "Roll.closed", "roll.closed "])
def test_an_action_that_nothing_can_have_is_refused_with_those_that_there_are(trail: None, action: str) -> None:
    refused = events(action=action)
    assert refused.status == 422
    (error,) = refused.body["errors"]
    assert error["pointer"] == "/query/action"
    assert " roll.closed," in error["detail"]


def test_cancelling_is_an_action_of_every_kind_of_job_and_of_no_other() -> None:
    cancellations = {action for action in get_args(KnownAction) if action.endswith(".cancelled")}
    assert cancellations == {f"{kind.name}.cancelled" for kind in REGISTRY.job_kinds}
