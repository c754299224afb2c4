"""Making an export: rows in blocks from the database into files, never all of them in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from functions.gis_export.domain import reference_systems, shapes
from functions.gis_export.domain.formats import FORMATS, FileFormat
from functions.gis_export.domain.layer_file import FileLayer
from functions.gis_export.domain.metadata import MetadataSheet, Provenance, WrittenLayer
from functions.gis_export.domain.reference_systems import ReferenceSystem
from functions.gis_export.domain.shapes import ShapeOutcomes
from functions.gis_export.domain.windows import Window
from functions.gis_export.repository import counties, rows, selections
from functions.gis_export.repository.selections import Selection
from functions.gis_export.schemas import GisExportRequest, LayerResult
from functions.gis_export.service.blocks import BlockReader
from functions.gis_export.service.filters import filter_of
from functions.gis_export.service.requests import too_many_rows
from functions.gis_export.writers.files import ExportFiles
from shared.db import snapshot
from shared.layers import Layer
from shared.layers.loaded import read_layers
from shared.problems import Unprocessable

Progress = Callable[[int, int, str], None]
"""Takes how many features are done, of how many, and of which layer."""


def write_export(
    county_id: str, request: GisExportRequest, folder: Path, stem: str, as_of: datetime, progress: Progress
) -> tuple[Path, list[LayerResult]]:
    """Write what is asked for into a file in `folder`, named `stem`; `as_of` is the time it says it was made at.

    Raises Unprocessable for a reference system that is unknown, or meant for another part of the world, for a layer
    that is not there any more, and for more rows than the county allows.
    """
    system = reference_systems.find(request.epsg_code)
    file_format = FORMATS[request.format]
    files = ExportFiles(folder, stem, file_format, system.code, as_of)
    window = Window.of(request)
    written: list[WrittenLayer] = []
    results: list[LayerResult] = []
    with snapshot(county_id) as connection:
        layers = read_layers(connection, county_id)
        settings = counties.settings(connection, county_id)
        for name in request.layers:
            if name not in layers:
                raise Unprocessable(f"The county has no layer {name} any more.", slug="layer-unknown")
            selection = Selection(county_id, layers[name], window, filter_of(layers[name], request.filter))
            export = _LayerExport(selection, system, file_format, settings.max_rows, progress)
            written += export.run(connection, files)
            results.append(export.result())
        sheet = MetadataSheet(
            Provenance(
                counties.county_name(connection, county_id),
                as_of,
                counties.latest_sync(connection, county_id),
                settings.disclaimer,
            ),
            request,
            file_format,
            system.name,
            system.unit,
            written,
            results,
        )
    files.close(sheet)
    return files.path, results


class _LayerExport:
    """One layer of one export."""

    def __init__(
        self,
        selection: Selection,
        system: ReferenceSystem,
        file_format: FileFormat,
        max_rows: int,
        progress: Progress,
    ) -> None:
        self._selection = selection
        self._layer: Layer = selection.layer
        self._system = system
        self._format = file_format
        self._max_rows = max_rows
        self._progress = progress
        self._blocks = BlockReader(selection, system, file_format)
        self._features = 0
        self._without_location = 0

    def run(self, connection: Connection, files: ExportFiles) -> list[WrittenLayer]:
        """Write the layer: as one of the file, or as one for each type of geometry."""
        survey = selections.survey(connection, self._selection)
        if survey.rows > self._max_rows:
            raise too_many_rows(self._layer.name, self._max_rows)
        if survey.extent is not None:
            reference_systems.require_within(self._system, survey.extent)
        self._without_location = survey.without_location
        parts = shapes.layer_parts(
            survey.wkb_types,
            survey.points,
            points_only=self._layer.is_of_points,
            one_type=self._format.one_geometry_type,
        )
        self._blocks.groups = [part.group for part in parts]
        written = []
        for number, part in enumerate(parts):
            file_layer = FileLayer.of(self._layer, part, self._format)
            self._blocks.counting = number == 0  # each further part reads the same rows
            features, done = 0, 0
            with files.layer(file_layer) as writer:
                for text in rows.stream(connection, self._selection, file_layer.columns):
                    block, read = self._blocks.features(text, file_layer)
                    writer.add(block)
                    features += int(block.shapes.size)
                    done += read
                    self._progress(min(done, survey.rows), survey.rows, file_layer.name)
            written.append(WrittenLayer(file_layer, features))
            self._features += features
        return written

    def result(self) -> LayerResult:
        """Counts of the layer."""
        counts = {name: self._blocks.outcomes.counts[name] for name in ShapeOutcomes.NAMES}
        counts["without_location"] += self._without_location
        return LayerResult(name=self._layer.name, features=self._features, cut_texts=self._blocks.cut_texts, **counts)
