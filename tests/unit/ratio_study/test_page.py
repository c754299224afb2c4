"""The page of ratio studies, sales validation and market analyses names what there is, with its numbers."""

import json
import re
from typing import get_args

import pytest

from functions.market_analysis.domain import parameters as market
from functions.market_analysis.schemas import DownloadFormat, Grouping
from functions.ratio_study.schemas import MAX_PAIRS
from functions.sales_validation.domain import parameters as validation
from functions.sales_validation.schemas import Decision, Rule
from infra.openapi import DOCUMENT
from infra.settings import ROOT
from shared.appraisal import parameters as appraisal
from shared.appraisal.codes import VerdictCode
from shared.appraisal.verdicts import COD_RANGES
from shared.contracts.ratio_study import ValueSource
from shared.counties.configuration import SalesValidationSettings
from shared.jobs.large_results import MAX_ANSWER_BYTES

PAGE = (ROOT / "functions/ratio_study/README.md").read_text()
TEXT = " ".join(PAGE.split())
MODULES = {"ratio_study", "sales_validation", "market_analysis"}


def rows(first_column: str) -> dict[str, list[str]]:
    """The rows of the table whose first column has this title, by the names in that column."""
    table = PAGE.partition(f"\n| {first_column} |")[2].split("\n\n")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {name: row[1:] for row in cells for name in re.findall(r"`([^`]+)`", row[0])}


RANGES = rows("statistic")


def test_the_rules_are_those_of_the_api_and_the_settings_those_of_a_county() -> None:
    rules = rows("rule")
    assert rules.keys() == set(get_args(Rule))
    named = {name for (text,) in rules.values() for name in re.findall(r"`(\w+)`", text)}
    assert named == SalesValidationSettings.model_fields.keys()


@pytest.mark.parametrize("name", [*get_args(Decision), *get_args(DownloadFormat), *get_args(Grouping)])
def test_every_choice_of_the_api_is_named(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_sources_of_values_are_those_of_the_api() -> None:
    assert rows("`value_source`").keys() == set(get_args(ValueSource))


def test_the_ranges_are_those_of_the_verdicts() -> None:
    ranges = {
        code: [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", row[0])] for code, row in RANGES.items()
    }
    assert ranges.keys() == set(get_args(VerdictCode))
    assert ranges.pop("cod") == sorted({bound for bounds in COD_RANGES.values() for bound in bounds})
    assert ranges.pop("median_against_overall") == [appraisal.STRATUM_TOLERANCE * 100]
    assert ranges == {
        "median": [*appraisal.LEVEL_RANGE],
        "prd": [*appraisal.PRD_RANGE],
        "prb": [*appraisal.PRB_RANGE],
        "mki": [*appraisal.MKI_RANGE],
        "vei": [*appraisal.VEI_RANGE],
    }


@pytest.mark.parametrize(
    "sentence",
    [
        f"a price {validation.IMPLAUSIBLE_FACTOR:.0f} times the median of its class",
        f"less than {validation.LAND_SALE_SHARE * 100:.0f} % of its value",
        f"fewer than {appraisal.MIN_SALES_FOR_STATISTICS} sales have no statistics",
        f"of fewer than {appraisal.MIN_SALES_FOR_VERTICAL_EQUITY}, no verdict",
        f"up to {MAX_PAIRS:,} pairs",
        f"over {market.UNCERTAIN_SHARE * 100:.0f} % of it is marked as uncertain",
        f"over {market.WITHHELD_SHARE * 100:.0f} % it is withheld",
        f"Results over {MAX_ANSWER_BYTES // 1_000_000} MB",
    ],
)
def test_the_numbers_are_those_of_the_code(sentence: str) -> None:
    assert sentence in TEXT


def test_trimming_is_as_the_page_says() -> None:
    assert "ratios beyond three interquartile ranges are trimmed, a tenth of them at most" in TEXT
    assert (appraisal.IQR_MULTIPLE, appraisal.MAX_TRIMMED_SHARE) == (3.0, 0.1)


def test_the_routes_that_the_page_names_exist() -> None:
    paths = json.loads(DOCUMENT.read_text())["paths"]
    known = {
        (method.upper(), path.removeprefix("/v1/counties/{county_id}/"))
        for path, operations in paths.items()
        for method, operation in operations.items()
        if MODULES & set(operation["tags"])
    }
    named = {(method, path) for method, path in re.findall(r"`(GET|POST) ([\w/{}-]+)(?:\?[^`]*)?`", PAGE)}
    assert named <= known
    actions = {path.partition("/")[0] for _, path in named}
    assert {path.partition("/")[0] for _, path in known} <= actions


def test_the_files_that_decide_exist() -> None:
    files = rows("file")
    assert files
    assert [path for path in files if not (ROOT / path).is_file()] == []
