"""Blocks of rows as features: located, in the window, in the reference system, with typed values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress

import numpy as np
import shapely

from functions.gis_export.domain.copy_text import Cells, ColumnValues, columns_of, neutralized, texts_of, values_of
from functions.gis_export.domain.formats import FileFormat
from functions.gis_export.domain.layer_file import FeatureBlock, FileColumn, FileLayer
from functions.gis_export.domain.reference_systems import ReferenceSystem
from functions.gis_export.domain.shapes import (
    GeometryGroup,
    Mask,
    ShapeOutcomes,
    Shapes,
    locate,
    of_group,
    only,
    promoted,
    read_points,
    read_shapes,
)
from functions.gis_export.domain.windows import Window, polygons
from functions.gis_export.repository.rows import POSITION_COLUMNS
from functions.gis_export.repository.selections import Selection
from shared.cql2.spatial import matches

_TRUTH = {b"t": True, b"f": False}


class BlockReader:
    """Reader of a selection's rows; while `counting`, it counts what becomes of their shapes and texts."""

    def __init__(self, selection: Selection, system: ReferenceSystem, file_format: FileFormat) -> None:
        self._row_filter = selection.row_filter
        self._points_only = selection.layer.is_of_points
        self._windows = _geometries(selection.window)
        self._system = system
        self._format = file_format
        self.counting = True
        self.groups: Sequence[GeometryGroup] = ()
        """Those that the layers of the file take: a point that stands for an unreadable shape may be of none."""
        self.outcomes = ShapeOutcomes()
        self.cut_texts = 0

    def features(self, text: bytes, file_layer: FileLayer) -> tuple[FeatureBlock, int]:
        """The features of a block of COPY's text for a layer of the file, and how many rows the block has."""
        first = POSITION_COLUMNS + len(self._row_filter.flags)
        shape, longitude, latitude, *others = columns_of(text, first + len(file_layer.columns))
        flags, columns = others[: first - POSITION_COLUMNS], others[first - POSITION_COLUMNS :]
        outcomes = self.outcomes if self.counting else ShapeOutcomes()
        located = self._located(shape, longitude, latitude, outcomes)
        missing = shapely.is_missing(located)
        outcomes.add("without_location", missing)
        included = ~missing & self._in_windows(located) & self._in_filter(flags, located)
        projected = self._system.project(only(located, included))
        outcomes.add("outside_crs", included & shapely.is_missing(projected))
        if self.counting:
            taken = [of_group(projected, group) for group in self.groups]
            outcomes.add("without_location", ~shapely.is_missing(projected) & ~np.logical_or.reduce(taken))
        outcomes.count(included | missing)
        included = of_group(projected, file_layer.part.group)
        values = [
            self._values(column, cells if included.all() else list(compress(cells, included)))
            for column, cells in zip(file_layer.columns, columns, strict=True)
        ]
        shapes = promoted(projected[included], file_layer.part.geometry_type)
        return FeatureBlock(shapes, values), included.size

    def _located(self, shape: Cells, longitude: Cells, latitude: Cells, outcomes: ShapeOutcomes) -> Shapes:
        x, y = values_of("real", longitude), values_of("real", latitude)
        known = x.known & y.known
        points = read_points(np.where(known, x.values, np.nan), np.where(known, y.values, np.nan))
        return locate(read_shapes(shape, outcomes), points, points_only=self._points_only)

    def _in_windows(self, located: Shapes) -> Mask:
        inside = np.ones(located.size, dtype=np.bool_)
        for geometry in self._windows:
            inside &= shapely.intersects(geometry, located)
        return inside

    def _in_filter(self, flags: Sequence[Cells], located: Shapes) -> Mask:
        if self._row_filter.residual is None:
            return np.ones(located.size, dtype=np.bool_)
        truths = [[_TRUTH.get(cell) for cell in cells] for cells in flags]
        return matches(self._row_filter.residual, truths, located)

    def _values(self, column: FileColumn, cells: Cells) -> ColumnValues:
        if column.kind != "text":
            return values_of(column.kind, cells)
        return texts_of(cells, self._change_of_texts())

    def _change_of_texts(self) -> Callable[[bytes], bytes] | None:
        if self._format.spreadsheet:
            return neutralized
        return None if self._format.max_text_bytes is None else self._cut

    def _cut(self, text: bytes) -> bytes:
        limit = self._format.max_text_bytes or 0
        if len(text) <= limit:
            return text
        self.cut_texts += 1
        return text[:limit].decode(errors="ignore").encode()


def _geometries(window: Window) -> list[shapely.Geometry]:
    """The geometries of which a feature touches each."""
    geometries = []
    if window.boxes is not None:
        geometries.append(shapely.union_all([shapely.box(*box) for box in window.boxes]))
    if window.area is not None:
        parts = [shapely.Polygon(outer, holes) for outer, *holes in polygons(window.area)]
        geometries.append(shapely.union_all(parts))
    for geometry in geometries:
        shapely.prepare(geometry)
    return geometries
