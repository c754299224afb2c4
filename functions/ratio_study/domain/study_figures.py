"""Figures of a study for charts: its sales one by one, its ratios by range, and its level by month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from functions.ratio_study.domain.parameters import RATIO_BIN_WIDTH, RATIO_BINS_FROM, RATIO_BINS_TO
from functions.ratio_study.domain.study_values import StudyValues
from shared.appraisal.arrays import BoolArray, FloatArray, IntArray
from shared.appraisal.intervals import median_interval
from shared.appraisal.parameters import MIN_SALES
from shared.appraisal.time_trend import month_numbers
from shared.contracts.ratio_study import LeftOutSale, MonthLevel, RatioBin, StudiedSales
from shared.evidence import Evidence


def ratio_bins(ratio: FloatArray) -> tuple[RatioBin, ...]:
    """The numbers of ratios by range; the first and the last range are open to their side."""
    count = round((RATIO_BINS_TO - RATIO_BINS_FROM) / RATIO_BIN_WIDTH)
    edges = np.round(RATIO_BINS_FROM + RATIO_BIN_WIDTH * np.arange(count + 1), 2)
    numbers = np.bincount(np.clip(np.searchsorted(edges, ratio, side="right") - 1, 0, count - 1), minlength=count)
    return tuple(
        RatioBin(low=float(low), high=float(high), sales=int(number))
        for low, high, number in zip(edges[:-1], edges[1:], numbers, strict=True)
    )


def month_levels(ratio: FloatArray, day: IntArray, confidence: float) -> tuple[MonthLevel, ...]:
    """The median ratio of each month that has sales, with its interval where the sales suffice for one."""
    months = month_numbers(day)
    return tuple(_month(int(month), ratio[months == month], confidence) for month in np.unique(months))


def _month(number: int, ratio: FloatArray, confidence: float) -> MonthLevel:
    interval = median_interval(ratio, confidence) if ratio.size >= MIN_SALES else None
    return MonthLevel(
        month=date(number // 12, number % 12 + 1, 1),
        sales=int(ratio.size),
        median=float(np.median(ratio)),
        low=interval.low if interval else None,
        high=interval.high if interval else None,
    )


def studied_sales(
    evidence: Evidence, values: StudyValues, rows: IntArray, trimmed: BoolArray, left_out: Sequence[LeftOutSale]
) -> StudiedSales:
    """The sales of a study, in the order of the evidence; `trimmed` is of `rows`."""
    price, value = values.price[rows], values.estimate[rows]
    return StudiedSales(
        sale_ids=tuple(evidence.sale_ids[row] for row in rows),
        property_ids=tuple(evidence.property_ids[row] for row in rows),
        sale_dates=tuple(date.fromordinal(int(day)) for day in evidence.sales.sale_day[rows]),
        neighborhoods=tuple(map(str, evidence.sales.characteristics.neighborhood[rows])),
        property_classes=tuple(map(str, evidence.property_class[rows])),
        sale_prices=tuple(float(paid) for paid in evidence.sales.sale_price[rows]),
        prices=tuple(round(float(each), 2) for each in price),
        values=tuple(round(float(each), 2) for each in value),
        ratios=tuple(float(each) for each in value / price),
        trimmed=tuple(bool(each) for each in trimmed),
        left_out=tuple(left_out),
    )


def left_out_of_evidence(evidence: Evidence, rows: IntArray, reason: str) -> list[LeftOutSale]:
    """Valid sales that are not studied, for one reason."""
    return [
        LeftOutSale(
            sale_id=evidence.sale_ids[row],
            property_id=evidence.property_ids[row],
            sale_date=date.fromordinal(int(evidence.sales.sale_day[row])),
            sale_price=round(float(evidence.sales.sale_price[row]), 2),
            reason=reason,
            neighborhood=str(evidence.sales.characteristics.neighborhood[row]),
            property_class=str(evidence.property_class[row]),
        )
        for row in rows
    ]
