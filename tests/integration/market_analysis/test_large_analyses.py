"""An analysis of a large county, 200 neighborhoods by 120 months, is handed out by addresses of what is kept."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import update

from functions.market_analysis.handler import handler
from functions.market_analysis.schemas import (
    AdjustmentFactor,
    Grouping,
    Market,
    MarketAnalysisResults,
    Month,
    RepeatSales,
    TimeAdjustment,
)
from functions.market_analysis.service import download
from shared import jobs, storage
from shared.db import unit_of_work
from shared.db.models import Job
from shared.jobs.large_results import MAX_ANSWER_BYTES
from shared.jobs.lifecycle import results_key
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call
from tests.integration.evidence_county import COUNTY, add_county
from tests.job_cloud import downloaded, job_cloud

__all__ = ["job_cloud"]

ALL = "/v1/counties/{county_id}/market-analyses"
ONE = ALL + "/{analysis_id}"
REQUEST = {"from": "2014-01-01", "to": "2023-12-31", "group_by": "neighborhood", "valuation_date": "2024-01-01"}
NAMES = [f"{2014 + number // 12}-{number % 12 + 1:02}" for number in range(120)]
NEIGHBORHOODS = 200
FORMATS = ("json", "csv", "parquet")


def market(grouping: Grouping | None, group: str) -> Market:
    month: dict[str, Any] = {
        "sales": 12,
        "volume": Decimal("4123456.00"),
        "median_price": Decimal("412345.00"),
        "median_price_per_sqft": Decimal("212.34"),
        "index": 123.456,
        "standard_error": 1.234,
        "uncertain": False,
        "repeat_sales_index": 121.123,
        "repeat_sales_standard_error": 2.345,
        "repeat_sales_uncertain": False,
    }
    factors = tuple(AdjustmentFactor(month=name, factor=1.12345, standard_error_percent=0.512) for name in NAMES)
    return Market(
        grouping=grouping,
        group=group,
        sales=1440,
        base_month=NAMES[0],
        annual_change=None,
        months=tuple(Month(month=name, **month) for name in NAMES),
        reason=None,
        repeat_sales=RepeatSales(pairs=512, base_month=NAMES[0], reason=None),
        time_adjustment=TimeAdjustment(valuation_date=date(2024, 1, 1), sales=1440, factors=factors, reason=None),
    )


LARGE = MarketAnalysisResults(
    sale_from=date(2014, 1, 1),
    sale_to=date(2023, 12, 31),
    valuation_date=date(2024, 1, 1),
    group_by=("neighborhood",),
    overall=market(None, "all sales"),
    groups=tuple(market("neighborhood", f"N{number:03}") for number in range(NEIGHBORHOODS)),
    areas=(),
    sales_excluded={},
)
DOCUMENT = orjson.dumps(LARGE.model_dump(mode="json"))


@pytest.fixture
def path(database: MigratedDatabase, job_cloud: None) -> dict[str, str]:
    """The path of a finished analysis whose results are the large document."""
    add_county()
    job_id = call(handler, "POST", ALL, path={"county_id": COUNTY}, body=REQUEST).body["id"]
    storage.put(results_key(COUNTY, UUID(job_id)), DOCUMENT, "application/json")
    with unit_of_work(COUNTY) as connection:
        connection.execute(update(Job).values(status="succeeded"))
    return {"county_id": COUNTY, "analysis_id": job_id}


def get(path: dict[str, str], what: str, **query: str) -> Answer:
    return call(handler, "GET", f"{ONE}/{what}", path=path, query=query or None)


def test_results_over_the_limit_of_an_answer_are_a_303_to_their_document(path: dict[str, str]) -> None:
    assert len(DOCUMENT) > MAX_ANSWER_BYTES
    answer = get(path, "results")
    assert answer.headers["cache-control"] == "no-store"
    assert downloaded(answer) == DOCUMENT


def test_large_results_of_a_job_that_has_not_succeeded_are_not_handed_out(path: dict[str, str]) -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(update(Job).values(status="running"))
    for what in ("results", "download"):
        answer = get(path, what)
        assert (answer.status, answer.body["type"]) == (409, "urn:terrafusion:problem:job-not-succeeded")


def test_a_file_is_rendered_by_its_first_request_only(path: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    first = {name: downloaded(get(path, "download", format=name)) for name in FORMATS}
    monkeypatch.setattr(download, "to_file", lambda *_: pytest.fail("rendered again"))
    monkeypatch.setattr(jobs, "results_as", lambda *_: pytest.fail("read again"))
    assert {name: downloaded(get(path, "download", format=name)) for name in FORMATS} == first
