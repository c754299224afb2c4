"""Market analyses as jobs, through the handlers and on PostgreSQL."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from sqlalchemy import text

from functions.market_analysis.handler import handler
from functions.market_analysis.tasks import handler as task
from shared.access import Role
from shared.db import unit_of_work
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY, SYNTHETIC, add_county, add_evidence, add_sale
from tests.job_cloud import downloaded, job_cloud, run_task
from tests.synthetic_county import ANNUAL_TREND

__all__ = ["job_cloud"]

ALL = "/v1/counties/{county_id}/market-analyses"
PERIOD = {"from": "2022-01-01", "to": "2023-12-31"}


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None) -> None:
    add_county()
    add_evidence()


def submitted(body: dict[str, Any], **options: Any) -> Answer:
    return call(handler, "POST", ALL, path={"county_id": COUNTY}, body=body, **options)


def run(body: dict[str, Any]) -> dict[str, str]:
    job_id = submitted(body).body["id"]
    run_task(task, COUNTY, "market_analysis", job_id)
    return {"county_id": COUNTY, "analysis_id": job_id}


def made(body: dict[str, Any]) -> dict[str, Any]:
    path = run(body)
    results = call(handler, "GET", ALL + "/{analysis_id}/results", path=path)
    assert results.status == 200, call(handler, "GET", ALL + "/{analysis_id}", path=path).body
    found: dict[str, Any] = results.body
    return found


def test_the_months_hold_all_valid_sales_and_the_index_follows_the_market() -> None:
    results = made(PERIOD)
    months = results["overall"]["months"]
    assert [months[0]["month"], months[-1]["month"]] == ["2022-01", "2023-12"]
    assert sum(month["sales"] for month in months) == 500
    assert (months[0]["index"], months[0]["standard_error"]) == (100.0, 0.0)
    expected = 100 * np.exp(ANNUAL_TREND * 23 / 12)
    assert months[-1]["index"] == pytest.approx(expected, abs=4 * months[-1]["standard_error"])
    assert (results["groups"], results["areas"]) == ([], [])
    change = results["overall"]["annual_change"]
    assert change["percent"] == pytest.approx(100 * np.expm1(ANNUAL_TREND), abs=4 * change["standard_error"])
    volume = sum(float(month["volume"]) for month in months)
    assert volume == pytest.approx(SYNTHETIC.sales.sale_price.sum(), abs=1)
    assert results["sales_excluded"]["multi_parcel"] == 1


def test_a_months_medians_are_those_of_its_sales() -> None:
    month = made({"from": "2022-03-01", "to": "2022-03-31"})["overall"]["months"][0]
    first, last = SYNTHETIC.sales.sale_day >= 738215, SYNTHETIC.sales.sale_day <= 738245
    price = SYNTHETIC.sales.sale_price[first & last]
    area = SYNTHETIC.sales.characteristics.living_area_sqft[first & last]
    assert month["sales"] == len(price)
    assert float(month["median_price"]) == pytest.approx(np.median(price), abs=0.01)
    assert float(month["median_price_per_sqft"]) == pytest.approx(np.median(price / area), abs=0.01)


def test_groups_are_followed_and_one_that_is_too_small_says_why_it_has_no_index() -> None:
    results = made({**PERIOD, "group_by": "neighborhood"})
    assert sum(group["sales"] for group in results["groups"]) == 500
    assert len(results["groups"]) == len(np.unique(SYNTHETIC.sales.characteristics.neighborhood))
    for group in results["groups"]:
        indexed = [month for month in group["months"] if month["index"] is not None]
        assert bool(indexed) == (group["reason"] is None)
        if group["reason"] is not None:
            assert "needs at least 30 sales" in group["reason"]
    [whole] = made({**PERIOD, "group_by": "property_class"})["groups"]
    assert (whole["group"], whole["sales"]) == ("residential", 500)


def test_a_period_without_sales_is_an_empty_market_and_no_failure() -> None:
    overall = made({"from": "1990-01-01", "to": "1990-12-31"})["overall"]
    assert (overall["sales"], overall["months"], overall["base_month"]) == (0, [], None)
    assert "there are 0" in overall["reason"]


def test_what_cannot_be_analysed_is_refused_and_who_may_not_is_forbidden() -> None:
    assert submitted({"from": "2023-01-01", "to": "2022-01-01"}).status == 422
    assert submitted({**PERIOD, "group_by": "planet"}).status == 422
    assert submitted(PERIOD, claims=claims_of(Role.REPORTING_STAFF)).status == 403
    assert submitted(PERIOD, claims=claims_of(Role.VALUATION_STAFF)).status == 202


def test_resales_have_an_index_of_their_own() -> None:
    assert "there are 0" in made(PERIOD)["overall"]["repeat_sales"]["reason"]
    for row in range(80):  # sold again within the year, dearer by a tenth a year
        sold = date.fromordinal(int(SYNTHETIC.sales.sale_day[row]))
        days = 190 + row * 37 % 170
        price = Decimal(str(round(float(SYNTHETIC.sales.sale_price[row]) * 1.1 ** (days / 365), 2)))
        again: dict[str, Any] = {"sale_date": sold + timedelta(days=days), "sale_price": price}
        add_sale(sale_id=f"AGAIN{row}", property_id=f"P{row:04}", **again)
    overall = made(PERIOD)["overall"]
    assert (overall["repeat_sales"]["pairs"], overall["repeat_sales"]["reason"]) == (80, None)
    assert overall["repeat_sales"]["base_month"] == "2022-01"
    [month] = [month for month in overall["months"] if month["month"] == "2023-01"]
    assert month["repeat_sales_index"] == pytest.approx(110.0, abs=1.0)


def test_prices_are_carried_to_a_valuation_date_by_the_sales_before_it() -> None:
    adjustment = made({**PERIOD, "valuation_date": "2023-07-01"})["overall"]["time_adjustment"]
    assert adjustment["reason"] is None
    assert [adjustment["factors"][0]["month"], adjustment["factors"][-1]["month"]] == ["2022-01", "2023-06"]
    first, last = adjustment["factors"][0], adjustment["factors"][-1]
    assert first["factor"] == pytest.approx(np.exp(ANNUAL_TREND * 17.5 / 12), abs=0.04)
    assert abs(last["factor"] - 1) < 0.02
    assert first["standard_error_percent"] > last["standard_error_percent"]
    early = made({**PERIOD, "valuation_date": "2021-06-01"})["overall"]["time_adjustment"]
    assert (early["sales"], early["factors"]) == (0, [])
    assert "there are 0" in early["reason"]
    late = made({**PERIOD, "valuation_date": "2026-06-01"})["overall"]["time_adjustment"]
    assert "more than a year after the last sale" in late["reason"]


def test_market_areas_are_held_against_the_county() -> None:
    results = made({**PERIOD, "group_by": ["neighborhood", "property_class"]})
    assert results["group_by"] == ["neighborhood", "property_class"]
    areas = results["areas"]
    hoods = [area for area in areas if area["grouping"] == "neighborhood"]
    assert sum(area["sales"] for area in hoods) == 500
    assert sum(area["share_of_sales"] for area in hoods) == pytest.approx(1, abs=1e-3)
    [whole] = [area for area in areas if area["grouping"] == "property_class"]
    assert (whole["price_per_sqft_to_county"], whole["change_from_county"], whole["moves_apart"]) == (1.0, 0.0, False)
    per_area = [area["price_per_sqft_to_county"] for area in hoods]
    assert min(per_area) < 1 < max(per_area)


def test_the_files_hold_what_the_results_say() -> None:
    path = run({**PERIOD, "group_by": "neighborhood", "valuation_date": "2024-01-01"})
    results = call(handler, "GET", ALL + "/{analysis_id}/results", path=path).body
    months = [month for market in (results["overall"], *results["groups"]) for month in market["months"]]

    def file(format_: str) -> bytes:
        return downloaded(call(handler, "GET", ALL + "/{analysis_id}/download", path=path, query={"format": format_}))

    rows = list(csv.DictReader(io.StringIO(file("csv").decode())))
    assert [row["median_price"] for row in rows] == [month["median_price"] for month in months]
    assert rows[0]["grouping"] == "county"
    assert float(rows[0]["time_adjustment_factor"]) > 1
    frame = pl.read_parquet(io.BytesIO(file("parquet")))
    assert frame.schema["median_price"] == pl.Decimal(18, 2)
    assert frame["sales"].to_list() == [month["sales"] for month in months]
    assert frame["hedonic_index"].to_list() == [month["index"] for month in months]
    assert frame["month"][0] == date(2022, 1, 1)
    assert file("json").startswith(b"{")
    assert file("csv") == file("csv")
    other = call(handler, "GET", ALL + "/{analysis_id}/download", path=path, query={"format": "xls"})
    assert other.status == 422
    unfinished = submitted(PERIOD).body["id"]
    early = {"county_id": COUNTY, "analysis_id": unfinished}
    assert call(handler, "GET", ALL + "/{analysis_id}/download", path=early).status == 409


def test_a_neighborhood_that_is_a_formula_is_a_text_in_the_csv() -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE properties_operational SET neighborhood = '=HYPERLINK(1)'"))
    path = run({**PERIOD, "group_by": "neighborhood"})

    answer = call(handler, "GET", ALL + "/{analysis_id}/download", path=path, query={"format": "csv"})

    rows = list(csv.DictReader(io.StringIO(downloaded(answer).decode())))
    assert {row["group"] for row in rows} == {"all sales", "'=HYPERLINK(1)"}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM sales WHERE sale_id > 'S0012' AND validity_code = 'valid'",
        "UPDATE sales SET sale_price = 300000",
        "UPDATE sales SET sale_price = 0 WHERE sale_id < 'S0100'",
        "UPDATE sales SET sale_price = -5 WHERE sale_id < 'S0100'",
        "UPDATE sales SET sale_price = 999999999999 WHERE sale_id < 'S0003'",
        "UPDATE properties_operational SET neighborhood = 'one'",
        "UPDATE properties_operational SET neighborhood = NULL, property_class = NULL, living_area_sqft = NULL",
    ],
    ids=["12 sales", "equal prices", "no price", "negative", "absurd", "one neighborhood", "unknowns"],
)
def test_a_poor_county_gets_the_part_of_the_answer_that_there_is(statement: str) -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(text(statement))
    results = made({**PERIOD, "group_by": ["neighborhood"], "valuation_date": "2024-01-01"})
    overall = results["overall"]
    assert overall["sales"] == sum(group["sales"] for group in results["groups"])
    assert overall["annual_change"] is not None or overall["reason"] is not None
    assert bool(overall["time_adjustment"]["factors"]) == (overall["time_adjustment"]["reason"] is None)
    excluded = results["sales_excluded"].get("no_price", 0)
    valid = 13 if "DELETE" in statement else 500
    assert overall["sales"] + excluded == valid
    if "999" in statement:  # two absurd prices of 500 do not move the index
        assert overall["annual_change"]["percent"] == pytest.approx(100 * np.expm1(ANNUAL_TREND), abs=3)
