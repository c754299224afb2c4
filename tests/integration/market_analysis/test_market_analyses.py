"""Market analyses as jobs, through the handlers and on PostgreSQL."""

from typing import Any

import numpy as np
import pytest

from functions.market_analysis.handler import handler
from functions.market_analysis.task import handler as task
from shared.access import Role
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY, SYNTHETIC, add_county, add_evidence
from tests.job_cloud import job_cloud, run_task
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


def made(body: dict[str, Any]) -> dict[str, Any]:
    job_id = submitted(body).body["id"]
    run_task(task, COUNTY, "market_analysis", job_id)
    path = {"county_id": COUNTY, "analysis_id": job_id}
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
    assert results["groups"] == []
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
