"""A whole ratio study of one sample of sales: trimmed, measured with intervals, judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from shared.appraisal import ratio_statistics as statistics
from shared.appraisal import verdicts
from shared.appraisal.arrays import FloatArray, FloatLike, sales_pair
from shared.appraisal.bootstrap import bootstrap
from shared.appraisal.distributions import checked_confidence
from shared.appraisal.errors import AppraisalInputError, InsufficientSalesError
from shared.appraisal.intervals import (
    Interval,
    mean_interval,
    median_interval,
    percentile_interval,
    prb_interval,
    weighted_mean_interval,
)
from shared.appraisal.parameters import BOOTSTRAP_ITERATIONS, BOOTSTRAP_SEED, CONFIDENCE, MIN_SALES_FOR_STATISTICS
from shared.appraisal.sales_chasing import ChasingSigns, chasing_signs
from shared.appraisal.trimming import Trimming, no_trimming, trim_outliers
from shared.appraisal.verdicts import Uniformity, Verdict
from shared.appraisal.vertical_equity import VerticalEquity, vertical_equity


@dataclass(frozen=True)
class Options:
    """Options of a study. `minimum_sales` sales (after trimming) are needed; never fewer than 5.

    `judge_vertical_equity` is for samples of the whole range of values: within a narrow part of it PRD, PRB, MKI and
    VEI mostly measure the noise of the prices.
    """

    trim: bool = True
    confidence: float = CONFIDENCE
    iterations: int = BOOTSTRAP_ITERATIONS
    seed: int = BOOTSTRAP_SEED
    minimum_sales: int = MIN_SALES_FOR_STATISTICS
    judge_vertical_equity: bool = True


@dataclass(frozen=True)
class Measured:
    """A statistic and its confidence interval; `interval` is None where the sample allows none."""

    value: float
    interval: Interval | None


@dataclass(frozen=True)
class RatioStudy:
    """Results of a study. `statistics` is keyed by name (see `measure`); `sales` counts those left by trimming.

    `vertical_equity` has the groups behind the VEI, where there is one.
    """

    sales: int
    trimming: Trimming
    statistics: dict[str, Measured]
    verdicts: tuple[Verdict, ...]
    chasing: ChasingSigns
    vertical_equity: VerticalEquity | None
    notes: tuple[str, ...] = field(default=())


def study(
    estimate: FloatLike,
    sale_price: FloatLike,
    uniformity: Uniformity | None = None,
    options: Options | None = None,
    overall_median: float | None = None,
) -> RatioStudy:
    """Study the ratios of one sample (a jurisdiction or a stratum).

    `uniformity` is the kind of property, for COD's range; without it COD is measured and not judged.
    `overall_median` makes this a stratum, whose level is also held against the whole. Raises
    InsufficientSalesError below `options.minimum_sales` sales (5 at least; the standard advises 20 and more before PRD
    and PRB are judged, and below that their verdicts are "insufficient sample").
    """
    options = options or Options()
    checked_confidence(options.confidence)
    estimates, prices = sales_pair(estimate, sale_price, minimum=0)
    minimum = max(options.minimum_sales, MIN_SALES_FOR_STATISTICS)
    if estimates.size < minimum:
        raise InsufficientSalesError("sale_price", estimates.size, minimum, "a ratio study")
    ratio = estimates / prices
    trimming = trim_outliers(ratio) if options.trim else no_trimming(ratio)
    estimates, prices = estimates[trimming.kept], prices[trimming.kept]
    if estimates.size < minimum:
        raise InsufficientSalesError("sale_price", estimates.size, minimum, "a ratio study after trimming")
    measured, notes = measure(estimates, prices, options)
    signs = chasing_signs(estimates / prices)
    if signs.low_cod:
        sign = f"COD is under 5, which the {verdicts.STANDARD} takes as a sign of sales chasing"
        notes += (f"{sign} or of a sample that does not represent the population.",)
    groups = vertical_equity(estimates, prices) if "vei" in measured else None
    judged = _judge_level_and_uniformity(measured, estimates.size, uniformity, overall_median)
    if options.judge_vertical_equity:
        judged += _judge_vertical_equity(measured, estimates.size, groups)
    else:
        notes += ("Vertical equity is not judged within a part of the range of values.",)
    return RatioStudy(estimates.size, trimming, measured, judged, signs, groups, notes)


def measure(estimates: FloatArray, prices: FloatArray, options: Options) -> tuple[dict[str, Measured], tuple[str, ...]]:
    """Every statistic that the sample has, with its interval, and why one is missing.

    Keys: median, mean, weighted_mean, cod, cov, prd, prb, mki, vei.
    """
    ratio = estimates / prices
    resampled = bootstrap(estimates, prices, options.iterations, options.seed)
    level = options.confidence
    measured = {
        "median": Measured(float(np.median(ratio)), median_interval(ratio, level)),
        "mean": Measured(float(ratio.mean()), mean_interval(ratio, level)),
        "weighted_mean": Measured(
            float(estimates.sum() / prices.sum()), weighted_mean_interval(estimates, prices, level)
        ),
        "cod": Measured(statistics.cod(ratio), percentile_interval(resampled.cod, level)),
        "cov": Measured(statistics.cov(ratio), percentile_interval(resampled.cov, level)),
        "prd": Measured(statistics.prd(estimates, prices), percentile_interval(resampled.prd, level)),
    }
    optional: dict[str, Callable[[], Measured]] = {
        "prb": lambda: Measured(statistics.prb(estimates, prices), prb_interval(estimates, prices, level)),
        "mki": lambda: Measured(statistics.mki(estimates, prices), percentile_interval(resampled.mki, level)),
        "vei": lambda: Measured(statistics.vei(estimates, prices), percentile_interval(resampled.vei, level)),
    }
    notes = []
    for name, compute in optional.items():
        try:
            measured[name] = compute()
        except AppraisalInputError as error:
            notes.append(f"{name.upper()} is not given: {error.problem}.")
    return measured, tuple(notes)


def _judge_level_and_uniformity(
    measured: dict[str, Measured], sales: int, uniformity: Uniformity | None, overall_median: float | None
) -> tuple[Verdict, ...]:
    median, cod = measured["median"], measured["cod"]
    judged = [verdicts.judge_level(median.value, median.interval, sales)]
    if overall_median is not None:
        judged.append(verdicts.judge_stratum_level(median.value, median.interval, sales, overall_median))
    if uniformity is not None:
        judged.append(verdicts.judge_cod(cod.value, cod.interval, sales, uniformity))
    return tuple(judged)


def _judge_vertical_equity(
    measured: dict[str, Measured], sales: int, groups: VerticalEquity | None
) -> tuple[Verdict, ...]:
    judges = {"prd": verdicts.judge_prd, "prb": verdicts.judge_prb, "mki": verdicts.judge_mki}
    judged = [
        judge(measured[name].value, measured[name].interval, sales)
        for name, judge in judges.items()
        if name in measured
    ]
    if groups is not None:
        vei = measured["vei"]
        judged.append(verdicts.judge_vei(vei.value, vei.interval, sales, groups.significance))
    return tuple(judged)
