"""Predictors of the boosted trees, learned from the county's sales.

The characteristics as they are; codes as what their level adds to log price, learned out of fold; the regression's
own values; the location surface; the place, also on rotated maps; the neighborhood features; how long ago the
sale was. A sale's own price is never in its own predictors: surface and neighborhood features exclude it, codes are
learned from the other folds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shared.appraisal.arrays import BoolArray, FloatArray, IntArray, TextArray
from shared.appraisal.avm.neighborhood_features import NeighborhoodFeatures
from shared.appraisal.avm.parameters import ENCODING_FOLDS, ENCODING_SHRINKAGE, MAX_RESIDUAL, ROTATIONS_DEGREES
from shared.appraisal.columns import Characteristics, Sales
from shared.appraisal.features import CategoricalFeature, Number, read_code, read_number
from shared.appraisal.hedonic import LOCATION, HedonicModel
from shared.appraisal.parameters import DAYS_PER_YEAR, EARLIEST_YEAR_BUILT

TIME = "time"
STRUCTURE, REGRESSION = "structure", "regression"
"""Predictors that are the regression's own values: of the characteristics, and with the location."""
_NEIGHBORHOOD = "neighborhood"
_DERIVED = ("quality_by_size",)
_POSITION = (
    "longitude",
    "latitude",
    *(f"km {way} turned by {turn} degrees" for turn in ROTATIONS_DEGREES for way in ("east", "north")),
)


@dataclass(frozen=True)
class Code:
    """A coded predictor: each level's mean residual, shrunk towards 0 where few sales carry it."""

    name: str
    source: str
    levels: TextArray
    effects: FloatArray

    def encode(self, properties: Characteristics) -> FloatArray:
        """The effect of each property's level, 0 for one that was not seen."""
        return _looked_up(read_code(self.source, properties), self.levels, self.effects)


@dataclass(frozen=True)
class NeighborhoodCenters:
    """The center of each neighborhood: the medians of its sales' coordinates; for properties without their own."""

    levels: TextArray
    longitude: FloatArray
    latitude: FloatArray

    def locate(self, properties: Characteristics) -> tuple[FloatArray, FloatArray]:
        """Longitude and latitude, of the neighborhood where the property's own are unknown; else NaN."""
        located = properties.located
        if self.levels.size == 0:
            return np.where(located, properties.longitude, np.nan), np.where(located, properties.latitude, np.nan)
        of_hood = [
            _looked_up(properties.neighborhood, self.levels, column, np.nan)
            for column in (self.longitude, self.latitude)
        ]
        return (
            np.where(located, properties.longitude, of_hood[0]),
            np.where(located, properties.latitude, of_hood[1]),
        )


@dataclass(frozen=True)
class Decomposition:
    """The regression's value of n properties, as log contributions of its groups about those of the typical sale.

    `value` (n,) is the log value as of the valuation day; it is `typical` plus the sum of `parts` (n, groups).
    """

    value: FloatArray
    typical: float
    parts: FloatArray
    inside: BoolArray


