"""A county's ratio study: which sales, which values, which strata. Pure: what was read in, results out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from functions.ratio_study.domain.results import shown
from functions.ratio_study.domain.sales_chasing import before_and_after, sold_and_unsold
from functions.ratio_study.domain.strata import labels
from functions.ratio_study.domain.values import Values, known_values, model_values
from functions.ratio_study.repository import StudySales
from functions.ratio_study.schemas import (
    PRICE_STRATA,
    ChasingTest,
    RatioStudyRequest,
    RatioStudyResults,
    StratumResult,
    StudyFilter,
    StudyResult,
    TrimmedSale,
)
from shared.appraisal.arrays import BoolArray, FloatArray, IntArray, TextArray
from shared.appraisal.errors import InsufficientSalesError
from shared.appraisal.ratio_study import Options, RatioStudy, study
from shared.appraisal.verdicts import STANDARD, Uniformity, uniformity_of
from shared.evidence import Evidence

Progress = Callable[[int, int | None, str], None]
_MOST_LISTED = 1000
_MIXED = "COD is not judged: the sales are of several kinds of property or of a kind without a range; see the strata."


def make_study(request: RatioStudyRequest, sales: StudySales, progress: Progress) -> RatioStudyResults:
    """Study the sales of the period. Raises AppraisalInputError when there are too few for any statistic."""
    evidence = sales.evidence
    on = _valuation_date(request, sales)
    adjust = on is not None and request.time_adjust_prices is not False
    in_dates = _in_period(request, evidence.sales.sale_day)
    in_period = in_dates & _chosen(request.filter, evidence)
    values = _values(request, sales, in_period, on, adjust, progress)
    usable = in_period & np.isfinite(values.estimate) & (values.estimate > 0) & (evidence.sales.sale_price > 0)
    reasons = {
        **sales.excluded,
        "outside_sale_period": int((~in_dates).sum()),
        "outside_filter": int((in_dates & ~in_period).sum()),
        values.missing: int((in_period & ~usable).sum()),
    }
    rows = np.flatnonzero(usable).astype(np.int64)
    whole, overall, strata = _study_rows(request, sales, values, rows, progress)
    known_to_model = int((evidence.sales.sale_day[rows] < on.toordinal()).sum()) if on else 0
    return RatioStudyResults(
        value_source=request.value_source,
        roll_year=request.roll_year,
        valuation_run_id=request.valuation_run_id,
        sale_from=request.sale_from,
        sale_to=request.sale_to,
        valuation_date=on,
        prices_time_adjusted=adjust,
        standard=STANDARD,
        overall=_with_note(overall, request, known_to_model),
        strata=strata,
        chasing_tests=_chasing_tests(request, sales, values, rows, on if adjust else None),
        trimmed_sales=_trimmed(sales, values, rows[~whole.trimming.kept]),
        sales_excluded={reason: count for reason, count in reasons.items() if count},
    )


def _valuation_date(request: RatioStudyRequest, sales: StudySales) -> date | None:
    if request.valuation_date is not None:
        return request.valuation_date
    if request.value_source == "model":
        return request.sale_to + timedelta(days=1)
    return sales.run_valuation_date


def _in_period(request: RatioStudyRequest, day: IntArray) -> BoolArray:
    return (day >= request.sale_from.toordinal()) & (day <= request.sale_to.toordinal())


def _chosen(wanted: StudyFilter, evidence: Evidence) -> BoolArray:
    """The sales that a filter takes."""
    chosen = np.ones(len(evidence), dtype=np.bool_)
    for names, column in (
        (wanted.property_classes, evidence.property_class),
        (wanted.neighborhoods, evidence.sales.characteristics.neighborhood),
        (wanted.sale_ids, np.array(evidence.sale_ids, dtype=np.str_)),
    ):
        if names is not None:
            chosen &= np.isin(column, names)
    return chosen


def _values(
    request: RatioStudyRequest,
    sales: StudySales,
    in_period: BoolArray,
    on: date | None,
    adjust: bool,
    progress: Progress,
) -> Values:
    evidence = sales.evidence
    if request.value_source == "model" and on is not None:
        return model_values(evidence, in_period, on, adjust, progress)
    if sales.stored_value is None:
        return known_values(evidence, evidence.assessed_value, in_period, on if adjust else None, "no_assessed_value")
    missing = "no_value_in_the_run" if request.value_source == "valuation_run" else "no_value_in_the_roll"
    return known_values(evidence, sales.stored_value, in_period, on if adjust else None, missing)


def _with_note(overall: StudyResult, request: RatioStudyRequest, known_to_model: int) -> StudyResult:
    if request.value_source != "valuation_run" or not known_to_model:
        return overall
    note = (
        f"{known_to_model:,} of the sales are before the run's valuation date: its models may have learned from their"
        " prices, so these ratios flatter them. Sales from that date on do not."
    )
    return overall.model_copy(update={"notes": (*overall.notes, note)})


def _chasing_tests(
    request: RatioStudyRequest, sales: StudySales, values: Values, rows: IntArray, on: date | None
) -> tuple[ChasingTest, ...]:
    """Values that a county set can have followed prices; a model's, found without the price, cannot."""
    if request.value_source == "model":
        return ()
    split = None
    if on is not None:
        ratio = values.estimate[rows] / values.price[rows]
        split = before_and_after(ratio, sales.evidence.sales.sale_day[rows], on.toordinal())
    return tuple(test for test in (sold_and_unsold(sales.changes), split) if test is not None)


