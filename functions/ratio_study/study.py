"""A county's ratio study: which sales, which values, which strata. Pure: evidence in, results out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np

from functions.ratio_study import schemas
from functions.ratio_study.schemas import RatioStudyRequest, RatioStudyResults, StratumName, StratumResult
from functions.ratio_study.values import Values, assessed_values, model_values
from shared.appraisal import InsufficientSalesError, Options, RatioStudy, Uniformity, study, uniformity_of
from shared.appraisal.arrays import BoolArray, FloatArray, IntArray, TextArray
from shared.appraisal.ratio_statistics import value_proxy
from shared.appraisal.time_trend import month_numbers
from shared.appraisal.verdicts import STANDARD
from shared.evidence import Evidence

Progress = Callable[[int, int | None, str], None]
_UNKNOWN = "(unknown)"
_MIXED = "COD is not judged: the sales are of several kinds of property or of a kind without a range; see the strata."


def make_study(
    request: RatioStudyRequest, evidence: Evidence, excluded: dict[str, int], progress: Progress
) -> RatioStudyResults:
    """Study the sales of the period. Raises AppraisalInputError when there are too few for any statistic."""
    on = _valuation_date(request)
    adjust = on is not None and request.time_adjust_prices is not False
    in_period = _in_period(request, evidence.sales.sale_day)
    if request.value_source == "model" and on is not None:
        values = model_values(evidence, in_period, on, adjust, progress)
    else:
        values = assessed_values(evidence, on if adjust else None)
    usable = in_period & np.isfinite(values.estimate) & (values.estimate > 0) & (evidence.sales.sale_price > 0)
    reasons = {
        **excluded,
        "outside_sale_period": int((~in_period).sum()),
        values.missing: int((in_period & ~usable).sum()),
    }
    rows = np.flatnonzero(usable).astype(np.int64)
    results = _study_rows(request, evidence, values, rows, progress)
    return RatioStudyResults(
        value_source=request.value_source,
        sale_from=request.sale_from,
        sale_to=request.sale_to,
        valuation_date=on,
        prices_time_adjusted=adjust,
        standard=STANDARD,
        overall=results[0],
        strata=results[1],
        sales_excluded={reason: count for reason, count in reasons.items() if count},
    )


def _valuation_date(request: RatioStudyRequest) -> date | None:
    if request.valuation_date is None and request.value_source == "model":
        return request.sale_to + timedelta(days=1)
    return request.valuation_date


def _in_period(request: RatioStudyRequest, day: IntArray) -> BoolArray:
    return (day >= request.sale_from.toordinal()) & (day <= request.sale_to.toordinal())


def _study_rows(
    request: RatioStudyRequest, evidence: Evidence, values: Values, rows: IntArray, progress: Progress
) -> tuple[schemas.StudyResult, tuple[StratumResult, ...]]:
    options = Options(request.trim, request.confidence, request.iterations, request.seed, request.minimum_sample)
    estimate, price = values.estimate[rows], values.price[rows]
    kinds = _kinds(evidence.property_class[rows])
    overall = study(estimate, price, _only(kinds), options)
    median = overall.statistics["median"].value
    strata: list[StratumResult] = []
    for name in request.strata:
        labels = _labels(name, evidence, rows, estimate, price, median)
        levels = np.unique(labels)
        for number, level in enumerate(levels):
            progress(number + 1, len(levels), f"stratum {name}")
            members = np.flatnonzero(labels == level)
            strata.append(
                _stratum(name, str(level), estimate[members], price[members], kinds[members], options, median)
            )
    return _shown(overall, () if _only(kinds) else (_MIXED,)), tuple(strata)


def _stratum(
    name: StratumName,
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
    shown = _shown(made, () if _only(kinds) else (_MIXED,))
    return StratumResult(stratum=name, value=level, sales=estimate.size, study=shown, reason=None)


def _kinds(property_class: TextArray) -> TextArray:
    """The kind of property of each sale, "" for a class that tells of none."""
    levels, place = np.unique(property_class, return_inverse=True)
    return np.array([uniformity_of(str(level)) or "" for level in levels], dtype=np.str_)[place]


def _only(kinds: TextArray) -> Uniformity | None:
    """The one kind that all the sales are of."""
    found = np.unique(kinds)
    return Uniformity(str(found[0])) if found.size == 1 and found[0] != "" else None


def _labels(
    name: StratumName,
    evidence: Evidence,
    rows: IntArray,
    estimate: FloatArray,
    price: FloatArray,
    median: float,
) -> TextArray:
    """Which stratum each sale is in."""
    properties = evidence.sales.characteristics
    match name:
        case "neighborhood":
            return _known(properties.neighborhood[rows])
        case "property_class":
            return _known(evidence.property_class[rows])
        case "city":
            return _known(evidence.city[rows])
        case "quality":
            return _known(properties.quality[rows])
        case "sale_quarter":
            months = month_numbers(evidence.sales.sale_day[rows])
            return np.array([f"{month // 12}-Q{month % 12 // 3 + 1}" for month in months], dtype=np.str_)
        case "price_quartile":
            return _quartiles(value_proxy(estimate, price, median))
        case "size_quartile":
            return _quartiles(properties.living_area_sqft[rows])


def _known(labels: TextArray) -> TextArray:
    return np.where(labels == "", _UNKNOWN, labels)


def _quartiles(values: FloatArray) -> TextArray:
    known = np.isfinite(values)
    if not known.any():
        return np.full(values.size, _UNKNOWN)
    place = np.searchsorted(np.quantile(values[known], [0.25, 0.5, 0.75]), values, side="left")
    return np.where(known, np.array(["1 lowest", "2", "3", "4 highest"])[np.minimum(place, 3)], _UNKNOWN)


def _shown(made: RatioStudy, notes: tuple[str, ...]) -> schemas.StudyResult:
    trimming, chasing = made.trimming, made.chasing
    return schemas.StudyResult(
        sales=made.sales,
        trimming=schemas.Trimming(
            trimmed=trimming.trimmed,
            beyond_fences=trimming.beyond_fences,
            low_fence=trimming.low,
            high_fence=trimming.high,
            capped=trimming.capped,
        ),
        statistics={
            name: schemas.Statistic(
                value=measured.value,
                low=measured.interval.low if measured.interval else None,
                high=measured.interval.high if measured.interval else None,
            )
            for name, measured in made.statistics.items()
        },
        verdicts=tuple(
            schemas.StatisticVerdict(
                statistic=verdict.statistic,
                result=verdict.result,
                range_low=verdict.low,
                range_high=verdict.high,
                sentence=verdict.sentence,
            )
            for verdict in made.verdicts
        ),
        sales_chasing=schemas.SalesChasing(
            suspected=chasing.suspected,
            low_cod=chasing.low_cod,
            largest_step=chasing.largest_step,
            share_near_one=chasing.share_within,
        ),
        notes=(*made.notes, *notes),
    )
