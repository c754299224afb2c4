"""Verdicts on a statistic by the standard: it meets it, does not meet it, or cannot be told.

The ranges are those of the IAAO Standard on Ratio Studies (April 2013), tables 1-3 and 2-3 and section 9; MKI's
and VEI's ranges come from their authors and from IAAO's revision of the standard. A statistic fails only when
its whole confidence interval lies outside the range (section 9: the burden is on showing non-compliance).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.appraisal.codes import VerdictCode, VerdictResult
from shared.appraisal.intervals import Interval
from shared.appraisal.parameters import (
    COD_RANGE_HOMOGENEOUS,
    COD_RANGE_INCOME,
    COD_RANGE_RESIDENTIAL,
    COD_RANGE_RURAL,
    COD_RANGE_VACANT,
    LEVEL_RANGE,
    MIN_SALES_FOR_STATISTICS,
    MIN_SALES_FOR_VERTICAL_EQUITY,
    MKI_RANGE,
    PRB_RANGE,
    PRB_UNACCEPTABLE,
    PRD_RANGE,
    STRATUM_TOLERANCE,
    VEI_RANGE,
)

STANDARD = "IAAO Standard on Ratio Studies (2013)"
_THE_STANDARD = f"the {STANDARD}"
REVISION = "the exposure draft of the revised IAAO Standard on Ratio Studies (2025)"


class Uniformity(StrEnum):
    """The kinds of property that the standard gives a COD range for."""

    RESIDENTIAL_HOMOGENEOUS = "newer or homogeneous single-family residential"
    RESIDENTIAL = "older or mixed single-family residential"
    INCOME = "income-producing"
    RURAL = "rural residential and agricultural"
    VACANT = "vacant land"


COD_RANGES: dict[Uniformity, tuple[float, float]] = {
    Uniformity.RESIDENTIAL_HOMOGENEOUS: COD_RANGE_HOMOGENEOUS,
    Uniformity.RESIDENTIAL: COD_RANGE_RESIDENTIAL,
    Uniformity.INCOME: COD_RANGE_INCOME,
    Uniformity.RURAL: COD_RANGE_RURAL,
    Uniformity.VACANT: COD_RANGE_VACANT,
}

_CLASS_WORDS: tuple[tuple[Uniformity, tuple[str, ...]], ...] = (
    (Uniformity.VACANT, ("vacant", "land")),
    (Uniformity.RURAL, ("agric", "farm", "rural", "timber", "forest")),
    (Uniformity.INCOME, ("commerc", "industr", "apartment", "multi", "income", "office", "retail")),
    (Uniformity.RESIDENTIAL, ("resid", "single", "condo", "dwelling")),
)
_NOT_RESIDENTIAL = re.compile(r"non[\W_]*resid\w*")


@dataclass(frozen=True)
class Verdict:
    """One statistic judged. `code` names it to programs, `statistic` to people; `sentence` can be quoted."""

    code: VerdictCode
    statistic: str
    result: VerdictResult
    low: float
    high: float
    sentence: str


def uniformity_of(property_class: str | None) -> Uniformity | None:
    """The kind of property that a county's class name tells of by how its words begin; None when it tells of none."""
    name = _NOT_RESIDENTIAL.sub("", (property_class or "").lower())
    words = re.findall("[a-z]+", name)
    return next((kind for kind, starts in _CLASS_WORDS if any(word.startswith(starts) for word in words)), None)


def judge_level(value: float, interval: Interval | None, sales: int) -> Verdict:
    """The median ratio against 0.90 to 1.10."""
    return _judge(
        "median", "median ratio", value, interval, LEVEL_RANGE, sales, MIN_SALES_FOR_STATISTICS, _THE_STANDARD, 3
    )


def judge_stratum_level(value: float, interval: Interval | None, sales: int, overall: float) -> Verdict:
    """A stratum's median ratio against the overall median, give or take 5 percent."""
    bounds = (overall * (1 - STRATUM_TOLERANCE), overall * (1 + STRATUM_TOLERANCE))
    name = "stratum's median ratio (within 5% of the overall level)"
    return _judge(
        "median_against_overall", name, value, interval, bounds, sales, MIN_SALES_FOR_STATISTICS, _THE_STANDARD, 3
    )


