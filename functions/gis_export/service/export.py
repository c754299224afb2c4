"""Making an export: rows in blocks from the database into a file, never all of them in memory."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import shapely
from sqlalchemy import Connection

from functions.gis_export import repository
from functions.gis_export.domain import projection, reference_systems, shapes
from functions.gis_export.domain.copy_text import fields_of, values_of
from functions.gis_export.domain.features import ColumnValues, FeatureFile, Features
from functions.gis_export.domain.layers import LAYERS, Layer
from functions.gis_export.domain.reference_systems import ReferenceSystem
from functions.gis_export.schemas import GisExportRequest, LayerResult
from functions.gis_export.writers.geojson import GeoJsonArchive, GeoJsonFile
from functions.gis_export.writers.geopackage import GeoPackageFile
from shared.db import unit_of_work

WGS84_CODE = 4326

Progress = Callable[[int, int, str], None]
"""Takes how many features are done, of how many, and of which layer."""


def write_export(
    county_id: str, request: GisExportRequest, folder: Path, stem: str, as_of: datetime, progress: Progress
) -> tuple[FeatureFile, list[LayerResult]]:
    """Write what is asked for into a file in `folder`, named `stem`; `as_of` is the time it says it was made at.

    Raises Unprocessable for a reference system that is unknown, or meant for another part of the world.
    """
    system = None if request.is_wgs84 else reference_systems.find(request.crs)
    file = _file(request, folder, stem, WGS84_CODE if system is None else system.code, as_of)
    with unit_of_work(county_id) as connection:
        written = [
            _Export(county_id, LAYERS[name], request, system, folder, progress).run(connection, file)
            for name in request.layers
        ]
    file.close()
    return file, written


def _file(request: GisExportRequest, folder: Path, stem: str, code: int, as_of: datetime) -> FeatureFile:
    if request.format == "geopackage":
        return GeoPackageFile(folder, stem, code, as_of)
    if len(request.layers) == 1:
        return GeoJsonFile(folder, stem)
    return GeoJsonArchive(folder, stem, as_of)


class _Export:
    """One layer of one export."""

    def __init__(
        self,
        county_id: str,
        layer: Layer,
        request: GisExportRequest,
        system: ReferenceSystem | None,
        folder: Path,
        progress: Progress,
    ) -> None:
        self._county_id = county_id
        self._layer = layer
        self._box = request.bbox
        self._system = system
        self._folder = folder
        self._progress = progress
        self._written = 0
        self._unplaced = 0

    def run(self, connection: Connection, file: FeatureFile) -> LayerResult:
        """Write the layer."""
        survey = repository.survey(connection, self._county_id, self._layer, self._box)
        if self._system is not None and survey.extent is not None:
            reference_systems.require_within(self._system, survey.extent)
        kind = shapes.geometry_type(survey.shape_types, survey.points, points_only=self._layer.points_only)

        def take(block: bytes) -> None:
            features = self._features(block, kind)
            add(features)
            self._written += features.shapes.size
            self._progress(self._written, survey.located, self._layer.name)

        with file.layer(self._layer, kind) as add:
            repository.stream(connection, self._county_id, self._layer, self._box, take)
        return LayerResult(
            name=self._layer.name,
            features=self._written,
            without_location=survey.without_location + self._unplaced,
        )

    def _features(self, block: bytes, kind: str) -> Features:
        shape, longitude, latitude, *fields = fields_of(block)
        points = shapes.read_points(values_of("real", longitude)[0], values_of("real", latitude)[0])
        placed = shapes.place(shapes.read_shapes(shape), points, kind, points_only=self._layer.points_only)
        inside = shapes.in_window(placed, points, self._box)
        if self._system is not None:
            placed = projection.transform(placed, self._system.code, self._folder)
        located = ~shapely.is_missing(placed)
        self._unplaced += int(np.count_nonzero(~located))
        included = located & inside
        columns = [
            ColumnValues(column, *values_of(column.kind, values)).where(included)
            for column, values in zip(self._layer.columns, fields, strict=True)
        ]
        return Features(placed[included], columns)