@dataclass(frozen=True)
class Predictors:
    """The learned predictors. `columns` names them, `groups[i]` the feature that column i is reported under."""

    valuation_day: int
    numbers: tuple[Number, ...]
    codes: tuple[Code, ...]
    neighborhood_centers: NeighborhoodCenters
    neighborhood_features: NeighborhoodFeatures | None
    typical: FloatArray
    columns: tuple[str, ...]
    groups: tuple[str, ...]
    _typical_values: dict[str, float] = field(default_factory=dict)

    @property
    def own(self) -> frozenset[str]:
        """The columns that say what a property is, what the regression makes of it, and where it lies."""
        return frozenset([*(number.source for number in self.numbers), REGRESSION, STRUCTURE, *_POSITION])

    def decompose(self, hedonic: HedonicModel, properties: Characteristics) -> Decomposition:
        """The regression's value as of the valuation day, by group."""
        day = np.full(len(properties), float(self.valuation_day))
        parts, inside = hedonic.contributions(properties, day)
        return _decomposition(hedonic, self.valuation_day, parts, self.typical, inside)

    def matrix(self, hedonic: HedonicModel, properties: Characteristics, value: Decomposition) -> FloatArray:
        """The predictors of properties as they are on the valuation day; shape (n, len(columns))."""
        day = np.full(len(properties), float(self.valuation_day))
        encoded = [code.encode(properties) for code in self.codes]
        around = None
        if self.neighborhood_features is not None:
            position = hedonic.surface.grid.kilometres(*self.neighborhood_centers.locate(properties))
            known = np.isfinite(position).all(axis=1)
            columns = _traits(properties, day, _structure(hedonic, value))
            traits = np.column_stack([columns[name] for name in self.neighborhood_features.traits])
            around = np.full((len(properties), len(self.neighborhood_features.columns)), np.nan)
            around[known] = self.neighborhood_features.around(position[known], traits[known])
        return self._stacked(properties, day, encoded, value, hedonic, around)

    def _stacked(
        self,
        properties: Characteristics,
        day: FloatArray,
        encoded: list[FloatArray],
        value: Decomposition,
        hedonic: HedonicModel,
        around: FloatArray | None,
    ) -> FloatArray:
        raw = []
        for number in self.numbers:
            read = number.read(properties, day)
            # What was never unknown in the sales has no branch for it in the trees.
            raw.append(
                read if number.sparse else np.where(np.isfinite(read), read, self._typical_values[number.source])
            )
        columns = [*raw, *encoded, value.value, _structure(hedonic, value)]
        columns.append((self.valuation_day - day) / DAYS_PER_YEAR)
        if around is not None:
            longitude, latitude = self.neighborhood_centers.locate(properties)
            turned = _rotated(hedonic.surface.grid.kilometres(longitude, latitude))
            columns += [value.parts[:, -1], longitude, latitude, *turned, *around.T]
        return np.column_stack(columns)


def learn_predictors(
    sales: Sales, hedonic: HedonicModel, at_sale: FloatArray, log_price: FloatArray, on: int, seed: int
) -> tuple[Predictors, FloatArray, Decomposition]:
    """The predictors, their matrix for the sales themselves, and the regression's values of them.

    `at_sale` are the regression's log contributions on the sales' own days, each without the sale itself; `log_price`
    is as of the valuation day.
    """
    properties, day = sales.characteristics, sales.sale_day.astype(np.float64)
    typical = np.asarray(at_sale.mean(axis=0))
    inside = properties.located
    value = _decomposition(hedonic, on, at_sale, typical, inside)
    structure = _structure(hedonic, value)
    residual = np.clip(log_price - structure, -MAX_RESIDUAL, MAX_RESIDUAL)
    fold = np.random.default_rng(seed).integers(0, ENCODING_FOLDS, len(sales))
    parts = hedonic.features.parts
    numbers = tuple(part for part in parts if isinstance(part, Number) and part.source not in _DERIVED)
    coded = [part for part in parts if isinstance(part, CategoricalFeature)]
    codes = tuple(_code(part, read_code(part.source, properties), residual) for part in coded)
    encoded = [_out_of_fold(read_code(part.source, properties), residual, fold) for part in coded]
    neighborhood_centers = _neighborhood_centers(properties)
    neighborhood_features = (
        _neighborhood_features(sales, hedonic, residual, log_price, structure) if inside.any() else None
    )
    around = None
    if neighborhood_features is not None:
        around = np.full((len(sales), len(neighborhood_features.columns)), np.nan)
        around[inside] = neighborhood_features.around_sales()
    names = [*(number.source for number in numbers), *(code.source for code in codes), REGRESSION, STRUCTURE, TIME]
    groups = [*(number.name for number in numbers), *(code.name for code in codes), REGRESSION, STRUCTURE, TIME]
    if neighborhood_features is not None:
        of_place = [LOCATION, *_POSITION, *neighborhood_features.columns]
        names += of_place
        groups += [LOCATION] * len(of_place)
    typical_values = {number.source: number.typical for number in numbers}
    predictors = Predictors(
        on,
        numbers,
        codes,
        neighborhood_centers,
        neighborhood_features,
        typical,
        tuple(names),
        tuple(groups),
        typical_values,
    )
    return predictors, predictors._stacked(properties, day, encoded, value, hedonic, around), value