def judge_cod(value: float, interval: Interval | None, sales: int, kind: Uniformity) -> Verdict:
    """COD against the range of its kind of property. A COD below 5 is no failure but a question."""
    low, high = COD_RANGES[kind]
    verdict = _judge(
        "cod",
        f"COD for {kind.value} property",
        value,
        interval,
        (low, high),
        sales,
        MIN_SALES_FOR_STATISTICS,
        _THE_STANDARD,
        1,
    )
    if verdict.result == "does not meet" and value < low:
        sentence = (
            f"The COD of {value:.1f} is below {low:.0f}, which {_THE_STANDARD} takes as a sign of sales chasing or of "
            "a sample that does not represent the population; uniformity cannot be judged before that is ruled out."
        )
        return replace(verdict, result="indeterminate", sentence=sentence)
    return verdict


def judge_prd(value: float, interval: Interval | None, sales: int) -> Verdict:
    """PRD against 0.98 to 1.03; needs 20 sales."""
    return _judge("prd", "PRD", value, interval, PRD_RANGE, sales, MIN_SALES_FOR_VERTICAL_EQUITY, _THE_STANDARD, 3)


def judge_prb(value: float, interval: Interval | None, sales: int) -> Verdict:
    """PRB against -0.05 to 0.05; beyond 0.10 the sentence says unacceptable. Needs 20 sales."""
    verdict = _judge("prb", "PRB", value, interval, PRB_RANGE, sales, MIN_SALES_FOR_VERTICAL_EQUITY, _THE_STANDARD, 3)
    if verdict.result == "does not meet" and interval and interval.outside(*PRB_UNACCEPTABLE):
        sentence = f"{verdict.sentence} A PRB beyond 0.10 either way is unacceptable."
        return replace(verdict, sentence=sentence)
    return verdict


def judge_mki(value: float, interval: Interval | None, sales: int) -> Verdict:
    """MKI against 0.95 to 1.05; needs 20 sales."""
    return _judge("mki", "MKI", value, interval, MKI_RANGE, sales, MIN_SALES_FOR_VERTICAL_EQUITY, REVISION, 3)


def judge_vei(value: float, interval: Interval | None, sales: int, significance: float | None = None) -> Verdict:
    """VEI against -10 to 10 percent; needs 20 sales.

    `significance` is the draft's own measure (see `vertical_equity`); the sentence then says what it tells.
    """
    verdict = _judge("vei", "VEI", value, interval, VEI_RANGE, sales, MIN_SALES_FOR_VERTICAL_EQUITY, REVISION, 1)
    if not significance or verdict.result == "insufficient sample":
        return verdict
    unacceptable = significance > VEI_RANGE[1]
    sentence = (
        f"{verdict.sentence} The 90% intervals of the groups with the highest and the lowest ratio are"
        f" {significance:.1f}% of the median apart; beyond 10% the draft calls it"
        f" unacceptable{'' if unacceptable else ', which this is not'}."
    )
    return replace(verdict, sentence=sentence)


def _judge(
    code: VerdictCode,
    name: str,
    value: float,
    interval: Interval | None,
    bounds: tuple[float, float],
    sales: int,
    minimum: int,
    source: str,
    digits: int,
) -> Verdict:
    low, high = bounds
    span = f"{low:.{digits}f} to {high:.{digits}f}"
    subject = f"The {name} of {value:.{digits}f} (n = {sales}"
    if sales < minimum or interval is None:
        sentence = (
            f"The {name} cannot be judged from {sales} sales; at least {minimum} sales and a confidence interval are "
            f"needed to hold it against {span} of {source}."
        )
        return Verdict(code, name, "insufficient sample", low, high, sentence)
    subject += f", confidence interval {interval.low:.{digits}f} to {interval.high:.{digits}f})"
    if interval.outside(low, high):
        sentence = f"{subject} does not meet {source}: the whole interval lies outside {span}."
        return Verdict(code, name, "does not meet", low, high, sentence)
    if low <= value <= high:
        return Verdict(code, name, "meets", low, high, f"{subject} meets {source}, whose range is {span}.")
    sentence = (
        f"{subject} lies outside {span} of {source}, but its interval reaches into the range: non-compliance cannot "
        "be shown from this sample."
    )
    return Verdict(code, name, "indeterminate", low, high, sentence)
