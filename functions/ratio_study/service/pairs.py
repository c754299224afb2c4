"""A ratio study of pairs that a request brings along, within what a request may cost."""

from __future__ import annotations

from functions.ratio_study.domain.results import shown
from functions.ratio_study.schemas import RatioStatistics, RatioStatisticsRequest, StratumResult
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.pair_study import Pairs, read_pairs, study_pairs
from shared.appraisal.ratio_study import Options
from shared.appraisal.verdicts import STANDARD, Uniformity
from shared.problems import Fault, Unprocessable

MAX_RESAMPLED_PAIRS = 10_000_000
"""Pairs times resamples, over all samples: half a second of a processor."""
_MAX_FAULTS = 100


def statistics_of(request: RatioStatisticsRequest) -> RatioStatistics:
    """Study the pairs. Raises Unprocessable, naming each pair at fault, or where they are too few or too many."""
    names = sorted({name for sale in request.sales for name in sale.strata})
    _refuse_costly(request, len(names))
    pairs = read_pairs([(sale.value, sale.price) for sale in request.sales], written=False)
    if pairs.faults:
        raise _faulty(pairs, len(request.sales))
    kind = Uniformity[request.property_kind.upper()] if request.property_kind else None
    options = Options(request.trim, request.confidence, request.iterations, request.seed, request.minimum_sample)
    columns = {name: [sale.strata.get(name) for sale in request.sales] for name in names}
    try:
        overall, strata = study_pairs(pairs, columns, kind, options)
    except AppraisalInputError as error:
        raise Unprocessable(
            f"The pairs cannot be studied: {error.problem}.", pointer="/body/sales", slug="ratio-study-not-possible"
        ) from error
    return RatioStatistics(
        standard=STANDARD,
        overall=shown(overall, ()),
        strata=tuple(
            StratumResult(
                stratum=one.name,
                value=one.level,
                sales=one.sales,
                study=None if one.study is None else shown(one.study, ()),
                reason=one.reason,
            )
            for one in strata
        ),
    )


def _refuse_costly(request: RatioStatisticsRequest, names: int) -> None:
    pairs = len(request.sales) * (1 + names)
    if pairs * request.iterations <= MAX_RESAMPLED_PAIRS:
        return
    fewer = MAX_RESAMPLED_PAIRS // pairs
    raise Unprocessable(
        f"{len(request.sales):,} pairs in {names} kinds of strata with {request.iterations:,} resamples cost more than"
        f" a request may: ask for {fewer:,} iterations at most, send fewer pairs, or study the file on your machine"
        " with `terrafusion ratio-study file FILE.csv`.",
        pointer="/body/iterations",
        slug="ratio-statistics-too-costly",
    )


def _faulty(pairs: Pairs, given: int) -> Unprocessable:
    told = pairs.faults[:_MAX_FAULTS]
    more = len(pairs.faults) - len(told)
    rest = f" The first {len(told)} of {len(pairs.faults)} faults are named." if more else ""
    return Unprocessable(
        f"{given - len(pairs.positions)} of {given} pairs have no ratio; none was studied.{rest}",
        slug="pairs-not-usable",
        faults=tuple(Fault(f"/body/sales/{fault.position}/{fault.side}", f"{fault.problem}.") for fault in told),
    )
