"""A county's ratio study: its sales, values and strata, measured and judged. Pure: records in, results out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from functions.ratio_study.domain.options import study_options
from functions.ratio_study.domain.parameters import MAX_LISTED_TRIMMED_SALES
from functions.ratio_study.domain.sales_chasing import compare_before_and_after, compare_sold_and_unsold
from functions.ratio_study.domain.strata import stratum_labels
from functions.ratio_study.domain.study_figures import (
    left_out_of_evidence,
    month_levels,
    ratio_bins,
    studied_sales,
)
from functions.ratio_study.domain.study_result import study_result
from functions.ratio_study.domain.study_sales import StudySales
from functions.ratio_study.domain.study_values import StudyValues, model_values, stored_values
from functions.ratio_study.schemas import PRICE_STRATA, RatioStudyRequest, StudyFilter
from shared.appraisal.arrays import BoolArray, FloatArray, IntArray, TextArray
from shared.appraisal.errors import InsufficientSalesError
from shared.appraisal.ratio_study import Options, RatioStudy, study
from shared.appraisal.verdicts import STANDARD, Uniformity, uniformity_of
from shared.contracts.ratio_study import (
    ChasingTest,
    RatioStudyResults,
    StratumResult,
    StudiedSales,
    StudyResult,
    TrimmedSale,
)
from shared.evidence import Evidence
from shared.progress import ReportProgress

_MIXED_KINDS_NOTE = (
    "COD is not judged: the sales are of several kinds of property or of a kind without a range; see the strata."
)


@dataclass(frozen=True)
class Study:
    """A study's results, and its sales one by one."""

    results: RatioStudyResults
    sales: StudiedSales


def make_study(request: RatioStudyRequest, sales: StudySales, progress: ReportProgress) -> Study:
    """Study the sales of the period. Raises AppraisalInputError when there are too few for any statistic."""
    evidence = sales.evidence
    valuation_date = _valuation_date(request, sales)
    adjust = valuation_date is not None and request.time_adjust_prices is not False
    in_dates = _in_period(request, evidence.sales.sale_day)
    in_period = in_dates & _in_filter(request.filter, evidence)
    values = _values(request, sales, in_period, valuation_date, adjust, progress)
    usable = in_period & np.isfinite(values.estimate) & (values.estimate > 0) & (evidence.sales.sale_price > 0)
    reasons = {
        **sales.excluded,
        "outside_sale_period": int((~in_dates).sum()),
        "outside_filter": int((in_dates & ~in_period).sum()),
        values.missing: int((in_period & ~usable).sum()),
    }
    rows = np.flatnonzero(usable).astype(np.int64)
    whole, overall, strata = _study_rows(request, sales, values, rows, progress)
    before_valuation = int((evidence.sales.sale_day[rows] < valuation_date.toordinal()).sum()) if valuation_date else 0
    kept = rows[whole.trimming.kept]
    ratio = values.estimate[kept] / values.price[kept]
    results = RatioStudyResults(
        value_source=request.value_source,
        roll_year=request.roll_year,
        valuation_run_id=request.valuation_run_id,
        sale_from=request.sale_from,
        sale_to=request.sale_to,
        valuation_date=valuation_date,
        prices_time_adjusted=adjust,
        standard=STANDARD,
        overall=_with_run_note(overall, request, before_valuation),
        strata=strata,
        chasing_tests=_chasing_tests(request, sales, values, rows, valuation_date if adjust else None),
        trimmed_sales=_trimmed(sales, values, rows[~whole.trimming.kept]),
        sales_excluded={reason: count for reason, count in reasons.items() if count},
        ratio_bins=ratio_bins(ratio),
        months=month_levels(ratio, evidence.sales.sale_day[kept], request.confidence),
    )
    left_out = [
        *left_out_of_evidence(evidence, np.flatnonzero(in_dates & ~in_period), "outside_filter"),
        *left_out_of_evidence(evidence, np.flatnonzero(in_period & ~usable), values.missing),
        *sales.left_out,
    ]
    return Study(results, studied_sales(evidence, values, rows, ~whole.trimming.kept, left_out))


def _valuation_date(request: RatioStudyRequest, sales: StudySales) -> date | None:
    if request.valuation_date is not None:
        return request.valuation_date
    if request.value_source == "model":
        return request.sale_to + timedelta(days=1)
    return sales.run_valuation_date


def _in_period(request: RatioStudyRequest, day: IntArray) -> BoolArray:
    return (day >= request.sale_from.toordinal()) & (day <= request.sale_to.toordinal())


def _in_filter(sale_filter: StudyFilter, evidence: Evidence) -> BoolArray:
    """The sales that meet every condition of the filter."""
    selected = np.ones(len(evidence), dtype=np.bool_)
    for names, column in (
        (sale_filter.property_classes, evidence.property_class),
        (sale_filter.neighborhoods, evidence.sales.characteristics.neighborhood),
        (sale_filter.sale_ids, np.array(evidence.sale_ids, dtype=np.str_)),
    ):
        if names is not None:
            selected &= np.isin(column, names)
    return selected


