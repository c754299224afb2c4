"""Rolls and changes of value, of assessments in the database."""

import csv
import io
import json
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import openpyxl
import pytest
from sqlalchemy import insert

from shared.db import unit_of_work
from shared.db.models import Job, ValuationRunResult
from tests.integration.reporting.reports import COUNTY, made, request
from tests.integration.reporting.test_roll_reports import assessments, county
from tests.job_cloud import job_cloud

__all__ = ["county", "job_cloud"]

RUN = UUID("00000000-0000-4000-8000-00000000000a")


def totals(year: int) -> dict[str, Decimal]:
    return {row["property_id"]: row["total_value"] for row in assessments(year) if row["total_value"] is not None}


def changes(**parameters: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(made("change_of_value", "json", parameters))["changes"]
    return document


def rows(report_type: str, parameters: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(made(report_type, "csv", parameters).decode(), newline="")))


def add_run(status: str = "succeeded") -> None:
    """A valuation run that values parcel 0 at a dollar more than its roll of 2025."""
    with unit_of_work(COUNTY) as connection:
        own = {"county_id": COUNTY, "job_id": RUN, "kind": "valuation_run", "status": status}
        connection.execute(insert(Job).values(**own, parameters={}, request_digest="", submitted_by="ann"))
        value = {"county_id": COUNTY, "run_id": RUN, "partition_no": 0, "property_id": "P0", "review": False}
        connection.execute(insert(ValuationRunResult).values(**value, flags=[], estimate=totals(2025)["P0"] + 1))


def test_every_parcels_change_is_the_difference_of_its_values_the_largest_first() -> None:
    before, after = totals(2023), totals(2025)
    found = rows("change_of_value", {"to_roll_year": 2025})
    assert {row["property_id"]: Decimal(row["change"]) for row in found} == {
        property_id: after[property_id] - value for property_id, value in before.items()
    }
    sizes = [abs(Decimal(row["change"])) for row in found]
    assert sizes == sorted(sizes, reverse=True)


def test_the_county_and_its_groups_are_sums_of_the_parcels() -> None:
    before, after = totals(2023), totals(2025)
    document = changes(to_roll_year=2025, from_roll_year=2023)
    total = document["county"]
    assert (total["compared"], total["raised"], total["lowered"]) == (29, 29, 0)
    assert Decimal(total["change"]) == sum(after.values()) - sum(before.values())
    for groups in document["groups"].values():
        assert sum(group["compared"] for group in groups) == 29
        assert sum(Decimal(group["change"]) for group in groups) == Decimal(total["change"])
    assert sum(each["parcels"] for each in document["distribution"]) == 29


def test_a_valuation_run_is_compared_with_the_newest_roll() -> None:
    add_run()
    document = changes(valuation_run_id=str(RUN))
    assert (document["from_roll_year"], document["county"]["compared"], document["county"]["change"]) == (
        2025,
        1,
        "1.00",
    )
    assert document["county"]["only_before"] == 28


@pytest.mark.parametrize(
    ("parameters", "status", "pointer"),
    [
        ({}, 422, "/body/parameters"),
        ({"to_roll_year": 2025, "from_roll_year": 2025}, 422, "/body/parameters"),
        ({"to_roll_year": 2025, "valuation_run_id": str(RUN)}, 422, "/body/parameters"),
        ({"to_roll_year": 2024}, 422, "/body/parameters/to_roll_year"),
        ({"to_roll_year": 2025, "from_roll_year": 1999}, 422, "/body/parameters/from_roll_year"),
        ({"to_roll_year": 2023}, 422, "/body/parameters/from_roll_year"),
        ({"valuation_run_id": str(uuid4())}, 422, "/body/parameters/valuation_run_id"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_its_place(
    parameters: dict[str, Any], status: int, pointer: str
) -> None:
    answer = request("change_of_value", "pdf", parameters)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (status, pointer)


def test_a_run_under_way_is_refused() -> None:
    add_run("awaiting_approval")
    answer = request("change_of_value", "pdf", {"valuation_run_id": str(RUN)})
    assert (answer.status, answer.body["type"]) == (409, "urn:terrafusion:problem:valuation-run-not-succeeded")


def test_a_roll_has_every_assessment_and_its_workbook_the_same_sums() -> None:
    standing = assessments(2025)
    found = rows("assessment_roll", {"roll_year": 2025})
    assert {row["property_id"] for row in found} == {row["property_id"] for row in standing}
    assert sum(Decimal(row["land_value"]) for row in found) == sum(row["land_value"] for row in standing)
    content = made("assessment_roll", "xlsx", {"roll_year": 2025})
    sheet = openpyxl.load_workbook(io.BytesIO(content), data_only=True)["Roll 2025"]
    header = [cell.value for cell in sheet[1]]
    last = dict(zip(header, (cell.value for cell in sheet[sheet.max_row]), strict=True))
    assert sheet.max_row == len(standing) + 2
    assert last["Total value"] == pytest.approx(float(sum(totals(2025).values())))


def test_a_roll_is_no_document_for_print() -> None:
    answer = request("assessment_roll", "pdf", {"roll_year": 2025})
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/body/format")
