"""A computed study as the results document has it."""

from __future__ import annotations

from functions.ratio_study.domain.sales_chasing import chasing_signs_sentence
from shared.appraisal.ratio_study import Measured, RatioStudy
from shared.appraisal.sales_chasing import ChasingSigns
from shared.appraisal.verdicts import Verdict
from shared.appraisal.vertical_equity import VerticalEquity
from shared.contracts import ratio_study as results


def study_result(study: RatioStudy, notes: tuple[str, ...] = ()) -> results.StudyResult:
    """The study of one sample with further notes."""
    trimming = study.trimming
    return results.StudyResult(
        sales=study.sales,
        trimming=results.Trimming(
            trimmed=trimming.trimmed,
            beyond_fences=trimming.beyond_fences,
            low_fence=trimming.low,
            high_fence=trimming.high,
            capped=trimming.capped,
        ),
        statistics={name: _statistic(measured) for name, measured in study.statistics.items()},
        verdicts=tuple(map(_verdict, study.verdicts)),
        vertical_equity=_vertical_equity(study.vertical_equity) if study.vertical_equity else None,
        sales_chasing=_sales_chasing(study.chasing),
        notes=(*study.notes, *notes),
    )


def _statistic(measured: Measured) -> results.Statistic:
    interval = measured.interval
    return results.Statistic(
        value=measured.value, low=interval.low if interval else None, high=interval.high if interval else None
    )


def _verdict(verdict: Verdict) -> results.StatisticVerdict:
    return results.StatisticVerdict(
        code=verdict.code,
        statistic=verdict.statistic,
        result=verdict.result,
        range_low=verdict.low,
        range_high=verdict.high,
        sentence=verdict.sentence,
    )


def _sales_chasing(signs: ChasingSigns) -> results.SalesChasing:
    return results.SalesChasing(
        suspected=signs.suspected,
        low_cod=signs.low_cod,
        largest_step=signs.largest_step,
        share_near_one=signs.share_within,
        normal_share=signs.normal_share,
        sentence=chasing_signs_sentence(signs),
    )


def _vertical_equity(equity: VerticalEquity) -> results.VerticalEquity:
    return results.VerticalEquity(
        significance=equity.significance,
        groups=tuple(
            results.ValueGroup(
                sales=group.sales,
                median_value=group.median_value,
                median_ratio=group.median_ratio,
                low=group.interval.low,
                high=group.interval.high,
            )
            for group in equity.groups
        ),
    )
