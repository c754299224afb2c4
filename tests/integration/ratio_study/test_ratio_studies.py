"""Ratio studies as jobs, through the handlers and on PostgreSQL."""

from typing import Any

import numpy as np
import pytest

from functions.ratio_study.handler import handler
from functions.ratio_study.task import handler as task
from shared.access import Role
from shared.appraisal.ratio_statistics import cod
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY, SYNTHETIC, add_county, add_evidence
from tests.job_cloud import job_cloud, run_task

__all__ = ["job_cloud"]

ALL = "/v1/counties/{county_id}/ratio-studies"
ASSESSED = {"value_source": "assessed", "from": "2022-01-01", "to": "2023-12-31"}
MODEL = {**ASSESSED, "value_source": "model", "iterations": 100}


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None) -> None:
    add_county()
    add_evidence()


def submitted(body: dict[str, Any], **options: Any) -> Answer:
    return call(handler, "POST", ALL, path={"county_id": COUNTY}, body=body, **options)


def job(job_id: str, part: str = "") -> Answer:
    return call(handler, "GET", ALL + "/{study_id}" + part, path={"county_id": COUNTY, "study_id": job_id})


def made(body: dict[str, Any]) -> dict[str, Any]:
    job_id = submitted(body).body["id"]
    run_task(task, COUNTY, "ratio_study", job_id)
    results = job(job_id, "/results")
    assert results.status == 200, job(job_id).body
    found: dict[str, Any] = results.body
    return found


def test_a_study_of_assessed_values_counts_every_sale_and_judges_every_statistic() -> None:
    results = made(ASSESSED)
    overall = results["overall"]
    assert overall["sales"] + overall["trimming"]["trimmed"] == 490
    assert results["sales_excluded"] == {
        "multi_parcel": 1,
        "no_assessed_value": 10,
        "nominal_price": 1,
        "not_arms_length": 1,
        "unverified": 1,
    }
    assert set(overall["statistics"]) == {"median", "mean", "weighted_mean", "cod", "cov", "prd", "prb", "mki", "vei"}
    for statistic in overall["statistics"].values():
        assert statistic["low"] <= statistic["value"] <= statistic["high"]
    expected = 100 * np.sqrt(0.08**2 + 0.1**2) * np.sqrt(2 / np.pi)
    assert overall["statistics"]["cod"]["value"] == pytest.approx(expected, abs=1.5)
    assert {verdict["result"] for verdict in overall["verdicts"]} <= {"meets", "indeterminate"}
    assert results["prices_time_adjusted"] is False


def test_the_same_request_gives_the_same_intervals() -> None:
    assert made(ASSESSED) == made(ASSESSED)
    assert (
        made({**ASSESSED, "seed": 7})["overall"]["statistics"]["cod"] != made(ASSESSED)["overall"]["statistics"]["cod"]
    )


def test_strata_hold_all_sales_and_a_small_one_says_why_it_has_no_study() -> None:
    names = ["neighborhood", "property_class", "city", "price_quartile", "sale_quarter", "size_quartile", "quality"]
    results = made({**ASSESSED, "strata": names, "minimum_sample": 60, "trim": False, "iterations": 100})
    for name in names:
        strata = [stratum for stratum in results["strata"] if stratum["stratum"] == name]
        assert sum(stratum["sales"] for stratum in strata) == 490
        for stratum in strata:
            assert (stratum["study"] is None) == (stratum["sales"] < 60)
            if stratum["study"] is None:
                assert f"there are {stratum['sales']}" in stratum["reason"]
            else:
                assert "stratum's median ratio" in stratum["study"]["verdicts"][1]["statistic"]
    assert {s["value"] for s in results["strata"] if s["stratum"] == "city"} == {"Kent", "Seattle"}
    assert len([s for s in results["strata"] if s["stratum"] == "sale_quarter"]) == 8