def _values(
    request: RatioStudyRequest,
    sales: StudySales,
    in_period: BoolArray,
    valuation_date: date | None,
    adjust: bool,
    progress: ReportProgress,
) -> StudyValues:
    """The values of the request's source.

    `in_period` are the sales to be studied; `adjust` carries their prices to the valuation date.
    """
    evidence = sales.evidence
    if request.value_source == "model" and valuation_date is not None:
        return model_values(evidence, in_period, valuation_date, adjust, progress)
    adjust_to = valuation_date if adjust else None
    if sales.stored_value is None:
        return stored_values(evidence, evidence.assessed_value, in_period, adjust_to, "no_assessed_value")
    missing = "no_value_in_the_run" if request.value_source == "valuation_run" else "no_value_in_the_roll"
    return stored_values(evidence, sales.stored_value, in_period, adjust_to, missing)


def _with_run_note(overall: StudyResult, request: RatioStudyRequest, before_valuation: int) -> StudyResult:
    """Add that a run's models may know the prices of sales before its valuation date."""
    if request.value_source != "valuation_run" or not before_valuation:
        return overall
    note = (
        f"{before_valuation:,} of the sales are before the run's valuation date: its models may have learned from their"
        " prices, so these ratios flatter them. Sales from that date on do not."
    )
    return overall.model_copy(update={"notes": (*overall.notes, note)})


def _chasing_tests(
    request: RatioStudyRequest, sales: StudySales, values: StudyValues, rows: IntArray, valuation_date: date | None
) -> tuple[ChasingTest, ...]:
    """Tests of values that a county set and that can have followed prices; a model's out-of-sample values cannot."""
    if request.value_source == "model":
        return ()
    periods = None
    if valuation_date is not None:
        ratio = values.estimate[rows] / values.price[rows]
        periods = compare_before_and_after(ratio, sales.evidence.sales.sale_day[rows], valuation_date.toordinal())
    return tuple(test for test in (compare_sold_and_unsold(sales.changes), periods) if test is not None)


def _study_rows(
    request: RatioStudyRequest, sales: StudySales, values: StudyValues, rows: IntArray, progress: ReportProgress
) -> tuple[RatioStudy, StudyResult, tuple[StratumResult, ...]]:
    """The overall study, the same as the results have it, and the strata; `rows` are the studied sales."""
    options = study_options(request)
    estimate, price = values.estimate[rows], values.price[rows]
    kinds = _property_kinds(request, sales.evidence.property_class[rows])
    overall = study(estimate, price, _only_kind(kinds), options)
    median = overall.statistics["median"].value

    def strata() -> Iterator[StratumResult]:
        for name in request.strata:
            labels = stratum_labels(name, sales, rows, estimate, price, median)
            stratum_options = replace(options, judge_vertical_equity=name not in PRICE_STRATA)
            order = np.argsort(labels, kind="stable")
            levels, starts = np.unique(labels[order], return_index=True)
            for number, members in enumerate(np.split(order, starts[1:])):
                progress(number + 1, len(levels), f"stratum {name}")
                sample = (estimate[members], price[members], kinds[members])
                yield _stratum(name, str(levels[number]), sample, stratum_options, median)

    return overall, _result(overall, kinds), tuple(strata())


def _stratum(
    name: str,
    level: str,
    sample: tuple[FloatArray, FloatArray, TextArray],
    options: Options,
    overall_median: float,
) -> StratumResult:
    """The study of a stratum's estimates, prices and kinds of property, or the reason why there is none."""
    estimate, price, kinds = sample
    try:
        stratum = study(estimate, price, _only_kind(kinds), options, overall_median)
    except InsufficientSalesError as error:
        return StratumResult(stratum=name, value=level, sales=estimate.size, study=None, reason=f"{error.problem}.")
    return StratumResult(stratum=name, value=level, sales=estimate.size, study=_result(stratum, kinds), reason=None)


def _result(sample_study: RatioStudy, kinds: TextArray) -> StudyResult:
    return study_result(sample_study, () if _only_kind(kinds) else (_MIXED_KINDS_NOTE,))


def _trimmed(sales: StudySales, values: StudyValues, rows: IntArray) -> tuple[TrimmedSale, ...]:
    """The trimmed sales, the ratios furthest from one first, up to the length of the list."""
    ratio = values.estimate[rows] / values.price[rows]
    furthest = np.argsort(-np.abs(np.log(ratio)), kind="stable")[:MAX_LISTED_TRIMMED_SALES]
    return tuple(
        TrimmedSale(
            sale_id=sales.evidence.sale_ids[row],
            property_id=sales.evidence.property_ids[row],
            sale_date=date.fromordinal(int(sales.evidence.sales.sale_day[row])),
            price=round(float(values.price[row]), 2),
            value=round(float(values.estimate[row]), 2),
            ratio=float(values.estimate[row] / values.price[row]),
        )
        for row in rows[furthest]
    )


def _property_kinds(request: RatioStudyRequest, property_class: TextArray) -> TextArray:
    """The kind of property of each sale, as requested or by the class's name; "" where neither names one."""
    requested = {name: Uniformity[kind.upper()] for name, kind in request.property_kinds.items()}
    levels, codes = np.unique(property_class, return_inverse=True)
    kinds = [requested.get(str(level)) or uniformity_of(str(level)) or "" for level in levels]
    return np.array(kinds, dtype=np.str_)[codes]


def _only_kind(kinds: TextArray) -> Uniformity | None:
    """The kind of property where all the sales are of one; None where they are mixed or of none."""
    distinct = np.unique(kinds)
    return Uniformity(str(distinct[0])) if distinct.size == 1 and distinct[0] != "" else None
