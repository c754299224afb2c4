"""The price trend over time, and the factor that carries a sale price to another day.

The trend is a smooth curve of log price over time: a linear spline with a knot a month whose changes of slope are
penalised (an integrated random walk), fitted by weighted least squares with Huber weights. How much the slope may
change from month to month is not set by hand: it is the value of highest restricted likelihood (REML; Ruppert,
Wand and Carroll, Semiparametric Regression, chapter 4). What `log_price` is net of decides what kind of trend this
is: of living area (price per area), of the hedonic characteristics, or of the assessed value (the trend of
inverse ratios).

Where the sales span two years or more the curve also has a season: a yearly wave and a half-yearly one (two pairs of
sines and cosines), as drawn to none as REML says, too. Without it a spring's rise is taken for the trend's and goes on
through the autumn.

Beyond the last sale nothing is measured. The curve goes on with its last slope, which fades into the average slope
of the whole period with a half-life of six months, and never moves by more than 25 % a year, but for the season, which
comes again. The standard error grows with the cube of the distance as the random walk says. More than a year beyond
the sales is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from shared.appraisal.arrays import FloatArray, FloatLike, IntArray, finite_numbers
from shared.appraisal.errors import AppraisalInputError, InsufficientSalesError
from shared.appraisal.parameters import (
    DAYS_PER_YEAR,
    FREE_TREND_COLUMNS,
    MAD_TO_DEVIATION,
    MAX_EXTRAPOLATION_YEARS,
    MAX_LOG_CHANGE_PER_YEAR,
    MIN_SALES_FOR_TREND,
    MIN_YEARS_FOR_SEASON,
    SEASON_PENALTY_GRID,
    SLOPE_HALF_LIFE_YEARS,
    TREND_HUBER,
    TREND_ITERATIONS,
    TREND_PENALTY_GRID,
    TREND_RIDGE,
    WAVES_PER_YEAR,
)

_DAYS_A_MONTH = DAYS_PER_YEAR / 12
_PENALTIES = np.geomspace(*TREND_PENALTY_GRID)
_SEASON_PENALTIES = np.geomspace(*SEASON_PENALTY_GRID)


@dataclass(frozen=True)
class TimeTrend:
    """A fitted trend. Days are proleptic ordinals (`date.toordinal()`).

    `first_day` and `last_day` are those of the sales it was fitted on, all before `valuation_day`.
    `slope_deviation` is the standard deviation of the slope's monthly change (log points a year).
    """

    valuation_day: int
    first_day: int
    last_day: int
    sales: int
    slope_deviation: float
    knots: FloatArray
    coefficients: FloatArray
    covariance: FloatArray

    def level(self, day: FloatLike) -> FloatArray:
        """The log price level at each day, up to a constant; shape (n,)."""
        days = finite_numbers("day", day, minimum=0)
        self._require_within_horizon(days)
        inside = np.clip(days, self.first_day, self.last_day)
        level = self._basis(inside, days) @ self.coefficients
        beyond = (days - inside) / DAYS_PER_YEAR
        change = self._continuation(beyond) @ self.coefficients
        most = MAX_LOG_CHANGE_PER_YEAR * np.abs(beyond)
        return np.asarray(level + np.clip(change, -most, most))

    def log_factor(self, sale_day: FloatLike, to_day: int | None = None) -> FloatArray:
        """The addend that brings the log of a price of `sale_day` to `to_day` (the valuation day)."""
        target = self.valuation_day if to_day is None else to_day
        return np.asarray(self.level([float(target)])[0] - self.level(sale_day))

    def factor(self, sale_day: FloatLike, to_day: int | None = None) -> FloatArray:
        """The factor that brings a price of `sale_day` to `to_day` (the valuation day)."""
        return np.exp(self.log_factor(sale_day, to_day))

    def standard_error(self, sale_day: FloatLike, to_day: int | None = None) -> FloatArray:
        """The standard error of `log_factor`: nearly that of the factor as a share of it."""
        days = finite_numbers("sale_day", sale_day, minimum=0)
        target = np.array([float(self.valuation_day if to_day is None else to_day)])
        difference = self._functional(target) - self._functional(days)
        fitted = np.einsum("ij,jk,ik->i", difference, self.covariance, difference)
        return np.asarray(np.sqrt(np.maximum(fitted, 0.0) + np.abs(self._drift(target) - self._drift(days))))

    @property
    def annual_change(self) -> float:
        """The average change over the period of the sales, as a share a year."""
        return float(np.expm1(self._average_slope() @ self.coefficients))

    def _require_within_horizon(self, days: FloatArray) -> None:
        furthest = MAX_EXTRAPOLATION_YEARS * DAYS_PER_YEAR + 1
        if days.size and (days.max() > self.last_day + furthest or days.min() < self.first_day - furthest):
            raise AppraisalInputError(
                "day", "a day lies more than a year outside the period of the sales that the trend was fitted on"
            )

    @property
    def _seasonal(self) -> bool:
        return self.coefficients.size > 1 + self.knots.size

    def _basis(self, inside: FloatArray, days: FloatArray) -> FloatArray:
        """The curve within the period of the sales, and the season of any day."""
        spline = _spline(inside, self.first_day, self.knots)
        return np.column_stack([spline, _waves(days)]) if self._seasonal else spline

    def _functional(self, days: FloatArray) -> FloatArray:
        """The rows that, times the coefficients, give the level (bounds left aside)."""
        inside = np.clip(days, self.first_day, self.last_day)
        return np.asarray(self._basis(inside, days) + self._continuation((days - inside) / DAYS_PER_YEAR))

    def _continuation(self, years: FloatArray) -> FloatArray:
        """The change beyond the sales as a linear functional: last slope fading into the average."""
        rate = log(2.0) / SLOPE_HALF_LIFE_YEARS
        fading = np.where(years > 0, -np.expm1(-rate * np.maximum(years, 0.0)) / rate, 0.0)
        last = np.zeros_like(self.coefficients)
        last[0] = 1.0
        last[1 : 1 + self.knots.size] = self.knots < self.last_day
        average = self._average_slope()
        return np.asarray(fading[:, None] * (last - average)[None, :] + years[:, None] * average[None, :])

    def _average_slope(self) -> FloatArray:
        ends = _spline(np.array([self.first_day, self.last_day], dtype=np.float64), self.first_day, self.knots)
        slope = np.zeros_like(self.coefficients)
        slope[: ends.shape[1]] = (ends[1] - ends[0]) / max((self.last_day - self.first_day) / DAYS_PER_YEAR, 1e-9)
        return slope

    def _drift(self, days: FloatArray) -> FloatArray:
        """The variance that an integrated random walk gathers beyond the last sale."""
        years = np.maximum(days - self.last_day, 0.0) / DAYS_PER_YEAR
        return np.asarray(12.0 / 3.0 * self.slope_deviation**2 * years**3)


def fit_time_trend(
    sale_day: FloatLike,
    log_price: FloatLike,
    valuation_day: int,
    minimum: int = MIN_SALES_FOR_TREND,
) -> TimeTrend:
    """Fit the trend of `log_price` over `sale_day`, with the sales strictly before `valuation_day` only.

    Both arrays have shape (n,); days are ordinals. Raises InsufficientSalesError below `minimum` such sales, and
    AppraisalInputError when they all fall on one day or the valuation day is more than a year after the last.
    """
    days = finite_numbers("sale_day", sale_day, minimum=0)
    values = finite_numbers("log_price", log_price, minimum=0)
    if days.size != values.size:
        raise AppraisalInputError(
            "log_price", f"has {values.size} values and sale_day has {days.size}; they must be the same sales"
        )
    before = days < valuation_day
    days, values = days[before], values[before]
    if days.size < minimum:
        raise InsufficientSalesError("sale_day", int(days.size), minimum, "a time trend")
    first, last = int(days.min()), int(days.max())
    if first == last:
        raise AppraisalInputError("sale_day", "every sale is of one day, so no trend can be told")
    if valuation_day - last > MAX_EXTRAPOLATION_YEARS * DAYS_PER_YEAR:
        raise AppraisalInputError("valuation_day", "the valuation day is more than a year after the last sale")
    knots = np.arange(first + 2 * _DAYS_A_MONTH, last - _DAYS_A_MONTH, _DAYS_A_MONTH)
    columns = [np.ones(days.size), _spline(days, first, knots)]
    if last - first >= MIN_YEARS_FOR_SEASON * DAYS_PER_YEAR:
        columns.append(_waves(days))
    fit = _robust_smooth(np.column_stack(columns), values, len(knots))
    return TimeTrend(valuation_day, first, last, int(days.size), fit[2], knots, fit[0], fit[1])


def month_numbers(day: IntArray) -> IntArray:
    """Ordinal days as months counted from January of year 0: year * 12 + month - 1."""
    dates = np.asarray(day, dtype=np.int64) - _EPOCH_ORDINAL
    months = dates.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.asarray(months + 1970 * 12)


_EPOCH_ORDINAL = 719163  # date(1970, 1, 1).toordinal()


def _spline(days: FloatArray, origin: float, knots: FloatArray) -> FloatArray:
    """Linear spline in years: the slope before the first knot, then each knot's change of slope."""
    return np.column_stack(
        [(days - origin) / DAYS_PER_YEAR, np.maximum(days[:, None] - knots[None, :], 0.0) / DAYS_PER_YEAR]
    )


