"""Which months' indices say something: an index with a large standard error is marked, or not shown at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.appraisal.market_index import MonthlyIndex
from shared.appraisal.repeat_sales import RepeatSalesIndex

UNCERTAIN_SHARE = 0.05
"""Of the index: the 95 % interval is then twenty percent wide, more than markets mostly move in a year."""
WITHHELD_SHARE = 0.10
"""Of the index: the interval is forty percent wide, and the figure would be taken for more than it is."""


@dataclass(frozen=True)
class MonthIndex:
    """An index in one month; all None where there is none, or where it is withheld."""

    index: float | None = None
    standard_error: float | None = None
    uncertain: bool | None = None


def of_month(index: MonthlyIndex | RepeatSalesIndex | None, month: int) -> MonthIndex:
    """The index in a month, where it has one that says something."""
    place = np.flatnonzero(index.month == month) if index is not None else np.zeros(0, dtype=np.int64)
    if index is None or not place.size:
        return MonthIndex()
    value, error = float(index.index[place[0]]), float(index.standard_error[place[0]])
    if error > WITHHELD_SHARE * value:
        return MonthIndex()
    return MonthIndex(round(value, 3), round(error, 3), error > UNCERTAIN_SHARE * value)


def says_something(index: MonthlyIndex | RepeatSalesIndex) -> bool:
    """True where a month after the base is shown."""
    return bool((index.standard_error[1:] <= WITHHELD_SHARE * index.index[1:]).any())


def sentence(index: MonthlyIndex | RepeatSalesIndex, basis: str) -> str | None:
    """A caution on an index that is to be trusted little, or none; `basis` is what it rests on."""
    share = index.standard_error / index.index
    withheld, uncertain = int((share > WITHHELD_SHARE).sum()), int((share > UNCERTAIN_SHARE).sum())
    if not uncertain:
        return None
    said = f"It rests on {basis}, and its standard error is up to {share.max():.0%} of it"
    told = []
    if withheld:
        told.append(f"withheld where that is over {WITHHELD_SHARE:.0%} ({withheld} of {share.size} months)")
    if uncertain > withheld:
        told.append(f"marked as uncertain where it is over {UNCERTAIN_SHARE:.0%} ({uncertain - withheld} months)")
    return f"{said}: it is {' and '.join(told)}."
