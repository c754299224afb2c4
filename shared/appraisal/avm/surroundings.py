"""What was sold around a place: for the nearest 5, 15 and 50 sales the mean of each measure, nearer ones counting more.

A measure is the sales' own: what is left of log price after the characteristics, log price per area, size, age. To
learn from a sale, its own measures are left out of its surroundings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from shared.appraisal.arrays import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

NEAREST = (5, 15, 50)
_SOFTENING_KM = 0.1
_AT_ONCE = 8192


@dataclass(frozen=True)
class Surroundings:
    """The located sales: positions (n, 2) in km, and measures (n, len(names))."""

    position_km: FloatArray
    measures: FloatArray
    names: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of what `around` gives."""
        means = tuple(f"{name} of the {count} nearest sales" for count in NEAREST for name in self.names)
        return (*means, f"distance to the {NEAREST[1]}th nearest sale")

    def around(self, position_km: FloatArray) -> FloatArray:
        """The surroundings of positions (m, 2), all finite; shape (m, len(columns))."""
        parts = [
            self._means(*self._nearest(position_km[start : start + _AT_ONCE], NEAREST[-1]))
            for start in range(0, len(position_km), _AT_ONCE)
        ]
        return np.concatenate([np.zeros((0, len(self.columns))), *parts])

    def around_sales(self) -> FloatArray:
        """The surroundings of the sales themselves, each without itself; shape (n, len(columns))."""
        parts = []
        for start in range(0, len(self.position_km), _AT_ONCE):
            own = np.arange(start, min(start + _AT_ONCE, len(self.position_km)))
            distance, rows = self._nearest(self.position_km[own], NEAREST[-1] + 1)
            is_self = rows == own[:, None]
            # Where many sales lie at one spot the sale itself may not be among the nearest: then the last one goes.
            is_self[~is_self.any(axis=1), -1] = True
            kept = (len(own), rows.shape[1] - 1)
            parts.append(self._means(distance[~is_self].reshape(kept), rows[~is_self].reshape(kept)))
        return np.concatenate(parts)

    @cached_property
    def _tree(self) -> cKDTree:
        from scipy.spatial import cKDTree

        return cKDTree(self.position_km)

    def _nearest(self, position_km: FloatArray, count: int) -> tuple[FloatArray, IntArray]:
        count = min(count, len(self.position_km))
        distance, rows = self._tree.query(position_km, k=np.arange(1, count + 1))
        return np.asarray(distance, dtype=np.float64), np.asarray(rows, dtype=np.int64)

    def _means(self, distance: FloatArray, rows: IntArray) -> FloatArray:
        weight = 1.0 / (distance + _SOFTENING_KM)
        columns = []
        for count in NEAREST:
            share = weight[:, :count] / weight[:, :count].sum(axis=1, keepdims=True)
            columns.append(np.einsum("mk,mkf->mf", share, self.measures[rows[:, :count]]))
        furthest = distance[:, min(NEAREST[1], distance.shape[1]) - 1]
        return np.column_stack([*columns, furthest])
