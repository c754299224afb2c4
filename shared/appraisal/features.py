"""From characteristics to the columns of a regression, learned from the county's own sales.

Each characteristic becomes a group of columns: a number is standardised and given hinges at its quantiles (so that
the effect of a square foot may differ between small and large homes), a code becomes one column a level. The groups
are the names under which adjustments are reported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shared.appraisal.arrays import BoolArray, FloatArray, IntArray, TextArray
from shared.appraisal.columns import Characteristics
from shared.appraisal.parameters import (
    DAYS_PER_YEAR,
    EARLIEST_YEAR_BUILT,
    EFFECTIVE_AGE_KNOT,
    FIVE_KNOTS,
    HINGE_PENALTY,
    LEVEL_PENALTY,
    LINEAR_PENALTY,
    LOG_LIVING_AREA_CENTER,
    MAX_LEVELS,
    MAX_UNKNOWN_SHARE,
    MEDIAN_KNOT,
    MIN_EFFECTIVE_YEAR_SHARE,
    MIN_KNOWN,
    MIN_KNOWN_SHARE,
    MIN_SALES_PER_LEVEL,
    MIN_ZERO_SHARE,
    QUALITY_CENTER,
)

Reader = Callable[[Characteristics, FloatArray], FloatArray]
_NUMERIC, _CATEGORICAL = "numeric:", "categorical:"


@dataclass(frozen=True)
class Number:
    """A numeric group: (value - mean) / deviation, its hinges, and whether zero is a state of its own.

    `source` says what is read. A `sparse` one is often unknown, as what legacy systems record only where there is
    something to record (a view, a pool): unknown is then a state of its own, with a column for being known.
    """

    name: str
    source: str
    mean: float
    deviation: float
    typical: float
    knots: tuple[float, ...]
    has_zero: bool
    lowest: float
    highest: float
    sparse: bool

    def read(self, properties: Characteristics, day: FloatArray) -> FloatArray:
        """The raw values; NaN unknown."""
        return read_number(self.source, properties, day)

    def design(self, properties: Characteristics, day: FloatArray) -> FloatArray:
        """The group's columns."""
        value = self.read(properties, day)
        known = np.isfinite(value)
        value = np.clip(np.where(known, value, self.typical), self.lowest, self.highest)
        columns = [(value - self.mean) / self.deviation]
        columns += [np.maximum(value - knot, 0.0) / self.deviation for knot in self.knots]
        if self.has_zero:
            columns.append((value > 0.0).astype(np.float64))
        if self.sparse:
            columns = [*(column * known for column in columns), known.astype(np.float64)]
        return np.column_stack(columns)

    @property
    def penalties(self) -> list[float]:
        """The ridge penalty of each column."""
        states = [LINEAR_PENALTY] * (self.has_zero + self.sparse)
        return [LINEAR_PENALTY, *[HINGE_PENALTY] * len(self.knots), *states]

    def unknown(self, properties: Characteristics, day: FloatArray) -> FloatArray:
        """1 where a value is assumed."""
        if self.sparse:
            return np.zeros(len(properties))
        return np.asarray(~np.isfinite(self.read(properties, day)), dtype=np.float64)

    def beyond(self, properties: Characteristics, day: FloatArray) -> BoolArray:
        """Mask of values outside the range of the sales."""
        value = self.read(properties, day)
        slack = 1e-9 * max(1.0, abs(self.lowest), abs(self.highest))
        return np.asarray((value < self.lowest - slack) | (value > self.highest + slack))


@dataclass(frozen=True)
class CategoricalFeature:
    """A coded group: one column a level; a level not seen in the sales has none."""

    name: str
    source: str
    levels: TextArray
    sparse: bool

    def read(self, properties: Characteristics) -> TextArray:
        """The codes; "" unknown."""
        return read_code(self.source, properties)

    def design(self, properties: Characteristics, day: FloatArray) -> FloatArray:
        """The group's columns."""
        del day
        return np.asarray(self.read(properties)[:, None] == self.levels[None, :], dtype=np.float64)

    @property
    def penalties(self) -> list[float]:
        """The ridge penalty of each column."""
        return [LEVEL_PENALTY] * len(self.levels)

    def unknown(self, properties: Characteristics, day: FloatArray) -> FloatArray:
        """1 where the code is unknown or was not seen."""
        del day
        code = self.read(properties)
        missing = ~np.isin(code, self.levels)
        return (missing & (code != "") if self.sparse else missing).astype(np.float64)


