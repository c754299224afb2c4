"""Neighborhood features: for the nearest 5, 15 and 50 sales the mean of each measure, nearer ones counting more.

The first measures are of the sales' prices: what is left of log price after the characteristics, log price per area.
The others are traits, such as size and age, that the property has as well: what it has more of than the sales around
it says more than either. For a home of its traits a regression on the nearest sales says what is left of log price.
To learn from a sale, its own measures are excluded from its features.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from shared.appraisal.arrays import FloatArray, IntArray
from shared.appraisal.avm import local_regression
from shared.appraisal.avm.parameters import (
    DISTANCE_SOFTENING_KM,
    LOCAL_REGRESSION_SALES,
    MAX_TRAIT_DEVIATIONS,
    NEAREST_SALES,
)

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

OF_PRICE = 2
"""The first so many measures are of the price; the very first is the residual of the county's regression."""
_COMPARED = NEAREST_SALES[1:]
_EPSILON = 1e-9
_BATCH_SIZE = 2048


@dataclass(frozen=True)
class NeighborhoodFeatures:
    """The located sales: positions (n, 2) in km, and measures (n, len(names)), none of them unknown."""

    position_km: FloatArray
    measures: FloatArray
    names: tuple[str, ...]

    @property
    def traits(self) -> tuple[str, ...]:
        """The names of the measures that are not of the price."""
        return self.names[OF_PRICE:]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of `around`."""
        means = (f"{name} of the {count} nearest sales" for count in NEAREST_SALES for name in self.names)
        beyond = (f"{name} beyond that of the {count} nearest sales" for count in _COMPARED for name in self.traits)
        local = (f"{name} by local regression" for name in (self.names[0], *self.traits))
        return (*means, f"distance to the {NEAREST_SALES[1]}th nearest sale", *beyond, *local)

    def around(self, position_km: FloatArray, traits: FloatArray) -> FloatArray:
        """The features of positions (m, 2), all finite, with traits (m, len(traits)); shape (m, len(columns))."""
        typical = np.median(self.measures[:, OF_PRICE:], axis=0)
        traits = np.where(np.isfinite(traits), traits, typical)
        parts = []
        for start in range(0, len(position_km), _BATCH_SIZE):
            chunk = slice(start, start + _BATCH_SIZE)
            nearest = self._nearest(position_km[chunk], LOCAL_REGRESSION_SALES)
            parts.append(self._described(*nearest, traits[chunk]))
        return np.concatenate([np.zeros((0, len(self.columns))), *parts])

    def around_sales(self) -> FloatArray:
        """The features of the sales themselves, each without itself; shape (n, len(columns))."""
        parts = []
        for start in range(0, len(self.position_km), _BATCH_SIZE):
            own = np.arange(start, min(start + _BATCH_SIZE, len(self.position_km)))
            distance, rows = self._nearest(self.position_km[own], LOCAL_REGRESSION_SALES + 1)
            is_self = rows == own[:, None]
            # Where many sales lie at one spot the sale itself may not be among the nearest: then the last one goes.
            is_self[~is_self.any(axis=1), -1] = True
            shape = (len(own), rows.shape[1] - 1)
            nearest = distance[~is_self].reshape(shape), rows[~is_self].reshape(shape)
            parts.append(self._described(*nearest, self.measures[own, OF_PRICE:]))
        return np.concatenate(parts)

    @cached_property
    def _tree(self) -> cKDTree:
        from scipy.spatial import cKDTree

        return cKDTree(self.position_km)

    @cached_property
    def _standard(self) -> tuple[FloatArray, FloatArray]:
        """Mean and deviation of each trait; one that is the same for all sales tells nothing apart."""
        traits = self.measures[:, OF_PRICE:]
        deviation = traits.std(axis=0)
        return traits.mean(axis=0), np.where(deviation > _EPSILON, deviation, np.inf)

    def _nearest(self, position_km: FloatArray, count: int) -> tuple[FloatArray, IntArray]:
        count = min(count, len(self.position_km))
        distance, rows = self._tree.query(position_km, k=np.arange(1, count + 1))
        return np.asarray(distance, dtype=np.float64), np.asarray(rows, dtype=np.int64)

    def _described(self, distance: FloatArray, rows: IntArray, traits: FloatArray) -> FloatArray:
        """From the nearest sales, the nearest first: distances and positions of shape (m, k)."""
        weight = 1.0 / (distance + DISTANCE_SOFTENING_KM)
        means = {}
        for count in NEAREST_SALES:
            share = weight[:, :count] / weight[:, :count].sum(axis=1, keepdims=True)
            means[count] = np.einsum("mk,mkf->mf", share, self.measures[rows[:, :count]])
        furthest = distance[:, min(NEAREST_SALES[1], distance.shape[1]) - 1]
        beyond = [traits - means[count][:, OF_PRICE:] for count in _COMPARED]
        difference = self._deviations(self.measures[:, OF_PRICE:])[rows] - self._deviations(traits)[:, None, :]
        local = local_regression.fit_locally(distance, difference, self.measures[rows, 0])
        return np.column_stack([*means.values(), furthest, *beyond, local])

    def _deviations(self, traits: FloatArray) -> FloatArray:
        mean, deviation = self._standard
        return np.clip((traits - mean) / deviation, -MAX_TRAIT_DEVIATIONS, MAX_TRAIT_DEVIATIONS)
