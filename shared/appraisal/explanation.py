"""One value by comparable sales, told in full: what each comparable sold for and every adjustment made to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np

from shared.appraisal.arrays import FloatArray
from shared.appraisal.columns import Characteristics
from shared.appraisal.comparables import TIME, ComparableSales, Reconciled
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.hedonic import LOCATION
from shared.appraisal.parameters import MAX_DAYS_BEYOND_SALES

_COLUMN_OF = {
    "living_area": "living_area_sqft",
    "land_area": "land_area_sqft",
}
_AGE = "age"
_CENT = Decimal("0.01")

Shown = str | float | None


@dataclass(frozen=True)
class Adjustment:
    """The adjustment for one difference between comparable and subject.

    `percent` is of the price before this adjustment. For `time` the values are the days of the valuation and the
    sale, for `location` the coordinates.
    """

    name: str
    amount: Decimal
    percent: float
    subject_value: Shown
    comparable_value: Shown


@dataclass(frozen=True)
class AdjustedComparable:
    """A comparable: `row` is its position in the sales given to `fit_comparables`.

    Price plus all amounts is exactly the adjusted price. `similarity` is 1 for a twin and falls towards 0;
    `weight` is its share of the value. `distance_km` is None where a place is unknown.
    """

    row: int
    sale_price: Decimal
    adjusted_price: Decimal
    adjustments: tuple[Adjustment, ...]
    distance_km: float | None
    similarity: float
    weight: float


@dataclass(frozen=True)
class Flag:
    """Something a reader of the value should know; `code` is stable, `text` is for people."""

    code: str
    text: str


@dataclass(frozen=True)
class Explanation:
    """A value with its 80 % interval, its comparables (heaviest first) and its flags."""

    estimate: Decimal
    low: Decimal
    high: Decimal
    confidence: float
    comparables: tuple[AdjustedComparable, ...]
    flags: tuple[Flag, ...]


def explain(model: ComparableSales, subject: Characteristics) -> Explanation:
    """Value one property (n = 1) and say why. Raises AppraisalInputError for one that cannot be valued."""
    if len(subject) != 1:
        raise AppraisalInputError("subject", f"must be one property, not {len(subject)}")
    require_comparable(model, subject)
    reconciled = model.reconcile(subject)
    low, high = model.errors.bounds(reconciled.difficulty, model.extra_error)
    confidence = model.errors.share_within(reconciled.difficulty, model.extra_error)
    estimate = float(reconciled.estimate[0])
    return Explanation(
        estimate=in_cents(estimate),
        low=in_cents(estimate * float(low[0])),
        high=in_cents(estimate * float(high[0])),
        confidence=round(float(confidence[0]), 3),
        comparables=_grid(model, subject, reconciled, model.valuation_day),
        flags=_flags(model, subject, reconciled),
    )


def adjustment_grid(model: ComparableSales, subject: Characteristics, on: int) -> tuple[AdjustedComparable, ...]:
    """The comparables of one property that the model can value, with their adjustments, the heaviest first.

    `on` is the day that prices are adjusted to, within what the trend reaches; nothing else depends on it.
    """
    reconciled = model.reconcile(subject)
    steps = reconciled.steps.copy()
    steps[:, :, 0] -= model.hedonic.trend.log_factor([float(on)])[0]
    return _grid(model, subject, replace(reconciled, steps=steps), on)


def require_comparable(model: ComparableSales, subject: Characteristics) -> None:
    """Raise AppraisalInputError for a property that cannot be valued, naming what it lacks."""
    area = subject.living_area_sqft[0]
    if not (np.isfinite(area) and area > 0):
        raise AppraisalInputError(
            "living_area_sqft", "the property has no living area, and sales are compared per living area"
        )
    if not model.can_value(subject)[0]:
        raise AppraisalInputError(
            "longitude", "the property has neither coordinates nor a neighborhood in which there are sales"
        )


def _grid(
    model: ComparableSales, subject: Characteristics, reconciled: Reconciled, on: int
) -> tuple[AdjustedComparable, ...]:
    order = np.argsort(-reconciled.weight[0], kind="stable")
    return tuple(_comparable(model, subject, reconciled, int(column), on) for column in order)


def _comparable(
    model: ComparableSales, subject: Characteristics, reconciled: Reconciled, column: int, on: int
) -> AdjustedComparable:
    row = int(reconciled.rows[0, column])
    theirs = model.sales.characteristics.take(np.array([row]))
    price = in_cents(float(model.sales.sale_price[row]))
    running = float(price) * np.exp(np.cumsum(reconciled.steps[0, column]))
    adjustments, before = [], price
    for name, step, after in zip(model.adjustment_names, reconciled.steps[0, column], running, strict=True):
        # The running price is rounded, not the step: so the amounts add up to the cent.
        rounded = in_cents(float(after))
        ours_shown, theirs_shown = shown(name, subject, 0), shown(name, theirs, 0)
        if name == TIME:
            ours_shown = date.fromordinal(on).isoformat()
            theirs_shown = date.fromordinal(int(model.sales.sale_day[row])).isoformat()
        percent = round(100.0 * float(np.expm1(step)), 4)
        adjustments.append(Adjustment(name, rounded - before, percent, ours_shown, theirs_shown))
        before = rounded
    return AdjustedComparable(
        row=int(model.rows[row]),
        sale_price=price,
        adjusted_price=before,
        adjustments=tuple(adjustments),
        distance_km=_distance_km(model, subject, theirs),
        similarity=round(1.0 / (1.0 + float(reconciled.distance[0, column])), 4),
        weight=round(float(reconciled.weight[0, column]), 6),
    )


def shown(name: str, properties: Characteristics, row: int) -> Shown:
    """A property's value of a feature for display; None where it is unknown or no single value."""
    if name == LOCATION:
        longitude, latitude = float(properties.longitude[row]), float(properties.latitude[row])
        return f"{longitude:.5f}, {latitude:.5f}" if np.isfinite(longitude + latitude) else None
    if name == _AGE:
        return _years(properties, row)
    column = properties.column(_COLUMN_OF.get(name, name))
    if column is None:
        return None
    value = column[row]
    if isinstance(value, str):
        return str(value) or None
    return float(value) if np.isfinite(value) else None


