"""Ratio statistics of the pairs that a request brings along, within a request's budget."""

from __future__ import annotations

from functions.ratio_study.domain.options import study_options
from functions.ratio_study.domain.parameters import MAX_NAMED_FAULTS, MAX_RESAMPLED_PAIRS
from functions.ratio_study.domain.study_result import study_result
from functions.ratio_study.schemas import RatioStatistics, RatioStatisticsRequest
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.pair_study import Pairs, read_pairs, study_pairs
from shared.appraisal.verdicts import STANDARD, Uniformity
from shared.contracts.ratio_study import StratumResult
from shared.problems import Fault, Unprocessable


def statistics_of(request: RatioStatisticsRequest) -> RatioStatistics:
    """Study the pairs. Raises Unprocessable, naming each pair at fault, or where they are too few or too many."""
    names = sorted({name for sale in request.sales for name in sale.strata})
    _require_within_budget(request, len(names))
    pairs = read_pairs([(sale.value, sale.price) for sale in request.sales], written=False)
    if pairs.faults:
        raise _faulty(pairs, len(request.sales))
    kind = Uniformity[request.property_kind.upper()] if request.property_kind else None
    columns = {name: [sale.strata.get(name) for sale in request.sales] for name in names}
    try:
        overall, strata = study_pairs(pairs, columns, kind, study_options(request))
    except AppraisalInputError as error:
        raise Unprocessable(
            f"The pairs cannot be studied: {error.problem}.", pointer="/sales", slug="ratio-study-not-possible"
        ) from error
    return RatioStatistics(
        standard=STANDARD,
        overall=study_result(overall),
        strata=tuple(
            StratumResult(
                stratum=stratum.name,
                value=stratum.level,
                sales=stratum.sales,
                study=None if stratum.study is None else study_result(stratum.study),
                reason=stratum.reason,
            )
            for stratum in strata
        ),
    )


def _require_within_budget(request: RatioStatisticsRequest, stratifications: int) -> None:
    pairs = len(request.sales) * (1 + stratifications)
    if pairs * request.iterations <= MAX_RESAMPLED_PAIRS:
        return
    affordable = MAX_RESAMPLED_PAIRS // pairs
    raise Unprocessable(
        f"{len(request.sales):,} pairs in {stratifications} kinds of strata with {request.iterations:,} resamples cost"
        f" more than a request may: ask for {affordable:,} iterations at most, send fewer pairs, or study the file on"
        " your machine with `terrafusion ratio-study file FILE.csv`.",
        pointer="/iterations",
        slug="ratio-statistics-too-costly",
    )


def _faulty(pairs: Pairs, pair_count: int) -> Unprocessable:
    named = pairs.faults[:MAX_NAMED_FAULTS]
    unnamed = len(pairs.faults) - len(named)
    remainder = f" The first {len(named)} of {len(pairs.faults)} faults are named." if unnamed else ""
    return Unprocessable(
        f"{pair_count - len(pairs.positions)} of {pair_count} pairs have no ratio; none was studied.{remainder}",
        slug="pairs-not-usable",
        faults=tuple(Fault(f"/sales/{fault.position}/{fault.side}", f"{fault.problem}.") for fault in named),
    )
