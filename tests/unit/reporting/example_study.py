"""A ratio study's document, as that module writes it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from functions.reporting.domain.heading import Heading
from functions.reporting.render.charts.ratio_map import PlacedParcel
from functions.reporting.reports.finished_study import FinishedStudy, results_model
from functions.reporting.reports.report_type import Report
from functions.reporting.reports.sales_ratio_study import study_report
from shared.contracts.ratio_study import StudiedSales
from shared.jobs import Job, Progress

MADE_AT = datetime(2026, 11, 22, 22, 57, 0, 704_489, tzinfo=UTC)
STUDY_ID = UUID("00000000-0000-4000-8000-000000000001")


def sample(median: float, *, sales: int = 40, result: str = "meets", overall: float | None = None) -> dict[str, Any]:
    verdicts = [verdict("median", "median ratio", result, 0.9, 1.1)]
    if overall is not None:
        verdicts.append(
            verdict(
                "median_against_overall",
                "stratum's median ratio (within 5% of the overall level)",
                result,
                0.93,
                1.03,
            )
        )
    verdicts += [
        verdict("cod", "COD for vacant land property", result, 5.0, 25.0),
        verdict("prb", "PRB", result, -0.05, 0.05),
    ]
    return {
        "sales": sales,
        "trimming": {"trimmed": 2, "beyond_fences": 3, "low_fence": 0.4, "high_fence": 1.6, "capped": True},
        "statistics": {
            "median": {"value": median, "low": median - 0.021, "high": median + 0.0196},
            "mean": {"value": median + 0.01, "low": None, "high": None},
            "cod": {"value": 9.649, "low": 9.2, "high": 10.1},
            "prb": {"value": -0.0271, "low": -0.04, "high": 0.01},
        },
        "verdicts": verdicts,
        "vertical_equity": None,
        "sales_chasing": {"suspected": True, "low_cod": False, "largest_step": 0.1, "share_near_one": 0.2},
        "notes": ["MKI is not given: every price is the same."],
    }


def verdict(code: str, statistic: str, result: str, low: float, high: float) -> dict[str, Any]:
    sentence = f"the {statistic} {result}."
    return {
        "code": code,
        "statistic": statistic,
        "result": result,
        "range_low": low,
        "range_high": high,
        "sentence": sentence,
    }


def stratum(value: str, study: dict[str, Any]) -> dict[str, Any]:
    return {"stratum": "neighborhood", "value": value, "sales": study["sales"], "study": study, "reason": None}


def results() -> dict[str, Any]:
    return {
        "value_source": "assessed",
        "roll_year": None,
        "valuation_run_id": None,
        "sale_from": "2025-01-01",
        "sale_to": "2025-12-31",
        "valuation_date": "2026-01-01",
        "prices_time_adjusted": True,
        "standard": "IAAO Standard on Ratio Studies (2013)",
        "overall": sample(0.98),
        "strata": [
            stratum("N1", sample(0.95, sales=30, overall=0.98)),
            stratum("N2", sample(1.2, sales=9, result="does not meet", overall=0.98)),
            {"stratum": "neighborhood", "value": "N3", "sales": 1, "study": None, "reason": "needs 5 sales."},
        ],
        "chasing_tests": [],
        "trimmed_sales": [],
        "sales_excluded": {"not_arms_length": 1203},
        "something_newer": {"unknown": [1, 2]},
    }


def finished(document: dict[str, Any], **parameters: Any) -> FinishedStudy:
    job = Job(
        id=STUDY_ID,
        kind="ratio_study",
        status="succeeded",
        progress=Progress(),
        submitted_by="somebody",
        created_at=MADE_AT,
        finished_at=MADE_AT,
        parameters={"from": "2025-01-01", "trim": True, "strata": ["neighborhood"], "seed": 1, **parameters},
        links={},
    )
    return FinishedStudy(job, document, results_model(document))


def heading(name: str = "King County, Washington", county_id: str = "king_wa") -> Heading:
    return Heading(county_id, name, "00000000-0000-4000-8000-000000000002", MADE_AT)


def study_of(name: str) -> Report:
    """The report of a study with a name in every place for one."""
    document = results()
    document["strata"][0]["value"] = name
    document["overall"]["notes"] = [name]
    document["overall"]["verdicts"][0]["sentence"] = name
    document["sales_excluded"] = {name: 1}
    parcels = placed_parcels(name, "N2", "N3")
    return study_report(finished(with_figures(document), note=name), studied_sales(name), parcels)


def studied_sales(name: str = "N1", count: int = 400) -> StudiedSales:
    """Sales of a year whose ratios fall with the price; every fortieth is trimmed, and one was left out."""
    prices = [120_000 * 1.006**number for number in range(count)]
    ratios = [1.12 - 0.0006 * number * 400 / count + 0.2 * ((number * 37) % 17 / 17 - 0.5) for number in range(count)]
    left_out = {
        "sale_id": "X1",
        "property_id": name,
        "sale_date": "2025-02-03",
        "sale_price": 10.0,
        "reason": "not_arms_length",
    }
    return StudiedSales.model_validate(
        {
            "sale_ids": [f"S{number}" for number in range(count)],
            "property_ids": [f"P{number}" for number in range(count)],
            "sale_dates": [f"2025-{1 + number % 12:02}-10" for number in range(count)],
            "neighborhoods": [name] * count,
            "property_classes": [name] * count,
            "sale_prices": prices,
            "prices": prices,
            "values": [price * ratio for price, ratio in zip(prices, ratios, strict=True)],
            "ratios": ratios,
            "trimmed": [number % 40 == 0 for number in range(count)],
            "left_out": [left_out],
        }
    )


def with_figures(document: dict[str, Any]) -> dict[str, Any]:
    """The document of a study with its distribution and its months."""
    bins = [
        {"low": 0.4 + 0.05 * n, "high": 0.45 + 0.05 * n, "sales": max(0, 1060 - 101 * abs(n - 11))} for n in range(28)
    ]
    months = [
        {
            "month": f"2025-{month:02}-01",
            "sales": 30,
            "median": 1.05 - 0.01 * month,
            "low": None if month == 4 else 1.0 - 0.01 * month,
            "high": None if month == 4 else 1.11 - 0.01 * month,
        }
        for month in range(1, 13)
    ]
    return {**document, "ratio_bins": bins, "months": months}


def placed_parcels(*neighborhoods: str) -> list[PlacedParcel]:
    """Parcels of a grid, a column of it a neighborhood."""
    return [
        ((-122.4 + 0.002 * column + 0.0003 * row, 47.6 + 0.002 * row), neighborhoods[column * len(neighborhoods) // 40])
        for column in range(40)
        for row in range(40)
    ]
