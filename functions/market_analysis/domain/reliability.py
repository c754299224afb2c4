"""Reliability of monthly indices: one with a large standard error is marked as uncertain, or withheld."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from functions.market_analysis.domain.parameters import UNCERTAIN_SHARE, WITHHELD_SHARE
from shared.appraisal.market_index import MonthlyIndex
from shared.appraisal.repeat_sales import RepeatSalesIndex


@dataclass(frozen=True)
class MonthIndex:
    """An index in one month; all None where there is none, or where it is withheld."""

    index: float | None = None
    standard_error: float | None = None
    uncertain: bool | None = None


def month_index(index: MonthlyIndex | RepeatSalesIndex | None, month: int) -> MonthIndex:
    """The index in a month, where it has one that is reliable enough to show."""
    position = np.flatnonzero(index.month == month) if index is not None else np.zeros(0, dtype=np.int64)
    if index is None or not position.size:
        return MonthIndex()
    value, error = float(index.index[position[0]]), float(index.standard_error[position[0]])
    if error > WITHHELD_SHARE * value:
        return MonthIndex()
    return MonthIndex(round(value, 3), round(error, 3), error > UNCERTAIN_SHARE * value)


def is_reliable(index: MonthlyIndex | RepeatSalesIndex) -> bool:
    """True where a month after the base is reliable enough to show."""
    return bool((index.standard_error[1:] <= WITHHELD_SHARE * index.index[1:]).any())


def caution(index: MonthlyIndex | RepeatSalesIndex, basis: str) -> str | None:
    """A sentence of caution on an index of little reliability, or None; `basis` is the evidence that it rests on."""
    share = index.standard_error / index.index
    withheld, uncertain = int((share > WITHHELD_SHARE).sum()), int((share > UNCERTAIN_SHARE).sum())
    if not uncertain:
        return None
    consequences = []
    if withheld:
        consequences.append(f"withheld where that is over {WITHHELD_SHARE:.0%} ({withheld} of {share.size} months)")
    if uncertain > withheld:
        marked = uncertain - withheld
        consequences.append(f"marked as uncertain where it is over {UNCERTAIN_SHARE:.0%} ({marked} months)")
    evidence = f"It rests on {basis}, and its standard error is up to {share.max():.0%} of it"
    return f"{evidence}: it is {' and '.join(consequences)}."
