"""Valuation runs: planned, done by partitions, cut short and resumed, looked at and exported."""

import csv
import io
from decimal import Decimal
from typing import Any, get_args

import polars as pl
import pytest
from sqlalchemy import text

from functions.valuation.handler import handler
from functions.valuation.repository import results as results_repository
from functions.valuation.schemas.runs import RunFlag
from functions.valuation.service import artifacts, plan_run
from shared import storage
from shared.access import Role
from shared.db import unit_of_work
from tests.gateway import LambdaContext, call, claims_of
from tests.integration.evidence_county import COUNTY, SYNTHETIC, add_county, add_parcel
from tests.integration.valuation.models import REVIEW_BELOW, another, promoted
from tests.integration.valuation.runs import RUNS, STEPS, asked, finished, results, run
from tests.job_cloud import downloaded, partitions_of, run_partitioned


@pytest.fixture(autouse=True)
def small_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 200 properties, so that a small county has several."""
    monkeypatch.setattr(plan_run, "MAX_PARTITION_PROPERTIES", 200)


def test_a_run_values_every_property_of_the_roll_by_partitions(champion: str) -> None:
    run_id = finished()

    body = run(run_id).body
    found = results(run_id)
    assert (body["status"], body["properties"], body["valued"], body["not_valued"]) == ("succeeded", 500, 500, 0)
    assert (body["progress"]["done"], body["progress"]["total"]) == (3, 3)
    assert body["models"] == [{"property_class": None, "model_id": champion}]
    assert [item["property_id"] for item in found] == [f"P{number:04}" for number in range(500)]
    errors = [abs(float(item["estimate"]) / float(SYNTHETIC.truth[number]) - 1) for number, item in enumerate(found)]
    assert sorted(errors)[250] < 0.12
    for item in found:
        assert Decimal(item["low"]) < Decimal(item["estimate"]) < Decimal(item["high"])
        assert sum(Decimal(amount) for amount in item["contributions"].values()) == Decimal(item["estimate"])
        assert item["review"] == (item["confidence"] < REVIEW_BELOW)
        assert 0 < len(item["comparables"]) <= 5
        assert {"sale_id", "adjusted_price", "weight"} == set(item["comparables"][0])


def test_a_property_without_a_value_has_a_row_with_the_reason(champion: str) -> None:
    add_parcel(property_id="LAND", living_area_sqft=None)
    add_parcel(property_id="LOST", longitude=None, latitude=None, neighborhood=None)

    run_id = finished({"filter": {"property_ids": ["LAND", "LOST", "P0001"]}})

    refused = {item["property_id"]: item["refusal"] for item in results(run_id, valued="false")}
    assert refused == {"LAND": "no_living_area", "LOST": "no_place"}
    assert run(run_id, "/summary").body["not_valued"] == {"no_living_area": 1, "no_place": 1}
    assert [item["property_id"] for item in results(run_id, valued="true")] == ["P0001"]


def test_each_class_is_valued_by_its_own_champion_and_one_without_has_a_reason(model_id: str) -> None:
    houses = another(model_id, property_classes=["residential"])
    promoted(houses)
    add_parcel(property_id="SHOP", property_class="commercial")
    add_parcel(property_id="ODD", property_class=None)

    run_id = finished({"filter": {"property_ids": ["SHOP", "ODD", "P0001"]}})

    found = {item["property_id"]: item for item in results(run_id)}
    assert (found["P0001"]["model_id"], found["P0001"]["refusal"]) == (houses, None)
    assert found["SHOP"]["refusal"] == found["ODD"]["refusal"] == "no_model_for_class"


def test_a_filter_takes_the_properties_that_meet_every_condition(champion: str) -> None:
    hood = str(SYNTHETIC.sales.characteristics.neighborhood[3])
    run_id = finished({"filter": {"neighborhoods": [hood, "it's:none"], "property_classes": ["residential"]}})
    found = results(run_id)
    assert {item["neighborhood"] for item in found} == {hood}
    assert len(found) == int((SYNTHETIC.sales.characteristics.neighborhood == hood).sum())
    nothing = finished({"filter": {"property_ids": ["NOBODY"]}})
    assert (results(nothing), run(nothing).body["properties"]) == ([], 0)
    assert run(nothing, "/summary").body["overall"]["median"] is None


def test_results_are_filtered_and_paged(champion: str) -> None:
    run_id = finished()
    every = results(run_id)
    review = results(run_id, review="true")
    others = results(run_id, review="false")
    assert {item["review"] for item in review} <= {True}
    assert len(review) + len(others) == 500
    assert len(review) == run(run_id).body["review"]
    hood = every[0]["neighborhood"]
    assert results(run_id, neighborhood=hood) == [item for item in every if item["neighborhood"] == hood]
    flagged = results(run_id, flag="large_change")
    assert flagged == [item for item in every if "large_change" in item["flags"]]
    assert all(abs(item["change_percent"]) > 25 for item in flagged)
    seen = {code for item in every for code in item["flags"]}
    assert seen <= set(get_args(RunFlag))
    assert all(results(run_id, flag=code) for code in seen)
    for unknown in ("", "large", "no_champion"):
        refused = run(run_id, "/results", query={"flag": unknown})
        assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/query/flag")
        assert refused.body["errors"][0]["detail"].endswith(", large_change")
    first = run(run_id, "/results", query={"page_size": "2"}).body
    token = first["next_page_token"]
    wrong = run(run_id, "/results", query={"page_size": "2", "review": "true", "page_token": token})
    assert (wrong.status, wrong.body["type"]) == (400, "urn:terrafusion:problem:page-token-of-another-query")


def test_the_summary_is_the_distribution_of_the_results(champion: str) -> None:
    run_id = finished()
    summary = run(run_id, "/summary").body
    compared = [item for item in results(run_id) if item["change_percent"] is not None]
    overall = summary["overall"]
    changes = sorted(item["change_percent"] for item in compared)
    assert (overall["properties"], overall["compared"]) == (500, len(compared)) == (500, 490)
    assert overall["median"] == pytest.approx((changes[244] + changes[245]) / 2, abs=0.02)
    assert overall["p5"] < overall["p25"] < overall["median"] < overall["p75"] < overall["p95"]
    before = sum(Decimal(item["current_value"]) for item in compared)
    assert Decimal(overall["compared_current_total"]) == before
    for groups in (summary["by_neighborhood"], summary["by_property_class"]):
        assert sum(group["properties"] for group in groups) == 500
        assert sum(Decimal(group["estimate_total"]) for group in groups) == Decimal(overall["estimate_total"])


def test_a_run_is_taken_away_as_csv_and_parquet_that_say_the_same(champion: str) -> None:
    add_parcel(property_id="LAND", living_area_sqft=None)
    run_id = finished()
    text_file = downloaded(run(run_id, "/download", query={"format": "csv"})).decode()
    rows = list(csv.DictReader(io.StringIO(text_file)))
    frame = pl.read_parquet(io.BytesIO(downloaded(run(run_id, "/download", query={"format": "parquet"}))))
    assert frame.height == len(rows) == 501
    assert frame.columns == list(rows[0])
    assert frame.schema["estimate"] == pl.Decimal(14, 2)
    assert frame.schema["review"] == pl.Boolean
    for row, typed in zip(rows, frame.iter_rows(named=True), strict=True):
        assert row["property_id"] == typed["property_id"]
        assert (Decimal(row["estimate"]) if row["estimate"] else None) == typed["estimate"]
        assert (row["refusal"] or None) == typed["refusal"]
    assert run(run_id, "/download", query={"format": "xlsx"}).status == 422


def test_a_formula_in_a_property_is_a_text_in_the_csv(champion: str) -> None:
    add_parcel(property_id="=1+1", neighborhood="@SUM(A1)", property_class="－2", living_area_sqft=None)
    run_id = finished({"filter": {"property_ids": ["=1+1"]}})

    text_file = downloaded(run(run_id, "/download", query={"format": "csv"})).decode()
    frame = pl.read_parquet(io.BytesIO(downloaded(run(run_id, "/download", query={"format": "parquet"}))))

    (row,) = csv.DictReader(io.StringIO(text_file))
    assert (row["property_id"], row["neighborhood"], row["property_class"]) == ("'=1+1", "'@SUM(A1)", "'－2")
    assert frame.row(0)[:3] == ("=1+1", "－2", "@SUM(A1)")


def test_a_partition_is_idempotent(champion: str) -> None:
    run_id = asked().body["id"]
    job = {"county_id": COUNTY, "job_id": run_id, "kind": "valuation_run"}
    items = partitions_of(STEPS.plan(job, LambdaContext()))
    STEPS.partition({**job, "partition": items[1]}, LambdaContext())
    once = results(run_id)
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text("DELETE FROM job_partitions")
        )  # as if it had ended before it could say that it was done

    STEPS.partition({**job, "partition": items[1]}, LambdaContext())

    assert results(run_id) == once
    assert len(once) == 200


def test_a_run_that_was_cut_short_goes_on_where_it_was(champion: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = results(finished())
    run_id = asked().body["id"]
    written = results_repository.replace

    def breaks(connection: Any, county_id: str, run: Any, number: int, rows: Any) -> None:
        written(connection, county_id, run, number, rows)
        if number == 2:
            raise OSError("the line broke")

    with monkeypatch.context() as patch:
        patch.setattr(results_repository, "replace", breaks)
        run_partitioned(STEPS, COUNTY, run_id)
    failed = run(run_id).body
    assert (failed["status"], failed["valued"], failed["progress"]["done"]) == ("failed", 200, 1)
    assert run(run_id, "/summary").status == 409

    resumed = call(
        handler,
        "POST",
        RUNS + "/{run_id}/resume",
        path={"county_id": COUNTY, "run_id": run_id},
    )

    assert (resumed.status, resumed.body["status"]) == (202, "pending")
    assert run_partitioned(STEPS, COUNTY, run_id) == {"status": "succeeded"}
    assert results(run_id) == whole


def test_a_model_that_is_lost_fails_the_run_with_the_reason(champion: str) -> None:
    run_id = asked().body["id"]
    artifacts.clear_cache()
    storage.put(storage.county_key(COUNTY, "jobs", champion, "model.zip"), b"something else")

    run_partitioned(STEPS, COUNTY, run_id)

    failed = run(run_id).body
    assert (failed["status"], failed["error"]["type"]) == ("failed", "model-artifact-damaged")


def test_without_a_champion_or_a_fitting_day_no_run_begins(champion: str) -> None:
    before = asked({"valuation_date": "2023-09-30"})
    assert (before.status, before.body["type"]) == (409, "urn:terrafusion:problem:no-champion")
    named = asked({"valuation_date": "2023-09-30", "model_id": champion})
    assert (named.status, named.body["errors"][0]["pointer"]) == (422, "/body/valuation_date")
    late = asked({"valuation_date": "2024-06-30", "model_id": champion})
    assert (late.status, late.body["type"]) == (422, "urn:terrafusion:problem:valuation-date-not-covered")
    unknown = asked({"model_id": "00000000-0000-4000-8000-000000000000"})
    assert (unknown.status, unknown.body["errors"][0]["pointer"]) == (422, "/body/model_id")


def test_a_run_of_a_later_day_carries_the_values_and_says_so(champion: str) -> None:
    request = {"filter": {"property_ids": ["P0042"]}}
    (now,) = results(finished(request))
    (later,) = results(finished({"valuation_date": "2024-01-01", **request}))
    assert float(later["estimate"]) == pytest.approx(float(now["estimate"]) * 1.06**0.25, rel=0.03)
    assert "carried_by_trend" in later["flags"]
    assert "carried_by_trend" not in now["flags"]
    assert sum(Decimal(amount) for amount in later["contributions"].values()) == Decimal(later["estimate"])
    assert float(later["high"]) / float(later["low"]) >= float(now["high"]) / float(now["low"]) - 1e-4  # in dollars


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"valuation_date": "soon"}, "/body/valuation_date"),
        ({"filter": {"property_classes": []}}, "/body/filter/property_classes"),
        ({"filter": {"zip": "98101"}}, "/body/filter/zip"),
        ({"model_id": "the best"}, "/body/model_id"),
    ],
)
def test_a_run_that_is_not_possible_is_refused_with_its_pointer(
    champion: str, body: dict[str, Any], pointer: str
) -> None:
    answer = asked(body)
    assert answer.status == 422
    assert pointer in [error["pointer"] for error in answer.body["errors"]]


def test_another_countys_run_is_not_found_and_auditors_only_look(champion: str) -> None:
    run_id = finished({"filter": {"property_ids": ["P0001"]}})
    add_county("lucas_oh")
    theirs = claims_of(counties=("lucas_oh",))
    for part in ("", "/results", "/summary", "/download"):
        assert run(run_id, part, "lucas_oh", claims=theirs).status == 404, part
        assert run(run_id, part, claims=theirs).status == 403, part
    auditor = claims_of(Role.AUDITOR)
    assert run(run_id, "/summary", claims=auditor).status == 200
    assert asked(claims=auditor).status == 403
    with unit_of_work("lucas_oh") as connection:
        assert connection.execute(text("SELECT count(*) FROM valuation_run_results")).scalar_one() == 0


def test_a_filter_takes_thousands_of_ids_and_a_list_of_runs_stays_small(champion: str) -> None:
    ids = [f"P{number:04}" for number in range(0, 40_000, 2)]
    run_id = finished({"filter": {"property_ids": ids}})
    assert len(results(run_id)) == 250
    shown = run(run_id).body["parameters"]["filter"]
    assert (shown["property_ids"], shown["property_ids_total"]) == (ids[:100], 20_000)
    assert asked({"filter": {"property_ids": [f"P{number}" for number in range(25_001)]}}).status == 422
