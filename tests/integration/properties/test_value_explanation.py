"""Why a value is what it is: every step of a property's values, through the handler and on PostgreSQL."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert

from functions.properties.handler import handler
from shared.db import unit_of_work
from shared.db.models import (
    Appeal,
    FieldOverride,
    Job,
    PropertyOperational,
    SyncRun,
    ValuationApproval,
    ValuationChampion,
    ValuationModel,
    ValuationRun,
    ValuationRunResult,
    history_table,
)
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call
from tests.integration.evidence_county import COUNTY, add_county

ONE = "/v1/counties/{county_id}/properties/{property_id}"
SYNC, APPROVAL, VALUATION, MODEL, APPEAL = (uuid4() for _ in range(5))


def version(number: int, total: int, **values: Any) -> dict[str, Any]:
    return {
        "property_id": "P1",
        "land_value": Decimal(100),
        "improvement_value": Decimal(total - 100),
        "total_value": Decimal(total),
        "source_system": "PACS",
        "sync_run_id": SYNC,
        "row_hash": "h",
        "version": number,
        "valid_from": datetime(2025, number, 1, tzinfo=UTC),
        **values,
    }


def ended(number: int, by: object) -> dict[str, Any]:
    return {"valid_to": datetime(2025, number + 1, 1, tzinfo=UTC), "superseded_by_run": by}


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase) -> None:
    add_county()
    job = {"status": "succeeded", "parameters": {}, "request_digest": "", "submitted_by": "schedule"}
    rows: list[tuple[Any, list[dict[str, Any]]]] = [
        (Job, [{"job_id": SYNC, "kind": "sync", **job}]),
        (SyncRun, [{"run_id": SYNC, "mode": "full", "validate_only": False, "trigger": "schedule", "active": False}]),
        (ValuationRun, [{"run_id": VALUATION, "valuation_date": date(2025, 1, 1), "models": [], "data_version": "",
                         "properties": 1}]),
        (ValuationRunResult, [{"run_id": VALUATION, "property_id": "P1", "partition_no": 1, "model_id": MODEL,
                               "estimate": Decimal(410), "lower": Decimal(390), "review": False, "flags": []}]),
        (ValuationModel, [{"model_id": MODEL, "method": "stacked", "valuation_date": date(2025, 1, 1), "seed": 1,
                           "data_version": "", "artifact_key": "", "artifact_digest": "", "details": {},
                           "created_by": "vera"}]),
        (ValuationChampion, [{"property_class": "", "valuation_date": date(2025, 1, 1), "model_id": MODEL,
                              "promoted_by": "ada", "override_reason": "the only one"}]),
        (ValuationApproval, [{"approval_id": APPROVAL, "run_id": VALUATION, "roll_year": 2025, "filter": {},
                              "assessments": 1, "properties": 1, "approved_by": "ada", "skipped": {}}]),
        (Appeal, [{"appeal_id": APPEAL, "request_digest": "", "roll_year": 2025, "appeal_no": 7, "property_id": "P1",
                   "status": "decided", "level": "hearing", "petitioner": "Owner", "ground": "market_value",
                   "statement": "too high", "filed_on": date(2025, 2, 1), "late": False, "filed_by": "x", "version": 1,
                   "outcome": "reduced", "reason_code": "condition", "reason": "the roof", "decided_by": "board"}]),
        (history_table(PropertyOperational), [{**version(1, 300), **ended(1, APPROVAL)},
                                              {**version(2, 410), **ended(2, APPEAL)}]),
        (PropertyOperational, [version(3, 380)]),
    ]  # fmt: skip
    with unit_of_work(COUNTY) as connection:
        for table, values in rows:
            connection.execute(insert(table), [{"county_id": COUNTY, **value} for value in values])


def ask(method: str, path: str = "", property_id: str = "P1", **options: Any) -> Answer:
    return call(handler, method, ONE + path, path={"county_id": COUNTY, "property_id": property_id}, **options)


def test_every_step_of_a_value_says_who_brought_it_and_what_with() -> None:
    explained = ask("GET", "/value-explanation").body
    values = {each["field"]: each for each in explained["values"]}
    appealed, modelled, synced = values["total_value"]["steps"]
    assert [step["value"] for step in (appealed, modelled, synced)] == ["380.00", "410.00", "300.00"]
    assert (appealed["author"]["kind"], appealed["author"]["by"]) == ("appeal", "board")
    assert (appealed["appeal"]["appeal_no"], appealed["appeal"]["reason"]) == (7, "the roof")
    assert modelled["author"]["kind"] == "approval"
    valuation = modelled["valuation"]
    assert (valuation["method"], valuation["promoted_by"], valuation["estimate"]) == ("stacked", "ada", "410.00")
    assert valuation["promotion_reason"] == "the only one"
    assert (synced["author"]["kind"], synced["sync"]["mode"]) == ("sync", "full")
    assert synced["sync"]["source_system"] == "PACS"
    assert [step["version"] for step in values["land_value"]["steps"]] == [1], "the land value has never changed"


def test_an_override_stands_with_the_value_that_the_source_still_has() -> None:
    decided = {"version": 3, "value": 380, "source_value": 410.5, "origin": "upload", "made_by": "ada"}
    key = {"table_name": "properties_operational", "row_key": "P1", "field": "total_value"}
    with unit_of_work(COUNTY) as connection:
        connection.execute(insert(FieldOverride).values(county_id=COUNTY, decision_id=uuid4(), **key, **decided))
    overrides = {each["field"]: each["override"] for each in ask("GET", "/value-explanation").body["values"]}
    assert (overrides["land_value"], overrides["improvement_value"]) == (None, None)
    standing = overrides["total_value"]
    assert (standing["value"], standing["source_value"], standing["origin"]) == ("380.00", "410.50", "upload")


def test_an_unknown_property_is_not_found() -> None:
    assert ask("GET", "/value-explanation", property_id="nobody").status == 404
