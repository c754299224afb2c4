"""Roll summaries of assessments in the database."""

import csv
import io
import json
import statistics
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from sqlalchemy import insert, update

from functions.reporting.domain.roll_summary import RollSummary
from functions.reporting.reports.assessment_roll_summary import roll_statements
from shared.db import unit_of_work
from shared.db.models import Assessment, County, PropertyOperational
from tests.conftest import MigratedDatabase
from tests.integration.reporting.reports import COUNTY, made, request, run
from tests.job_cloud import job_cloud

__all__ = ["job_cloud"]

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PROVENANCE = {"source_system": "TEST", "row_hash": "h", "version": 1, "valid_from": NOW}
HOSTILE = '=HYPERLINK("http://x")\n#pagebreak() *bold*, "quoted"'
NAME = 'O\'Brien & "Sons" County #let x = 1 \\ =1+1'
CENT = Decimal("0.01")

CLASSES = ("residential", "commercial", HOSTILE)
NEIGHBORHOODS = ("98001", "98002", None)


def assessments(year: int) -> list[dict[str, Any]]:
    """Thirty parcels' values; parcel 7 has none yet, and the roll does not say parcel 8's class."""
    return [
        {
            "county_id": COUNTY,
            "assessment_id": f"{year}-{i}",
            "property_id": f"P{i}",
            "roll_year": year,
            "land_value": Decimal("100000.10") + 1000 * i + year,
            "improvement_value": Decimal("200000.25") * (i % 5),
            "total_value": None if i == 7 else Decimal("100000.10") + 1000 * i + year + Decimal("200000.25") * (i % 5),
            "assessed_value": Decimal("90000.05") + 7 * i,
            "property_class": None if i == 8 else CLASSES[i % 3],
            "retired_at": None,
            **PROVENANCE,
        }
        for i in range(30)
    ]


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None) -> None:
    """Rolls of 2023 and 2025; nothing of 2024."""
    parcels = [
        {
            "county_id": COUNTY,
            "property_id": f"P{i}",
            "property_class": "of the parcel",
            "neighborhood": NEIGHBORHOODS[i % 3],
            **PROVENANCE,
        }
        for i in range(29)  # parcel 29 is on the roll and nowhere else
    ]
    withdrawn = {**assessments(2025)[0], "assessment_id": "withdrawn", "retired_at": NOW}
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            insert(County).values(county_id=COUNTY, friendly_name=NAME, configuration={}, mapping="", version=1)
        )
        connection.execute(insert(PropertyOperational), parcels)
        connection.execute(insert(Assessment), [*assessments(2023), *assessments(2025), withdrawn])


def summary(year: int = 2025, **parameters: Any) -> dict[str, Any]:
    document = json.loads(made("assessment_roll_summary", "json", {"roll_year": year, **parameters}))
    roll_summary: dict[str, Any] = document["summary"]
    return roll_summary


def class_of(row: dict[str, Any]) -> str | None:
    return row["property_class"] or "of the parcel"


def neighborhood_of(row: dict[str, Any]) -> str | None:
    number = int(row["property_id"][1:])
    return NEIGHBORHOODS[number % 3] if number < 29 else None


