"""Ratio studies as jobs, through the handlers and on PostgreSQL."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import insert, text

from functions.ratio_study.handler import handler
from functions.ratio_study.tasks import handler as task
from shared.access import Role
from shared.appraisal.ratio_statistics import cod
from shared.db import unit_of_work
from shared.db.models import Assessment, Job, ValuationRun, ValuationRunResult
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY, PROVENANCE, SYNTHETIC, add_county, add_evidence
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
    first = made(ASSESSED)
    assert made(ASSESSED) == first
    assert made({**ASSESSED, "seed": 7})["overall"]["statistics"]["cod"] != first["overall"]["statistics"]["cod"]


def test_a_filter_takes_some_of_the_sales_and_counts_the_others() -> None:
    hoods = SYNTHETIC.sales.characteristics.neighborhood
    one = str(hoods[0])
    members = [f"S{row:04}" for row in np.flatnonzero(hoods == one)]
    by_hood = made({**ASSESSED, "filter": {"neighborhoods": [one]}, "trim": False, "iterations": 100})
    by_sale = made({**ASSESSED, "filter": {"sale_ids": members}, "trim": False, "iterations": 100})
    assert by_hood["overall"]["statistics"] == by_sale["overall"]["statistics"]
    left_out = by_hood["sales_excluded"]["outside_filter"]
    assert left_out == 500 - len(members)
    assert by_hood["overall"]["sales"] + by_hood["sales_excluded"].get("no_assessed_value", 0) == len(members)
    both = {"neighborhoods": [one], "property_classes": ["residential"], "sale_ids": [*members[:20], "X0", "nobody"]}
    narrow = made({**ASSESSED, "filter": both, "trim": False, "iterations": 100})
    assert narrow["sales_excluded"]["outside_filter"] == 500 - 20
    shops = submitted({**ASSESSED, "filter": {"property_classes": ["commercial"]}}).body["id"]
    run_task(task, COUNTY, "ratio_study", shops)
    assert "there are 0" in job(shops).body["error"]["detail"]
    assert submitted({**ASSESSED, "filter": {"planet": ["mars"]}}).status == 422


def test_a_model_is_tried_on_the_filtered_sales_with_values_of_all() -> None:
    members = [f"S{row:04}" for row in range(0, 500, 10)]
    narrow = made({**MODEL, "filter": {"sale_ids": members}})
    assert narrow["overall"]["sales"] + narrow["overall"]["trimming"]["trimmed"] == 50


def test_a_stratum_by_an_attribute_that_nobody_has_is_refused_with_those_there_are() -> None:
    study = submitted({**ASSESSED, "strata": ["attributes.nothing"]}).body["id"]
    run_task(task, COUNTY, "ratio_study", study)
    error = job(study).body["error"]
    assert error["type"] == "stratum-unknown"
    assert "'nothing'" in error["detail"]
    assert "heating, prior_appraised_value, view" in error["detail"]


def test_strata_hold_all_sales_and_a_small_one_says_why_it_has_no_study() -> None:
    names = ["neighborhood", "property_class", "city", "price_quartile", "sale_quarter", "size_quartile", "quality"]
    names += ["price_decile", "bathrooms", "year_built", "tax_district", "attributes.heating", "attributes.view"]
    results = made({**ASSESSED, "strata": names, "minimum_sample": 45, "trim": False, "iterations": 100})
    for name in names:
        strata = [stratum for stratum in results["strata"] if stratum["stratum"] == name]
        assert sum(stratum["sales"] for stratum in strata) == 490
        for stratum in strata:
            assert (stratum["study"] is None) == (stratum["sales"] < 45)
            if stratum["study"] is None:
                assert stratum["reason"].endswith(f" {stratum['sales']}.")
            else:
                assert "stratum's median ratio" in stratum["study"]["verdicts"][1]["statistic"]
    assert {s["value"] for s in results["strata"] if s["stratum"] == "city"} == {"Kent", "Seattle"}
    assert len([s for s in results["strata"] if s["stratum"] == "sale_quarter"]) == 8

    for stratum in results["strata"]:
        if stratum["study"] is not None:
            judged = {verdict["statistic"] for verdict in stratum["study"]["verdicts"]}
            assert ("PRB" in judged) == (not stratum["stratum"].startswith("price"))

    def levels(name: str) -> list[str]:
        return [stratum["value"] for stratum in results["strata"] if stratum["stratum"] == name]

    assert levels("price_decile")[:2] == ["01 lowest", "02"]
    assert levels("bathrooms") == ["1", "2", "3", "4", "5"]
    assert levels("tax_district") == ["(unknown)"]
    assert levels("attributes.heating") == ["gas", "oil"]
    assert levels("attributes.view") == ["0", "1"]
    assert len(levels("year_built")) == 4
    assert levels("year_built")[0].startswith("1: 1920 to ")


def test_a_study_of_model_values_tests_each_sale_without_its_own_price() -> None:
    results = made({**MODEL, "valuation_date": "2024-01-01"})
    overall = results["overall"]
    assert overall["sales"] + overall["trimming"]["trimmed"] == 500
    assert results["prices_time_adjusted"] is True
    # Were a sale's own price used, dispersion would fall below that of the prices about their true values.
    noise = cod(SYNTHETIC.sales.sale_price / SYNTHETIC.truth)
    assert noise < overall["statistics"]["cod"]["value"] < 2.2 * noise
    assert overall["statistics"]["median"]["value"] == pytest.approx(1, abs=0.03)


def test_a_class_whose_sales_tell_nothing_leaves_the_study_to_the_others() -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text("UPDATE properties_operational SET property_class = 'condominium' WHERE property_id < 'P0100'")
        )
        connection.execute(text("UPDATE sales SET sale_price = 250000 WHERE property_id < 'P0100'"))
    study = made({**MODEL, "strata": ["property_class"]})
    assert study["overall"]["sales"] > 300
    assert {stratum["value"] for stratum in study["strata"]} == {"residential"}


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
        ({"strata": ["attributes.'; DROP TABLE sales"]}, "/body/strata/0"),
        ({"value_source": "roll"}, "/body"),
        ({"roll_year": 2023}, "/body"),
        ({"value_source": "valuation_run"}, "/body"),
        ({"property_kinds": {"residential": "castle"}}, "/body/property_kinds/residential"),
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


def add_rolls(factor_of_sold: float) -> None:
    """Two rolls: sold parcels' values grow by the factor, 600 unsold ones' by 4 %."""
    generator = np.random.default_rng(4)
    growth = np.concatenate([np.full(500, factor_of_sold), np.full(600, 1.04)]) * np.exp(
        generator.normal(0, 0.03, 1100)
    )
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            insert(Assessment),
            [
                {
                    "county_id": COUNTY,
                    "assessment_id": f"A{year}-{row}",
                    "property_id": f"P{row:04}",
                    "roll_year": year,
                    "total_value": Decimal(round(float(value), 2)),
                    **PROVENANCE,
                }
                for row in range(1100)
                for year, value in ((2022, 400_000.0), (2023, 400_000.0 * growth[row]))
            ],
        )


def test_the_values_of_a_roll_are_studied_and_sold_parcels_held_against_unsold_ones() -> None:
    add_rolls(1.15)
    results = made({**ASSESSED, "value_source": "roll", "roll_year": 2023, "trim": False})
    assert results["overall"]["sales"] == 500
    [test] = results["chasing_tests"]
    assert (test["test"], test["first_sales"], test["second_sales"]) == ("sold_and_unsold", 500, 600)
    assert test["suspected"] is True
    assert "from roll 2022 to 2023" in test["sentence"].lower()
    first = made({**ASSESSED, "value_source": "roll", "roll_year": 2022, "trim": False})
    assert first["chasing_tests"] == []  # there is no roll before it
    prices = SYNTHETIC.sales.sale_price
    assert first["overall"]["statistics"]["median"]["value"] == pytest.approx(np.median(400_000 / prices), rel=1e-6)
    job_id = submitted({**ASSESSED, "value_source": "roll", "roll_year": 1999}).body["id"]
    run_task(task, COUNTY, "ratio_study", job_id)
    assert job(job_id).body["error"]["type"] == "roll-year-not-found"


def test_rolls_that_treat_sold_and_unsold_parcels_alike_bear_no_sign_of_chasing() -> None:
    add_rolls(1.04)
    [test] = made(ASSESSED)["chasing_tests"]
    assert test["suspected"] is False
    assert "no sign" in test["sentence"]


def add_run(status: str = "succeeded") -> str:
    """A valuation run as of 2023-07-01 that values every parcel at 0.9 of its true value."""
    run_id = uuid4()
    of_run = {"county_id": COUNTY, "run_id": run_id}
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            insert(Job).values(
                county_id=COUNTY,
                job_id=run_id,
                kind="valuation_run",
                status=status,
                parameters={},
                request_digest="",
                submitted_by="somebody",
            )
        )
        connection.execute(
            insert(ValuationRun).values(
                **of_run, valuation_date=date(2023, 7, 1), models={}, data_version="1", properties=500
            )
        )
        connection.execute(
            insert(ValuationRunResult),
            [
                {
                    **of_run,
                    "property_id": f"P{row:04}",
                    "partition_no": 0,
                    "estimate": Decimal(round(float(SYNTHETIC.truth[row]) * 0.9, 2)) if row % 10 else None,
                    "refusal": None if row % 10 else "no living area",
                    "review": False,
                    "flags": [],
                }
                for row in range(500)
            ],
        )
    return str(run_id)


def test_the_values_of_a_valuation_run_are_studied_as_of_its_date() -> None:
    run_id = add_run()
    body = {**ASSESSED, "value_source": "valuation_run", "valuation_run_id": run_id}
    results = made({**body, "time_adjust_prices": False})
    assert results["valuation_date"] == "2023-07-01"
    assert results["sales_excluded"]["no_value_in_the_run"] == 50
    assert results["overall"]["statistics"]["median"]["value"] == pytest.approx(0.9, abs=0.01)
    assert any("may have learned from their prices" in note for note in results["overall"]["notes"])
    adjusted = made(body)
    assert [test["test"] for test in adjusted["chasing_tests"]] == ["before_and_after_valuation_date"]
    later = made({**body, "from": "2023-07-01"})
    assert not any("may have learned" in note for note in later["overall"]["notes"])


def test_a_run_that_is_not_there_or_not_finished_is_refused() -> None:
    body = {**ASSESSED, "value_source": "valuation_run"}
    unknown = submitted({**body, "valuation_run_id": str(uuid4())})
    assert (unknown.status, unknown.body["errors"][0]["pointer"]) == (422, "/body/valuation_run_id")
    assert submitted({**body, "valuation_run_id": add_run("running")}).status == 409


def test_a_class_whose_name_tells_nothing_is_judged_by_the_kind_that_is_asked_for() -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE properties_operational SET property_class = 'R10'"))
    unknown = made({**ASSESSED, "iterations": 100})["overall"]
    assert not any("COD" in verdict["statistic"] for verdict in unknown["verdicts"])
    asked = made({**ASSESSED, "iterations": 100, "property_kinds": {"R10": "residential_homogeneous"}})["overall"]
    [verdict] = [verdict for verdict in asked["verdicts"] if "COD" in verdict["statistic"]]
    assert (verdict["range_low"], verdict["range_high"]) == (5.0, 10.0)


def test_the_groups_behind_the_vei_hold_all_sales() -> None:
    overall = made({**ASSESSED, "trim": False})["overall"]
    groups = overall["vertical_equity"]["groups"]
    assert len(groups) == 4  # 490 sales
    assert sum(group["sales"] for group in groups) == 490
    apart = 100 * (groups[-1]["median_ratio"] - groups[0]["median_ratio"]) / overall["statistics"]["median"]["value"]
    assert overall["statistics"]["vei"]["value"] == pytest.approx(apart)


@pytest.mark.parametrize("on", ["2021-12-01", "2022-06-15", "2024-06-01"])
def test_assessed_values_are_studied_as_of_a_day_before_amid_and_after_the_sales(on: str) -> None:
    results = made({**ASSESSED, "valuation_date": on})
    years = (date.fromisoformat(on) - date(2023, 1, 1)).days / 365.25
    expected = made(ASSESSED)["overall"]["statistics"]["median"]["value"]
    # the synthetic county assesses each parcel at its value on the day of its sale: no trend of price over value
    assert results["overall"]["statistics"]["median"]["value"] == pytest.approx(expected, abs=0.03 + 0.01 * abs(years))


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("DELETE FROM sales WHERE sale_id > 'S0012' AND validity_code = 'valid'", {"vei"}),
        ("UPDATE sales SET sale_price = 300000", {"mki"}),
        (
            "UPDATE sales SET sale_price = 300000; UPDATE properties_operational SET total_value = 300000",
            {"mki", "prb"},
        ),
        ("UPDATE sales SET sale_price = -1 WHERE sale_id < 'S0100'", set()),
        ("UPDATE sales SET sale_price = 999999999999 WHERE sale_id < 'S0003'", set()),
        ("UPDATE properties_operational SET neighborhood = 'one'", set()),
    ],
    ids=["12 sales", "equal prices", "all equal", "negative", "absurd", "one neighborhood"],
)
def test_a_poor_county_gets_the_statistics_that_it_has_and_the_reason_for_the_others(
    statement: str, missing: set[str]
) -> None:
    with unit_of_work(COUNTY) as connection:
        for part in statement.split(";"):
            connection.execute(text(part))
    overall = made({**ASSESSED, "iterations": 100, "strata": ["neighborhood"]})["overall"]
    names = {"median", "mean", "weighted_mean", "cod", "cov", "prd", "prb", "mki", "vei"}
    assert set(overall["statistics"]) == names - missing
    for name in missing:
        assert any(note.startswith(f"{name.upper()} is not given: ") for note in overall["notes"])
    assert all(np.isfinite(statistic["value"]) for statistic in overall["statistics"].values())
    if "999" in statement:
        assert overall["trimming"]["trimmed"] == 2  # the third has no assessed value


def test_trimmed_sales_are_named_the_oddest_first() -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE sales SET sale_price = sale_price * 50 WHERE sale_id = 'S0007'"))
        connection.execute(text("UPDATE sales SET sale_price = sale_price / 9 WHERE sale_id = 'S0009'"))
    results = made({**ASSESSED, "iterations": 100})
    assert [sale["sale_id"] for sale in results["trimmed_sales"]] == ["S0007", "S0009"]
    assert len(results["trimmed_sales"]) == results["overall"]["trimming"]["trimmed"]
    first = results["trimmed_sales"][0]
    assert first["ratio"] == pytest.approx(first["value"] / first["price"], rel=1e-4)