def _waves(days: FloatArray) -> FloatArray:
    """The season: a sine and a cosine a wave; shape (n, 4)."""
    angle = 2.0 * np.pi * np.outer(days / DAYS_PER_YEAR, WAVES_PER_YEAR)
    return np.column_stack([np.sin(angle), np.cos(angle)])


def _robust_smooth(design: FloatArray, values: FloatArray, knots: int) -> tuple[FloatArray, FloatArray, float]:
    """(coefficients without the constant, their covariance, deviation of the slope's changes)."""
    weights = np.ones(values.size)
    centre = float(np.median(values))
    for _ in range(TREND_ITERATIONS):
        beta, inverse, variance, penalty = _smooth(design, values - centre, weights, knots)
        residual = values - centre - design @ beta
        scale = MAD_TO_DEVIATION * float(np.median(np.abs(residual)))
        if scale <= 0.0:
            break
        weights = 1.0 / np.maximum(1.0, np.abs(residual) / (TREND_HUBER * scale))
    deviation = float(np.sqrt(variance / penalty)) if knots else 0.0
    return beta[1:], variance * inverse[1:, 1:], deviation


def _smooth(
    design: FloatArray, values: FloatArray, weights: FloatArray, knots: int
) -> tuple[FloatArray, FloatArray, float, float]:
    """Penalised least squares with the penalties of highest restricted likelihood; the waves' is not returned."""
    weighted = design * weights[:, None]
    gram, moment = weighted.T @ design, weighted.T @ values
    total = float(weights @ values**2)
    waves = design.shape[1] - FREE_TREND_COLUMNS - knots
    degrees = max(float(weights.sum()) - FREE_TREND_COLUMNS, 1.0)
    best_likelihood, best = -np.inf, (np.zeros(design.shape[1]), gram, 0.0, float(_PENALTIES[0]))
    for penalty in _PENALTIES if knots else _PENALTIES[:1]:
        for of_waves in _SEASON_PENALTIES if waves else _SEASON_PENALTIES[:1]:
            diagonal = np.repeat([TREND_RIDGE, float(penalty), float(of_waves)], [FREE_TREND_COLUMNS, knots, waves])
            matrix = gram + np.diag(diagonal)
            beta = np.asarray(np.linalg.solve(matrix, moment), dtype=np.float64)
            variance = max((total - float(moment @ beta)) / degrees, 1e-12)
            _, log_determinant = np.linalg.slogdet(matrix)
            of_penalties = knots * log(float(penalty)) + waves * log(float(of_waves))
            likelihood = -0.5 * (degrees * log(variance) + log_determinant - of_penalties)
            if likelihood > best_likelihood:
                best_likelihood, best = likelihood, (beta, matrix, variance, float(penalty))
    beta, matrix, variance, chosen = best
    return beta, np.asarray(np.linalg.inv(matrix), dtype=np.float64), variance, chosen
