"""Counties whose prices are known, and models of them."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from shared.appraisal.avm.model import TrainedModel
from shared.appraisal.avm.training import train
from shared.appraisal.columns import Characteristics, Sales
from tests.synthetic_county import LAST_DAY, synthetic_county

COUNTY = synthetic_county(1000)
ON = int(np.quantile(COUNTY.sales.sale_day, 0.85))
LATER = np.flatnonzero(COUNTY.sales.sale_day >= ON)
KNOWN = COUNTY.sales.characteristics
SMALL = synthetic_county(240, seed=7)


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