def _years(properties: Characteristics, row: int) -> Shown:
    built, effective = float(properties.year_built[row]), float(properties.effective_year[row])
    if np.isfinite(effective) and effective != built:
        return f"built {built:.0f}, effective {effective:.0f}" if np.isfinite(built) else f"effective {effective:.0f}"
    return built if np.isfinite(built) else None


def _distance_km(model: ComparableSales, subject: Characteristics, theirs: Characteristics) -> float | None:
    grid = model.hedonic.surface.grid
    ours = grid.kilometres(subject.longitude, subject.latitude)[0]
    away: FloatArray = ours - grid.kilometres(theirs.longitude, theirs.latitude)[0]
    distance = float(np.hypot(away[0], away[1]))
    return round(distance, 3) if np.isfinite(distance) else None


def _flags(model: ComparableSales, subject: Characteristics, reconciled: Reconciled) -> tuple[Flag, ...]:
    flags = []
    day = np.array([float(model.valuation_day)])
    for name, unknown in model.hedonic.features.unknown(subject, day).items():
        if unknown[0]:
            flags.append(Flag(f"unknown_{name}", f"{name}: unknown or never seen in the sales; a usual one is assumed"))
    if not subject.located[0]:
        flags.append(Flag("no_coordinates", "no coordinates: comparables are chosen by neighborhood, not distance"))
    elif not model.hedonic.contributions(subject, day)[1][0]:
        flags.append(Flag("outside_sales_area", "the property lies outside the area where there are sales"))
    spread, distance, gross = reconciled.difficulty[0] > model.difficulty_p95
    if distance:
        flags.append(Flag("few_similar_sales", "the comparables are less similar than for 19 in 20 past sales"))
    if gross:
        flags.append(Flag("large_adjustments", "the adjustments are larger than for 19 in 20 past sales"))
    if spread:
        flags.append(Flag("comparables_disagree", "the adjusted prices lie further apart than for 19 in 20 past sales"))
    if model.valuation_day - model.hedonic.trend.last_day > MAX_DAYS_BEYOND_SALES:
        text = f"the time trend is carried {model.valuation_day - model.hedonic.trend.last_day} days past the last sale"
        flags.append(Flag("extrapolated_time", text))
    return tuple(flags)


def in_cents(value: float) -> Decimal:
    """Dollars to the cent."""
    return Decimal(value).quantize(_CENT)