@dataclass(frozen=True)
class Features:
    """The learned columns. `design` gives shape (n, columns); `groups[i]` names column i's characteristic."""

    parts: tuple[Number | CategoricalFeature, ...]
    groups: tuple[str, ...]
    penalties: FloatArray

    @property
    def names(self) -> tuple[str, ...]:
        """The groups, each once, in the order in which adjustments are made."""
        return tuple(dict.fromkeys(self.groups))

    def design(self, properties: Characteristics, day: FloatArray) -> FloatArray:
        """The regression's columns for properties as they are on `day` (age counts to it)."""
        if not self.parts:
            return np.zeros((len(properties), 0))
        return np.column_stack([part.design(properties, day) for part in self.parts])

    def unknown(self, properties: Characteristics, day: FloatArray) -> dict[str, FloatArray]:
        """For each group, 1 where a property's characteristic is unknown or a code never seen."""
        masks: dict[str, FloatArray] = {}
        for part in self.parts:
            missing = part.unknown(properties, day)
            # A group of a number and its codes is known when either is.
            masks[part.name] = np.minimum(masks[part.name], missing) if part.name in masks else missing
        return masks


def learn_features(properties: Characteristics, day: FloatArray) -> Features:
    """Decide from sales which characteristics are usable and how they are coded.

    One that is the same for all is dropped. Where one is unknown for more than 5 % of the sales, that it is unknown
    is a state of its own; else a typical value stands for an unknown one.
    """
    parts: list[Number | CategoricalFeature | None] = [
        _number("living_area", "log_living_area", properties, day, FIVE_KNOTS),
        _number("land_area", "log_land_area", properties, day, FIVE_KNOTS),
        _number("age", "age", properties, day, FIVE_KNOTS),
        _number("age", "effective_age", properties, day, EFFECTIVE_AGE_KNOT)
        if _has_effective_years(properties)
        else None,
        _number("bathrooms", "bathrooms", properties, day, MEDIAN_KNOT),
        _number("bedrooms", "bedrooms", properties, day, MEDIAN_KNOT),
        _number("stories", "stories", properties, day, MEDIAN_KNOT),
        _number("quality", "quality_number", properties, day, MEDIAN_KNOT),
        _number("quality", "quality_by_size", properties, day, ()),
        _levels("quality", "quality", properties),
        _number("condition", "condition_number", properties, day, ()),
        _levels("condition", "condition", properties),
    ]
    parts += [_number(name, _NUMERIC + name, properties, day, MEDIAN_KNOT) for name in properties.numeric]
    parts += [_levels(name, _CATEGORICAL + name, properties) for name in properties.categorical]
    parts.append(_levels("neighborhood", "neighborhood", properties))
    usable = tuple(part for part in parts if part is not None)
    groups = tuple(part.name for part in usable for _ in part.penalties)
    return Features(usable, groups, np.array([penalty for part in usable for penalty in part.penalties]))


def read_number(source: str, properties: Characteristics, day: FloatArray) -> FloatArray:
    """A number by its source: one of those of `learn_features`, or an attribute; NaN where unknown."""
    if source.startswith(_NUMERIC):
        name = source.removeprefix(_NUMERIC)
        return properties.numeric[name] if name in properties.numeric else np.full(len(properties), np.nan)
    return _NUMBERS[source](properties, day)


def read_code(source: str, properties: Characteristics) -> TextArray:
    """A code by its source: `quality`, `condition`, `neighborhood` or an attribute; "" where unknown."""
    name = source.removeprefix(_CATEGORICAL)
    if name != source and name not in properties.categorical:
        return np.full(len(properties), "", dtype=np.str_)
    codes: TextArray = properties.categorical[name] if name != source else getattr(properties, source)
    return codes