def test_a_study_of_model_values_tests_each_sale_without_its_own_price() -> None:
    results = made({**MODEL, "valuation_date": "2024-01-01"})
    overall = results["overall"]
    assert overall["sales"] + overall["trimming"]["trimmed"] == 500
    assert results["prices_time_adjusted"] is True
    # Were a sale's own price used, dispersion would fall below that of the prices about their true values.
    noise = cod(SYNTHETIC.sales.sale_price / SYNTHETIC.truth)
    assert noise < overall["statistics"]["cod"]["value"] < 2.2 * noise
    assert overall["statistics"]["median"]["value"] == pytest.approx(1, abs=0.03)


def test_sales_after_the_valuation_date_are_tested_by_what_was_known_before() -> None:
    results = made({**MODEL, "from": "2023-07-01", "valuation_date": "2023-07-01"})
    assert results["overall"]["statistics"]["median"]["value"] == pytest.approx(1, abs=0.05)
    assert results["sales_excluded"]["outside_sale_period"] > 300


def test_prices_are_carried_to_the_valuation_date_where_one_is_given() -> None:
    as_paid = made(ASSESSED)["overall"]["statistics"]["median"]["value"]
    adjusted = made({**ASSESSED, "valuation_date": "2024-01-01"})
    assert adjusted["prices_time_adjusted"] is True
    # Assessed values are about the value on the day of sale: prices brought forward are higher, ratios lower.
    assert adjusted["overall"]["statistics"]["median"]["value"] == pytest.approx(as_paid, abs=0.03)


def test_a_study_without_enough_sales_fails_with_the_numbers() -> None:
    job_id = submitted({**ASSESSED, "from": "1990-01-01", "to": "1990-12-31"}).body["id"]
    run_task(task, COUNTY, "ratio_study", job_id)
    failed = job(job_id).body
    assert (failed["status"], failed["error"]["type"]) == ("failed", "ratio-study-not-possible")
    assert "needs at least 5 sales and there are 0" in failed["error"]["detail"]
    assert job(job_id, "/results").status == 409


def test_a_study_is_accepted_as_a_job_once_for_each_idempotency_key() -> None:
    first = submitted(ASSESSED, headers={"Idempotency-Key": "k"})
    again = submitted(ASSESSED, headers={"Idempotency-Key": "k"})
    assert (first.status, first.body["kind"], first.body["status"]) == (202, "ratio_study", "pending")
    assert first.headers["location"] == f"/v1/counties/{COUNTY}/ratio-studies/{first.body['id']}"
    assert first.body["id"] == again.body["id"]
    assert first.body["parameters"]["from"] == "2022-01-01"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"value_source": "guess"}, "/body/value_source"),
        ({"to": "2021-01-01"}, "/body"),
        ({"strata": ["city", "city"]}, "/body/strata"),
        ({"strata": ["school"]}, "/body/strata/0"),
        ({"iterations": 0}, "/body/iterations"),
        ({"minimum_sample": 4}, "/body/minimum_sample"),
        ({"confidence": 1}, "/body/confidence"),
        ({"time_adjust_prices": True}, "/body"),
        ({"seed": -1}, "/body/seed"),
    ],
)
def test_what_cannot_be_studied_is_refused_with_the_place(change: dict[str, Any], pointer: str) -> None:
    answer = submitted({**ASSESSED, **change})
    assert answer.status == 422
    assert pointer in [error["pointer"] for error in answer.body["errors"]]


def test_only_who_may_run_valuations_starts_a_study_and_auditors_look_at_it() -> None:
    assert submitted(ASSESSED, claims=claims_of(Role.REPORTING_STAFF)).status == 403
    job_id = submitted(ASSESSED, claims=claims_of(Role.VALUATION_STAFF)).body["id"]
    path = {"county_id": COUNTY, "study_id": job_id}
    assert call(handler, "GET", ALL + "/{study_id}", path=path, claims=claims_of(Role.AUDITOR)).status == 200
