"""Similarity of two properties, for the selection of comparables.

The distance between a subject and a sale is Euclidean over: the difference that each characteristic makes to log
value (in units of the regression's residual deviation, so that a characteristic matters as much as the market pays
for it), kilometres over a length that is chosen on the county's own sales, years since the sale, and whether the
neighborhood is another one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from shared.appraisal.arrays import BoolArray, FloatArray, IntArray
from shared.appraisal.parameters import OTHER_NEIGHBORHOOD, OTHER_NEIGHBORHOOD_UNLOCATED, UNLOCATED_SALE

_GROUP = 64


@dataclass(frozen=True)
class Traits:
    """Inputs of the similarity; shapes (n, groups), (n, 2) in km (NaN unknown), (n,) and (n,).

    Neighborhoods are numbers, -1 for an unknown one.
    """

    contributions: FloatArray
    position_km: FloatArray
    years: FloatArray
    neighborhood: IntArray

    def take(self, rows: IntArray) -> Traits:
        """The traits at these positions."""
        return Traits(self.contributions[rows], self.position_km[rows], self.years[rows], self.neighborhood[rows])

    @property
    def located(self) -> BoolArray:
        """Mask of the properties whose position is known."""
        return np.asarray(np.isfinite(self.position_km).all(axis=1))


@dataclass(frozen=True)
class Neighbours:
    """For each subject its nearest sales: positions and distances, shape (n, count), nearest first."""

    rows: IntArray
    distance: FloatArray


@dataclass(frozen=True)
class Similarity:
    """The metric, with the sales it searches."""

    sales: Traits
    contribution_unit: float
    length_km: float

    def with_length(self, length_km: float) -> Similarity:
        """The same with another length."""
        return replace(self, length_km=length_km)

    def nearest(self, subjects: Traits, count: int) -> Neighbours:
        """The `count` nearest sales of each subject."""
        squared = self._squared(subjects)
        rows = smallest(squared, min(count, squared.shape[1]))
        distance = np.sqrt(np.maximum(np.take_along_axis(squared, rows, axis=1), 0.0)).astype(np.float64)
        return Neighbours(rows, distance)

    def _squared(self, subjects: Traits) -> NDArray[np.float32]:
        centre, theirs, their_squares = self._centred
        ours = (self._coordinates(subjects) - centre).astype(np.float32)
        squared = ours @ theirs.T
        squared *= -2.0
        squared += np.einsum("ij,ij->i", ours, ours)[:, None]
        squared += their_squares[None, :]
        self._correct_places(squared, subjects)
        return np.asarray(squared, dtype=np.float32)

    @cached_property
    def _centred(self) -> tuple[FloatArray, NDArray[np.float32], NDArray[np.float32]]:
        """The sales' middle, their coordinates about it, and the squares of those; single precision is enough there."""
        coordinates = self._coordinates(self.sales)
        centre = np.asarray(coordinates.mean(axis=0))
        about = (coordinates - centre).astype(np.float32)
        return centre, about, np.asarray(np.einsum("ij,ij->i", about, about), dtype=np.float32)

    def _coordinates(self, traits: Traits) -> FloatArray:
        # A position that is not known is put at the middle of the sales and corrected afterwards.
        middle = self._middle
        position = np.where(traits.located[:, None], traits.position_km, middle)
        return np.column_stack([traits.contributions / self.contribution_unit, position / self.length_km, traits.years])

    @cached_property
    def _known(self) -> BoolArray:
        return self.sales.located

    @cached_property
    def _middle(self) -> FloatArray:
        known = self.sales.position_km[self.sales.located]
        return np.asarray(known.mean(axis=0)) if len(known) else np.zeros(2)

    def _correct_places(self, squared: NDArray[np.float32], subjects: Traits) -> None:
        located, known = subjects.located, self._known
        for row in np.flatnonzero(~located):
            placed = self._coordinates(subjects.take(np.array([row])))[:, -3:-1]
            away = (self._coordinates(self.sales)[:, -3:-1] - placed) ** 2
            squared[row] -= away.sum(axis=1).astype(np.float32)
        if not known.all():
            squared[np.ix_(located, ~known)] += np.float32(UNLOCATED_SALE**2)
        if (self.sales.neighborhood >= 0).any():
            penalty = np.where(located, OTHER_NEIGHBORHOOD, OTHER_NEIGHBORHOOD_UNLOCATED).astype(np.float32) ** 2
            squared += penalty[:, None]
            order, starts = self._by_neighborhood
            for index, number in enumerate(subjects.neighborhood):
                if number >= 0:
                    squared[index, order[starts[number] : starts[number + 1]]] -= penalty[index]

    @cached_property
    def _by_neighborhood(self) -> tuple[IntArray, IntArray]:
        """The sales in the order of their neighborhoods, and where in it each neighborhood starts."""
        order = np.argsort(self.sales.neighborhood, kind="stable")
        numbers = np.arange(self.sales.neighborhood.max() + 2)
        return order, np.searchsorted(self.sales.neighborhood[order], numbers)


def smallest(values: NDArray[np.float32], count: int) -> IntArray:
    """The columns of each row's `count` smallest values, smallest first, the earlier of equals; shape (m, count).

    The `count`-th smallest of the minima of groups of columns is no smaller than the `count`-th smallest value: what
    is to be sorted are the few values up to it, which is several times as fast as a partition of the whole row.
    """
    groups = values.shape[1] // _GROUP
    minima = values[:, : groups * _GROUP].reshape(len(values), _GROUP, groups).min(axis=1)
    among = minima if groups >= count else values
    limit = np.partition(among, count - 1, axis=1)[:, count - 1]
    row, column = np.nonzero(values <= limit[:, None])
    order = np.lexsort((values[row, column], row))
    starts = np.searchsorted(row, np.arange(len(values)))
    return np.asarray(column[order][starts[:, None] + np.arange(count)], dtype=np.int64)