def expected(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    rows = list(rows)
    totals = [row["total_value"] for row in rows if row["total_value"] is not None]
    sums = {
        name: str(sum(row[name] for row in rows if row[name] is not None))
        for name in ("land_value", "improvement_value", "total_value", "assessed_value")
    }
    return {
        "parcels": len(rows),
        "parcels_without_value": len(rows) - len(totals),
        **sums,
        "mean_value": str((sum(totals) / len(totals)).quantize(CENT, ROUND_HALF_UP)),
        "median_value": str(statistics.median(totals).quantize(CENT, ROUND_HALF_UP)),
        "min_value": str(min(totals)),
        "max_value": str(max(totals)),
    }


def figures(group: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in group.items() if name not in ("group", "change")}


def test_the_countys_figures_are_those_of_its_assessments() -> None:
    assert figures(summary()["county"]) == expected(assessments(2025))


@pytest.mark.parametrize(("grouping", "key"), [("property_class", class_of), ("neighborhood", neighborhood_of)])
def test_every_groups_figures_are_those_of_its_assessments(grouping: str, key: Any) -> None:
    parts = defaultdict(list)
    for row in assessments(2025):
        parts[key(row)].append(row)
    roll_summary = {group["group"]: figures(group) for group in summary()["groups"][grouping]}
    assert roll_summary == {name: expected(rows) for name, rows in parts.items()}


def test_changes_are_against_the_newest_earlier_roll() -> None:
    roll_summary = summary()
    before, now = expected(assessments(2023)), expected(assessments(2025))
    change = roll_summary["county"]["change"]
    assert roll_summary["previous_roll_year"] == 2023
    for name in ("land_value", "total_value", "assessed_value"):
        assert Decimal(change[name]) == Decimal(now[name]) - Decimal(before[name])
    assert change["parcels"] == 0
    assert Decimal(change["total_value_percent"]) == (
        100 * Decimal(change["total_value"]) / Decimal(before["total_value"])
    ).quantize(CENT)


def test_rolls_of_different_parcels_say_which_they_share_and_compare_those() -> None:
    new = [{**row, "property_id": f"N{n}", "assessment_id": f"N{n}"} for n, row in enumerate(assessments(2025)[1:4])]
    with unit_of_work(COUNTY) as connection:
        connection.execute(insert(Assessment), new)
        connection.execute(
            update(Assessment)
            .where(Assessment.roll_year == 2025, Assessment.property_id.in_(["P1", "P2"]))
            .values(retired_at=NOW)
        )
    document = json.loads(made("assessment_roll_summary", "json", {"roll_year": 2025}))
    overlap = document["summary"]["overlap"]
    now, before = (
        expected(row for row in assessments(year) if row["property_id"] not in ("P1", "P2")) for year in (2025, 2023)
    )
    assert (overlap["in_both"], overlap["only_in_roll"], overlap["only_in_previous"]) == (28, 3, 2)
    assert (overlap["total_in_both"], overlap["previous_total_in_both"]) == (now["total_value"], before["total_value"])
    assert overlap["total_only_in_roll"] == expected(new)["total_value"]
    assert overlap["previous_total_only_in_previous"] == expected(assessments(2023)[1:3])["total_value"]
    assert Decimal(overlap["change_in_both"]) == Decimal(now["total_value"]) - Decimal(before["total_value"])
    (said,) = (
        statement
        for statement in roll_statements(RollSummary.model_validate(document["summary"]))
        if "different parcels" in statement
    )
    assert "28 are on both, 3 on the 2025 roll alone" in said


def test_the_first_roll_has_nothing_to_be_compared_with() -> None:
    roll_summary = summary(2023)
    assert roll_summary["overlap"] is None
    assert roll_summary["previous_roll_year"] is None
    assert roll_summary["county"]["change"] is None


def test_only_the_groupings_that_were_asked_for_are_there() -> None:
    assert list(summary(groups=["neighborhood"])["groups"]) == ["neighborhood"]


def test_the_table_holds_the_same_numbers_as_the_data() -> None:
    text = made("assessment_roll_summary", "csv", {"roll_year": 2025}).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    roll_summary = summary()
    groups = [roll_summary["county"], *(g for groups in roll_summary["groups"].values() for g in groups)]
    assert len(rows) == len(groups) == 1 + 4 + 3
    for row, group in zip(rows, groups, strict=True):
        for name, value in figures(group).items():
            assert row[name] == str(value)
        assert row["change_total_value"] == group["change"]["total_value"]
        assert row["previous_roll_year"] == "2023"


def test_a_hostile_class_is_text_in_the_table_and_breaks_no_page() -> None:
    text = made("assessment_roll_summary", "csv", {"roll_year": 2025}).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert "'" + HOSTILE in {row["group"] for row in rows}
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())
    assert made("assessment_roll_summary", "pdf", {"roll_year": 2025}).startswith(b"%PDF")


def test_a_year_without_a_roll_fails_the_job_and_says_which_there_are() -> None:
    answer = request("assessment_roll_summary", "pdf", {"roll_year": 2024})
    job = run(answer.body["id"])
    assert job.body["status"] == "failed"
    assert job.body["error"]["type"] == "roll-year-empty"
    assert "2023, 2025" in job.body["error"]["detail"]


def test_another_countys_roll_is_not_counted() -> None:
    with unit_of_work("other_wa") as connection:
        connection.execute(
            insert(Assessment), [{**row, "county_id": "other_wa"} for row in assessments(2025) + assessments(2024)]
        )
    assert summary()["county"]["parcels"] == 30
    assert summary()["previous_roll_year"] == 2023


@pytest.mark.parametrize("format_", ["pdf", "html", "xlsx", "csv", "json"])
def test_running_the_work_again_gives_the_same_bytes(format_: Any) -> None:
    from functions.reporting.reports.request import ReportRequest
    from functions.reporting.service.build_report import build, heading_of

    request = ReportRequest.model_validate(
        {"report_type": "assessment_roll_summary", "format": format_, "parameters": {"roll_year": 2025}}
    )
    first, second = (build(heading_of(COUNTY, "job", NOW), request).content for _ in range(2))
    assert first == second
