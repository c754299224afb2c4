"""The effect of location on log value: a surface smoothed from the sales' residuals, from coarse to fine.

The residuals of a regression are averaged with Gaussian kernels on a grid, one width after the other; each width
explains what the wider ones left. An average is shrunk towards zero where few sales carry it. This is the location
value response surface of mass appraisal (IAAO, Fundamentals of Mass Appraisal), made additive in log price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.appraisal.arrays import BoolArray, FloatArray, IntArray
from shared.appraisal.parameters import (
    GRID_CELL_KM,
    GRID_MARGIN_KM,
    GRID_PERCENTILES,
    KERNEL_REACH,
    KM_PER_DEGREE_LATITUDE,
    KM_PER_DEGREE_LONGITUDE,
    LOCATION_SHRINKAGE,
    LOCATION_WIDTHS_KM,
    MAD_TO_DEVIATION,
    MAX_GRID_CELLS,
    MAX_LOCATION_DEVIATIONS,
)


@dataclass(frozen=True)
class Grid:
    """Square cells over the area where sales are; positions outside it have no cell."""

    west: float
    south: float
    km_a_degree: float
    cell_km: float
    columns: int
    rows: int

    def kilometres(self, longitude: FloatArray, latitude: FloatArray) -> FloatArray:
        """Positions in km east and north of the grid's corner; shape (n, 2), NaN where unknown."""
        return np.column_stack(
            [(longitude - self.west) * self.km_a_degree, (latitude - self.south) * KM_PER_DEGREE_LATITUDE]
        )

    def cells(self, longitude: FloatArray, latitude: FloatArray) -> tuple[IntArray, BoolArray]:
        """The cell of each position (0 where it has none) and whether it has one."""
        position = self.kilometres(longitude, latitude) / self.cell_km
        inside: BoolArray = np.asarray(np.isfinite(position).all(axis=1))
        position = np.where(inside[:, None], position, 0.0).round()
        inside &= (position >= 0).all(axis=1) & (position[:, 0] < self.columns) & (position[:, 1] < self.rows)
        column, row = np.where(inside[:, None], position, 0.0).astype(np.int64).T
        return row * self.columns + column, inside

    def smooth(self, totals: FloatArray, width_km: float) -> FloatArray:
        """Totals a cell, spread with a Gaussian of `width_km` whose peak is 1."""
        reach = int(KERNEL_REACH * width_km / self.cell_km)
        offsets = np.arange(-reach, reach + 1) * self.cell_km
        kernel = np.exp(-0.5 * (offsets / width_km) ** 2)
        plane = totals.reshape(self.rows, self.columns)
        return _spread(_spread(plane, kernel).T, kernel).T.ravel()


@dataclass(frozen=True)
class LocationSurface:
    """The fitted surface. `value` has one log contribution a cell."""

    grid: Grid
    value: FloatArray

    def at(self, longitude: FloatArray, latitude: FloatArray) -> tuple[FloatArray, BoolArray]:
        """The contribution at each position, zero outside the area; and whether it is inside."""
        cell, inside = self.grid.cells(longitude, latitude)
        return np.where(inside, self.value[cell], 0.0), inside


def make_grid(longitude: FloatArray, latitude: FloatArray) -> Grid:
    """A grid over all but the outermost 0.1 % of the known positions, and 5 km around."""
    known = np.isfinite(longitude) & np.isfinite(latitude)
    if not known.any():
        return Grid(0.0, 0.0, KM_PER_DEGREE_LONGITUDE, GRID_CELL_KM, 1, 1)
    west, east = np.percentile(longitude[known], GRID_PERCENTILES)
    south, north = np.percentile(latitude[known], GRID_PERCENTILES)
    km_a_degree = KM_PER_DEGREE_LONGITUDE * float(np.cos(np.deg2rad((south + north) / 2)))
    wide = (east - west) * km_a_degree + 2 * GRID_MARGIN_KM
    high = (north - south) * KM_PER_DEGREE_LATITUDE + 2 * GRID_MARGIN_KM
    cell = max(GRID_CELL_KM, float(np.sqrt(wide * high / MAX_GRID_CELLS)))
    return Grid(
        float(west) - GRID_MARGIN_KM / km_a_degree,
        float(south) - GRID_MARGIN_KM / KM_PER_DEGREE_LATITUDE,
        km_a_degree,
        cell,
        int(wide / cell) + 1,
        int(high / cell) + 1,
    )


def fit_surface(
    grid: Grid, longitude: FloatArray, latitude: FloatArray, residual: FloatArray, weight: FloatArray
) -> tuple[LocationSurface, FloatArray]:
    """The surface of the residuals, and its value at each sale without that sale's own residual; shape (n,)."""
    cell, inside = grid.cells(longitude, latitude)
    weight = np.where(inside, weight, 0.0)
    size = grid.rows * grid.columns
    value = np.zeros(size)
    fitted = np.zeros(residual.size)
    leave_one_out = np.zeros(residual.size)
    limit = MAX_LOCATION_DEVIATIONS * MAD_TO_DEVIATION * float(np.median(np.abs(residual))) if residual.size else 0.0
    for width in LOCATION_WIDTHS_KM:
        remaining = np.clip(residual - fitted, -limit, limit)
        total = grid.smooth(_totals(cell, remaining * weight, size), width)
        mass = np.maximum(grid.smooth(_totals(cell, weight, size), width), 0.0)
        step = total / (mass + LOCATION_SHRINKAGE)
        # A sale counts for itself with the kernel's peak, 1.
        own_total, own_mass = total[cell] - remaining * weight, np.maximum(mass[cell] - weight, 0.0)
        leave_one_out += np.where(inside, own_total / (own_mass + LOCATION_SHRINKAGE), 0.0)
        fitted += np.where(inside, step[cell], 0.0)
        value += step
    return LocationSurface(grid, value), leave_one_out


def _totals(cell: IntArray, amounts: FloatArray, size: int) -> FloatArray:
    return np.bincount(cell, weights=amounts, minlength=size).astype(np.float64)


def _spread(plane: FloatArray, kernel: FloatArray) -> FloatArray:
    """Convolve every row with the kernel, by FFT."""
    reach = kernel.size // 2
    length = plane.shape[1] + 2 * reach
    spectrum = np.fft.rfft(plane, length, axis=1) * np.fft.rfft(kernel, length)
    return np.asarray(np.fft.irfft(spectrum, length, axis=1)[:, reach : reach + plane.shape[1]])
