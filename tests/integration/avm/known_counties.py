"""Counties whose prices are known, and models of them."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from shared.appraisal.avm.model import TrainedModel
from shared.appraisal.avm.training import train
from shared.appraisal.columns import Characteristics, Sales
from tests.synthetic_county import LAST_DAY, County, synthetic_county

COUNTY = synthetic_county(1000)
ON = int(np.quantile(COUNTY.sales.sale_day, 0.85))
LATER = np.flatnonzero(COUNTY.sales.sale_day >= ON)
KNOWN = COUNTY.sales.characteristics
SMALL = synthetic_county(240, seed=7)
FEW, MANY = np.arange(120), np.arange(120, 1120)
"""Rows of `wordy_county`: the sales that a model is fitted on, and those that it has not seen."""
ON_LAST = LAST_DAY + 1


@cache
def large_model() -> TrainedModel:
    return train(COUNTY.sales, ON)


@cache
def small_model() -> TrainedModel:
    return train(SMALL.sales, LAST_DAY)


def one(row: int, **columns: float | str) -> Characteristics:
    changes: dict[str, Any] = {name: np.array([value]) for name, value in columns.items()}
    return replace(KNOWN.take(np.array([row])), **changes)


def with_columns(sales: Sales, **columns: Any) -> Sales:
    return replace(sales, characteristics=replace(sales.characteristics, **columns))


@cache
def wordy_county() -> County:
    """One that keeps forty attributes of each property, none of which is worth anything."""
    county = synthetic_county(1120, noise=0.15, trend=0.0)
    generator = np.random.default_rng(3)
    shuffled = generator.permutation(1120)
    properties = county.sales.characteristics.take(shuffled)
    numeric = {f"attribute_{number}": generator.normal(0, 1, 1120) for number in range(40)}
    days = np.sort(county.sales.sale_day[shuffled[:120]])
    sales = Sales(
        replace(properties, numeric={**properties.numeric, **numeric}),
        np.concatenate([days, np.full(1000, LAST_DAY)]),
        county.sales.sale_price[shuffled],
    )
    return County(sales, county.truth[shuffled])