def _number(
    name: str, source: str, properties: Characteristics, day: FloatArray, quantiles: tuple[float, ...]
) -> Number | None:
    value = read_number(source, properties, day)
    known = value[np.isfinite(value)]
    if known.size < max(MIN_KNOWN, MIN_KNOWN_SHARE * value.size):
        return None
    sparse = known.size < (1.0 - MAX_UNKNOWN_SHARE) * value.size
    low, high = float(known.min()), float(known.max())
    deviation = float(known.std())
    if deviation <= 1e-9 * max(1.0, abs(high)):
        if not sparse:
            return None
        deviation = 1.0
    knots = tuple(float(k) for k in np.unique(np.percentile(known, quantiles)) if low < k < high) if quantiles else ()
    zeros = float((known == 0.0).mean())
    has_zero = low >= 0.0 and MIN_ZERO_SHARE < zeros < 1.0
    typical = float(np.median(known))
    return Number(name, source, float(known.mean()), deviation, typical, knots, has_zero, low, high, sparse)


def _levels(name: str, source: str, properties: Characteristics) -> CategoricalFeature | None:
    value = read_code(source, properties)
    known = value[value != ""]
    if known.size < max(MIN_KNOWN, MIN_KNOWN_SHARE * value.size):
        return None
    sparse = known.size < (1.0 - MAX_UNKNOWN_SHARE) * value.size
    levels, counts = np.unique(known, return_counts=True)
    common = np.argsort(-counts, kind="stable")[:MAX_LEVELS]
    chosen = np.sort(levels[common[counts[common] >= MIN_SALES_PER_LEVEL]])
    return CategoricalFeature(name, source, chosen, sparse) if chosen.size > (not sparse) else None


def _positive(values: FloatArray) -> FloatArray:
    return np.where(values > 0.0, values, np.nan)


def _age(year: FloatArray, day: FloatArray) -> FloatArray:
    """Years from the year built to the day; a year that cannot be one is unknown."""
    built = np.where(year >= EARLIEST_YEAR_BUILT, year, np.nan)
    # Ordinal day 1 is in the year 1, so a day in the year y is y - 1 years and some days on.
    return np.maximum(day / DAYS_PER_YEAR + 1.0 - built, 0.0)


def _effective_age(properties: Characteristics, day: FloatArray) -> FloatArray:
    """Years since the effective year where one is given and later than the year built, else the age."""
    effective = np.where(properties.effective_year >= EARLIEST_YEAR_BUILT, properties.effective_year, np.nan)
    return _age(np.fmax(effective, properties.year_built), day)


def _has_effective_years(properties: Characteristics) -> bool:
    """True if the county records effective years that differ from the years built."""
    differs = properties.effective_year > properties.year_built
    return bool(differs.mean() >= MIN_EFFECTIVE_YEAR_SHARE) if differs.size else False


def _quality_by_size(properties: Characteristics, day: FloatArray) -> FloatArray:
    """Quality times log area (both about their typical values): better homes gain more from size."""
    del day
    quality = _as_numbers(properties.quality) - QUALITY_CENTER
    return quality * (np.log(_positive(properties.living_area_sqft)) - LOG_LIVING_AREA_CENTER)


def _as_numbers(values: TextArray) -> FloatArray:
    """Codes that are numbers as numbers, others as unknown."""
    levels, position = np.unique(values, return_inverse=True)
    return np.array([_number_or_nan(str(level)) for level in levels], dtype=np.float64)[position]


def _number_or_nan(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return float("nan")
    return number if np.isfinite(number) else float("nan")


_NUMBERS: dict[str, Reader] = {
    "log_living_area": lambda p, _: np.log(_positive(p.living_area_sqft)),
    "log_land_area": lambda p, _: np.log(_positive(p.land_area_sqft)),
    "age": lambda p, day: _age(p.year_built, day),
    "effective_age": _effective_age,
    "bathrooms": lambda p, _: p.bathrooms,
    "bedrooms": lambda p, _: p.bedrooms,
    "stories": lambda p, _: p.stories,
    "quality_number": lambda p, _: _as_numbers(p.quality),
    "quality_by_size": _quality_by_size,
    "condition_number": lambda p, _: _as_numbers(p.condition),
}


def group_sums(values: FloatArray, groups: tuple[str, ...], names: tuple[str, ...]) -> FloatArray:
    """Sum the columns of `values` (n, columns) by group; shape (n, groups)."""
    where: IntArray = np.array([names.index(group) for group in groups], dtype=np.int64)
    summed = np.zeros((len(values), len(names)))
    for number in range(len(names)):
        summed[:, number] = values[:, where == number].sum(axis=1)
    return summed
