"""Reports of ratio studies, made from what the ratio study module itself left."""

import csv
import io
import json
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.ratio_study.handler import handler as study_handler
from functions.ratio_study.tasks import handler as study_task
from functions.reporting.reports.finished_study import read_sales
from tests.conftest import MigratedDatabase
from tests.gateway import call, claims_of
from tests.integration.evidence_county import COUNTY, add_county, add_evidence
from tests.integration.reporting.reports import made, request, run
from tests.job_cloud import job_cloud, run_task

__all__ = ["job_cloud"]

STUDIES = "/v1/counties/{county_id}/ratio-studies"
ASKED = {
    "value_source": "assessed",
    "from": "2022-01-01",
    "to": "2023-12-31",
    "strata": ["neighborhood", "price_quartile"],
    "iterations": 100,
}


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None) -> None:
    add_county()
    add_evidence()


def study(county_id: str = COUNTY, *, finished: bool = True, **options: Any) -> str:
    answer = call(
        study_handler,
        "POST",
        STUDIES,
        path={"county_id": county_id},
        body={**ASKED, **options},
        claims=claims_of(counties=(county_id,)),
    )
    study_id: str = answer.body["id"]
    if finished:
        run_task(study_task, county_id, "ratio_study", study_id)
    return study_id


def api_results(study_id: str) -> dict[str, Any]:
    resource = STUDIES + "/{study_id}/results"
    answer = call(study_handler, "GET", resource, path={"county_id": COUNTY, "study_id": study_id})
    assert answer.status == 200, answer.body
    results: dict[str, Any] = answer.body
    return results


def test_the_data_is_what_the_api_answers() -> None:
    study_id = study()
    document = json.loads(made("sales_ratio_study", "json", {"ratio_study_id": study_id}))
    assert document["ratio_study"]["results"] == api_results(study_id)
    assert document["ratio_study"]["id"] == study_id
    assert document["parameters"] == {"ratio_study_id": study_id}


def test_the_studys_sales_are_kept_one_by_one_with_those_left_out() -> None:
    study_id = study()
    results = api_results(study_id)
    sales = read_sales(COUNTY, UUID(study_id))
    assert sales is not None
    assert len(sales.ratios) == results["overall"]["sales"] + results["overall"]["trimming"]["trimmed"]
    assert sum(sales.trimmed) == results["overall"]["trimming"]["trimmed"]
    for figures in ("ratio_bins", "months"):
        assert sum(each["sales"] for each in results[figures]) == results["overall"]["sales"]
    reasons = Counter(each.reason for each in sales.left_out)
    assert reasons
    assert reasons <= Counter(results["sales_excluded"])
    page = made("sales_ratio_study", "html", {"ratio_study_id": study_id}).decode()
    for title in ("Ratio and price of each sale", "Distribution of the ratios", "Median ratio by month of sale"):
        assert f"<figcaption>{title}</figcaption>" in page


def test_the_tables_numbers_are_the_apis_to_the_last_digit() -> None:
    study_id = study()
    text = made("sales_ratio_study", "csv", {"ratio_study_id": study_id}).decode()
    rows = {
        (row["stratum"], row["stratum_value"], row["statistic"]): row
        for row in csv.DictReader(io.StringIO(text, newline=""))
    }
    results = api_results(study_id)
    samples = {("county", ""): results["overall"]} | {
        (stratum["stratum"], stratum["value"]): stratum["study"] for stratum in results["strata"] if stratum["study"]
    }
    assert len(samples) > 5
    for sample_index, sample in samples.items():
        for name, statistic in sample["statistics"].items():
            row = rows[(*sample_index, name)]
            assert float(row["value"]) == statistic["value"]
            assert int(row["sales"]) == sample["sales"]
            if statistic["low"] is not None:
                assert (float(row["interval_low"]), float(row["interval_high"])) == (
                    statistic["low"],
                    statistic["high"],
                )
    verdicts = {v["statistic"]: v["result"] for v in results["overall"]["verdicts"]}
    assert rows["county", "", "median"]["verdict"] == verdicts["median ratio"]
    assert rows["county", "", "prd"]["verdict"] == verdicts["PRD"]


def test_the_document_is_typeset_and_the_same_each_time() -> None:
    from functions.reporting.reports.request import ReportRequest
    from functions.reporting.service.build_report import build, heading_of
    from shared import jobs

    study_id = study()
    pdf = made("sales_ratio_study", "pdf", {"ratio_study_id": study_id})
    asked_at = jobs.record(COUNTY, "ratio_study", UUID(study_id)).created_at
    request = ReportRequest.model_validate(
        {"report_type": "sales_ratio_study", "format": "pdf", "parameters": {"ratio_study_id": study_id}}
    )
    first, second = (build(heading_of(COUNTY, "job", asked_at), request).content for _ in range(2))
    assert pdf.startswith(b"%PDF")
    assert first == second


def test_a_study_that_the_county_does_not_have_is_refused_with_its_place() -> None:
    answer = request("sales_ratio_study", "pdf", {"ratio_study_id": str(uuid4())})
    assert (answer.status, answer.body["type"]) == (422, "urn:terrafusion:problem:ratio-study-not-found")
    assert [error["pointer"] for error in answer.body["errors"]] == ["/body/parameters/ratio_study_id"]


def test_another_countys_study_is_not_there() -> None:
    add_county("other_wa")
    study_id = study("other_wa", finished=False)
    answer = request("sales_ratio_study", "pdf", {"ratio_study_id": study_id})
    assert (answer.status, answer.body["type"]) == (422, "urn:terrafusion:problem:ratio-study-not-found")


def test_a_study_that_has_not_succeeded_is_refused() -> None:
    answer = request("sales_ratio_study", "pdf", {"ratio_study_id": study(finished=False)})
    assert (answer.status, answer.body["type"]) == (409, "urn:terrafusion:problem:ratio-study-not-succeeded")


def test_the_job_itself_refuses_a_study_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.reporting.reports.sales_ratio_study import SalesRatioStudy

    with monkeypatch.context() as unchecked:
        unchecked.setattr(SalesRatioStudy, "check", lambda *_: None)
        answer = request("sales_ratio_study", "pdf", {"ratio_study_id": str(uuid4())})
    job = run(answer.body["id"])
    assert (job.body["status"], job.body["error"]["type"]) == ("failed", "ratio-study-not-found")
