"""The records that a ratio study reads: the county's valid sales with the values and columns that belong to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from shared.appraisal.arrays import FloatArray
from shared.contracts.ratio_study import LeftOutSale
from shared.evidence import Evidence


@dataclass(frozen=True)
class ValueChanges:
    """Total values of `roll_year` over those of the year before, of properties sold in the period and of others."""

    roll_year: int
    sold: FloatArray
    unsold: FloatArray


@dataclass(frozen=True)
class StudySales:
    """The county's valid sales, and the number of its other sales by reason.

    `stored_value` is the value of the roll or run that is studied, one a sale, NaN where it has none; None for other
    sources. `columns` are the columns that strata are made of, one value a sale. `run_valuation_date` is that of the
    valuation run. `changes` is None where there are not two roll years to compare. `left_out` are the period's sales
    that are no evidence.
    """

    evidence: Evidence
    excluded: Mapping[str, int]
    stored_value: FloatArray | None = None
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    run_valuation_date: date | None = None
    changes: ValueChanges | None = None
    left_out: Sequence[LeftOutSale] = ()
