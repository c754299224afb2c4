"""A valuation run with its model, all of whose names are one."""

from datetime import date
from typing import Any

from functions.reporting.reports.report_type import Report
from functions.reporting.reports.valuation_summary import valuation_report
from shared.contracts.valuation_model import ValuationModelResults
from shared.contracts.valuation_run import ValuationRunSummary
from tests.unit.reporting.example_study import STUDY_ID


def _change(properties: int, group: str | None = None) -> dict[str, Any]:
    change = {
        "properties": properties,
        "valued": properties - 1,
        "not_valued": 1,
        "review": 3,
        "estimate_total": f"{properties * 260_000}.50",
        "compared": properties - 2,
        "compared_estimate_total": f"{(properties - 2) * 260_000}.00",
        "compared_current_total": f"{(properties - 2) * 250_000}.00",
        "change_percent": 4.0,
        "p5": -8.25,
        "p25": 1.5,
        "median": 3.75,
        "p75": 6.5,
        "p95": 14.5,
    }
    return change if group is None else {**change, "group": group}


def run_summary(name: str = "Elm Street") -> ValuationRunSummary:
    """A run of 900 properties in two classes and three neighborhoods."""
    return ValuationRunSummary.model_validate(
        {
            "valuation_date": date(2026, 1, 1),
            "models": [{"property_class": name or "x", "model_id": STUDY_ID}],
            "data_version": "v1",
            "overall": _change(900),
            "by_neighborhood": [_change(300, f"{name}{number}") for number in range(3)],
            "by_property_class": [_change(600, name), _change(300, "")],
            "flags": {name or "x": 12, "large_change": 40},
            "not_valued": {"no_place": 2},
        }
    )


def _accuracy(sales: int, name: str) -> dict[str, Any]:
    values = {"median": 0.987, "cod": 11.25, "prd": 1.021, "prb": -0.012}
    return {
        "sales": sales,
        "statistics": {each: {"value": value, "low": None, "high": None} for each, value in values.items()},
        "mape": 11.5,
        "coverage": 0.8125,
        "verdicts": [{"statistic": "COD", "result": "meets", "sentence": name or "x"}],
        "notes": [],
    }


def model_results(name: str = "Elm Street") -> ValuationModelResults:
    """A model of 5,200 sales, held out 640."""
    statistics = _accuracy(640, name)["statistics"]
    return ValuationModelResults.model_validate(
        {
            "model_id": STUDY_ID,
            "model": {
                "method": name,
                "valuation_date": date(2026, 1, 1),
                "property_classes": [name or "x"],
                "seed": 0,
                "training": {
                    "first_sale_date": date(2020, 1, 1),
                    "last_sale_date": date(2025, 12, 30),
                    "sales_used": 5200,
                    "sales_excluded": {"unverified": 80},
                    "features": ["living_area_sqft", name],
                    "weights": {"trees": 0.6, "regression": 0.4},
                    "data_version": "v1",
                    "library_versions": {},
                },
                "hold_out_sales": 640,
                "statistics": statistics,
                "mape": 11.5,
                "coverage": 0.8125,
                "meets_standard": False,
                "findings": [name or "x"],
                "artifact": {"sha256": "0" * 64, "size_bytes": 1},
            },
            "protocol": name,
            "folds": [
                {
                    "valued_as_of": date(2025, 1, 1),
                    "tested_to": date(2025, 12, 30),
                    "trained_on": 4560,
                    "tested": 640,
                }
            ],
            "overall": _accuracy(640, name),
            "strata": [
                {
                    "stratum": "neighborhood",
                    "value": name,
                    "sales": 80,
                    "accuracy": _accuracy(80, name),
                    "reason": None,
                },
                {"stratum": "sale_quarter", "value": "2025-Q1", "sales": 9, "accuracy": None, "reason": "too few"},
            ],
            "components": [
                {
                    "component": name,
                    "weight": 0.6,
                    "sales": 640,
                    "median": 0.99,
                    "cod": 11.75,
                    "prd": 1.02,
                    "mape": 11.75,
                }
            ],
        }
    )


def valuation_summary_of(name: str) -> Report:
    """The summary of a run and its model."""
    return valuation_report(run_summary(name), [model_results(name)])
