"""A study of one sample as the API shows it."""

from __future__ import annotations

from functions.ratio_study import schemas
from functions.ratio_study.domain.sales_chasing import signs_sentence
from shared.appraisal.ratio_study import RatioStudy
from shared.appraisal.vertical_equity import VerticalEquity


def shown(made: RatioStudy, notes: tuple[str, ...]) -> schemas.StudyResult:
    """The study with further notes."""
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
        vertical_equity=_vertical_equity(made.vertical_equity) if made.vertical_equity else None,
        sales_chasing=schemas.SalesChasing(
            suspected=chasing.suspected,
            low_cod=chasing.low_cod,
            largest_step=chasing.largest_step,
            share_near_one=chasing.share_within,
            normal_share=chasing.normal_share,
            sentence=signs_sentence(chasing),
        ),
        notes=(*made.notes, *notes),
    )


def _vertical_equity(found: VerticalEquity) -> schemas.VerticalEquity:
    return schemas.VerticalEquity(
        significance=found.significance,
        groups=tuple(
            schemas.ValueGroup(
                sales=group.sales,
                median_value=group.median_value,
                median_ratio=group.median_ratio,
                low=group.interval.low,
                high=group.interval.high,
            )
            for group in found.groups
        ),
    )