def _study_rows(
    request: RatioStudyRequest, sales: StudySales, values: Values, rows: IntArray, progress: Progress
) -> tuple[RatioStudy, StudyResult, tuple[StratumResult, ...]]:
    options = Options(request.trim, request.confidence, request.iterations, request.seed, request.minimum_sample)
    estimate, price = values.estimate[rows], values.price[rows]
    kinds = _kinds(request, sales.evidence.property_class[rows])
    overall = study(estimate, price, _only(kinds), options)
    median = overall.statistics["median"].value

    def strata() -> Iterator[StratumResult]:
        for name in request.strata:
            found = labels(name, sales, rows, estimate, price, median)
            of_stratum = replace(options, judge_vertical_equity=name not in PRICE_STRATA)
            order = np.argsort(found, kind="stable")
            levels, starts = np.unique(found[order], return_index=True)
            for number, members in enumerate(np.split(order, starts[1:])):
                progress(number + 1, len(levels), f"stratum {name}")
                yield _stratum(
                    name, str(levels[number]), estimate[members], price[members], kinds[members], of_stratum, median
                )

    return overall, _shown(overall, kinds), tuple(strata())


def _trimmed(sales: StudySales, values: Values, rows: IntArray) -> tuple[TrimmedSale, ...]:
    """The ratios furthest from one first, as many as a list should have."""
    ratio = values.estimate[rows] / values.price[rows]
    furthest = np.argsort(-np.abs(np.log(ratio)), kind="stable")[:_MOST_LISTED]
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


def _stratum(
    name: str,
    level: str,
    estimate: FloatArray,
    price: FloatArray,
    kinds: TextArray,
    options: Options,
    overall_median: float,
) -> StratumResult:
    try:
        made = study(estimate, price, _only(kinds), options, overall_median)
    except InsufficientSalesError as error:
        return StratumResult(stratum=name, value=level, sales=estimate.size, study=None, reason=f"{error.problem}.")
    return StratumResult(stratum=name, value=level, sales=estimate.size, study=_shown(made, kinds), reason=None)


def _shown(made: RatioStudy, kinds: TextArray) -> StudyResult:
    return shown(made, () if _only(kinds) else (_MIXED,))


def _kinds(request: RatioStudyRequest, property_class: TextArray) -> TextArray:
    """The kind of property of each sale, as asked for or as the class name tells; "" where it tells of none."""
    asked = {name: Uniformity[kind.upper()] for name, kind in request.property_kinds.items()}
    levels, place = np.unique(property_class, return_inverse=True)
    found = [asked.get(str(level)) or uniformity_of(str(level)) or "" for level in levels]
    return np.array(found, dtype=np.str_)[place]


def _only(kinds: TextArray) -> Uniformity | None:
    """The one kind that all the sales are of."""
    found = np.unique(kinds)
    return Uniformity(str(found[0])) if found.size == 1 and found[0] != "" else None