def _decomposition(
    hedonic: HedonicModel, on: int, parts: FloatArray, typical: FloatArray, inside: BoolArray
) -> Decomposition:
    level = hedonic.constant + float(hedonic.trend.level([float(on)])[0])
    about = parts - typical
    base = level + float(typical.sum())
    return Decomposition(base + about.sum(axis=1), base, about, inside)


def _structure(hedonic: HedonicModel, value: Decomposition) -> FloatArray:
    """The log value without the place."""
    neighborhood_centers = [hedonic.names.index(name) for name in (LOCATION, _NEIGHBORHOOD) if name in hedonic.names]
    return np.asarray(value.value - value.parts[:, neighborhood_centers].sum(axis=1))


def _neighborhood_features(
    sales: Sales, hedonic: HedonicModel, residual: FloatArray, log_price: FloatArray, structure: FloatArray
) -> NeighborhoodFeatures:
    properties = sales.characteristics
    day = sales.sale_day.astype(np.float64)
    measures = {
        "log price over characteristics": residual,
        "log price per area": log_price - np.log(properties.living_area_sqft),
        **_traits(properties, day, structure),
    }
    known = {name: column for name, column in measures.items() if np.isfinite(column).any()}
    filled = [np.where(np.isfinite(column), column, np.nanmedian(column)) for column in known.values()]
    position = hedonic.surface.grid.kilometres(properties.longitude, properties.latitude)
    located = properties.located
    return NeighborhoodFeatures(position[located], np.column_stack(filled)[located], tuple(known))


def _traits(properties: Characteristics, day: FloatArray, structure: FloatArray) -> dict[str, FloatArray]:
    """The traits by which a property is compared with the sales around it; NaN where unknown."""
    return {
        "log value of characteristics": structure,
        "log living area": read_number("log_living_area", properties, day),
        "log land area": read_number("log_land_area", properties, day),
        "year built": np.where(properties.year_built >= EARLIEST_YEAR_BUILT, properties.year_built, np.nan),
    }


def _rotated(position_km: FloatArray) -> list[FloatArray]:
    """East and north of rotated maps, in km: splits on them cut along shores and roads that run aslant."""
    turns = np.deg2rad(ROTATIONS_DEGREES)
    ways = [way for turn in turns for way in ((np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn)))]
    return [position_km @ np.array(way) for way in ways]


def _neighborhood_centers(properties: Characteristics) -> NeighborhoodCenters:
    located = properties.located & (properties.neighborhood != "")
    levels, number = np.unique(properties.neighborhood[located], return_inverse=True)
    longitude, latitude = properties.longitude[located], properties.latitude[located]
    return NeighborhoodCenters(
        levels,
        np.array([np.median(longitude[number == level]) for level in range(levels.size)], dtype=np.float64),
        np.array([np.median(latitude[number == level]) for level in range(levels.size)], dtype=np.float64),
    )


def _code(part: CategoricalFeature, code: TextArray, residual: FloatArray) -> Code:
    levels, number = np.unique(code, return_inverse=True)
    return Code(part.name, part.source, levels, _shrunk_means(number, residual, levels.size))


def _out_of_fold(code: TextArray, residual: FloatArray, fold: IntArray) -> FloatArray:
    levels, number = np.unique(code, return_inverse=True)
    encoded = np.zeros(code.size)
    for held_out in range(ENCODING_FOLDS):
        training = fold != held_out
        encoded[~training] = _shrunk_means(number[training], residual[training], levels.size)[number[~training]]
    return encoded


def _shrunk_means(number: IntArray, residual: FloatArray, levels: int) -> FloatArray:
    total = np.bincount(number, weights=residual, minlength=levels)
    return np.asarray(total / (np.bincount(number, minlength=levels) + ENCODING_SHRINKAGE), dtype=np.float64)


def _looked_up(code: TextArray, levels: TextArray, values: FloatArray, missing: float = 0.0) -> FloatArray:
    """The value of each code's level; `missing` for a code that is none of the sorted levels."""
    if levels.size == 0:
        return np.full(code.size, missing)
    position = np.minimum(np.searchsorted(levels, code), levels.size - 1)
    return np.where(levels[position] == code, values[position], missing)
