"""The page of valuation is true: its codes and numbers are the code's, its figures the benchmark's."""

import re
from typing import get_args

import pytest

from functions.valuation.schemas.models import Standing
from functions.valuation.schemas.runs import RunFlag
from functions.valuation.service.by_comparables import BEING_RENEWED
from functions.valuation.service.comparables_models import MAX_SALES_IN_REQUEST
from functions.valuation.service.model_selection import NO_CHAMPION, NO_CHAMPION_OF_DAY
from functions.valuation.service.plan_run import MAX_PARTITION_PROPERTIES
from infra.settings import ROOT
from shared.appraisal import parameters
from shared.appraisal.avm.parameters import HOLDOUT_STARTS, VERTICAL_EQUITY_SCALES
from shared.appraisal.avm.results import Component, Exclusion, Refusal
from shared.contracts.valuation import LandMethod
from tests.benchmarks.valuation_accuracy import LAST_TRAINING_DAY

PAGE = (ROOT / "functions/valuation/README.md").read_text()
TEXT = " ".join(PAGE.split())
WORDS = (
    *get_args(Component),
    *get_args(Exclusion),
    *get_args(Refusal),
    *(flag for part in get_args(RunFlag) for flag in (get_args(part) or (part,))),
    *get_args(LandMethod),
    *get_args(Standing),
    NO_CHAMPION,
    NO_CHAMPION_OF_DAY,
    BEING_RENEWED,
)


@pytest.mark.parametrize("word", WORDS)
def test_every_code_of_an_answer_is_explained(word: str) -> None:
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize(
    "sentence",
    [
        f"the {parameters.COMPARABLES} most similar sales",
        f"holds {parameters.COVERAGE:.0%}".replace("%", " %"),
        f"errors within {parameters.CONFIDENCE_BAND:.0%}".replace("%", " %"),
        f"at most {VERTICAL_EQUITY_SCALES[1] - 1.0:.0%}".replace("%", " %"),
        f"up to {MAX_SALES_IN_REQUEST:,} sales in the request",
        f"partitions of {MAX_PARTITION_PROPERTIES:,} properties",
        f"more than {parameters.MAX_DAYS_BEYOND_SALES} days before",
        f"COD (the standard: {parameters.COD_RANGE_RESIDENTIAL[0]:.0f} to {parameters.COD_RANGE_RESIDENTIAL[1]:.0f})",
        "median ratio ({:.2f} to {:.2f})".format(*parameters.LEVEL_RANGE),
        "PRD ({:.2f} to {:.2f})".format(*parameters.PRD_RANGE),
        "PRB ({:.2f} to {:.2f})".format(*parameters.PRB_RANGE),
        "training sales to | {} | {} |".format(*LAST_TRAINING_DAY.values()),
    ],
)
def test_its_numbers_are_those_of_the_code(sentence: str) -> None:
    assert sentence in TEXT


def test_the_last_fifth_is_held_out_in_two_steps() -> None:
    assert HOLDOUT_STARTS == (0.8, 0.9)
    assert "the last fifth of the sales, in two steps" in TEXT


def test_its_accuracy_is_the_benchmarks() -> None:
    row = next(
        line
        for line in (ROOT / "tests/benchmarks/README.md").read_text().splitlines()
        if line.startswith("| `valuation_accuracy` |")
    )
    figures = row.split("|")[3]
    table = PAGE.split("## Accuracy")[1].split("## Parameters")[0]
    measured = [cell for line in table.splitlines() if line.startswith("| ") for cell in line.split("|")[2:4]]
    numbers = {number for cell in measured[4:] for number in re.findall(r"-?\d+\.\d+", cell)}
    assert len(numbers) >= 14
    assert numbers <= set(re.findall(r"-?\d+\.\d+", figures))
