"""The metadata sheet of an export, as text that a person reads: what it holds, of when, in which form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from functions.gis_export.domain.formats import FileFormat
from functions.gis_export.domain.layer_file import FileColumn, FileLayer
from functions.gis_export.schemas import GisExportRequest, LayerResult

_OUTCOMES = {
    "without_location": "rows without a location that the layer takes, left out",
    "unreadable": "shapes that could not be read: the row's point stands for each, in a layer that takes points",
    "empty": "shapes without extent: the row's point stands for each, in a layer that takes points",
    "repaired": "shapes that crossed themselves, repaired",
    "reversed": "shapes with rings that ran the wrong way, reversed",
    "outside_crs": "features that the reference system cannot express, left out",
    "cut_texts": "texts of more than 254 bytes, cut",
}


@dataclass(frozen=True)
class WrittenLayer:
    """A layer in a file, with its number of features."""

    file_layer: FileLayer
    features: int


@dataclass(frozen=True)
class Provenance:
    """Where an export comes from: its county, the sync run that was applied last, and what the county says of it."""

    county_name: str
    exported_at: datetime
    sync_run: tuple[UUID, datetime] | None
    disclaimer: str | None


@dataclass(frozen=True)
class MetadataSheet:
    """The metadata of an export: when, of what and by which request it was made, and what it holds and left out."""

    provenance: Provenance
    request: GisExportRequest
    file_format: FileFormat
    crs_name: str
    crs_unit: str
    written: Sequence[WrittenLayer]
    results: Sequence[LayerResult]

    def text(self) -> str:
        """The sheet as plain text."""
        return "\n".join(self._lines()) + "\n"

    def items(self) -> list[tuple[str, str]]:
        """The sheet as rows of a table: what a line is about, and the line."""
        subject, rows = "", []
        for line in self._lines():
            if line and not line.startswith(" "):
                subject, _, line = line.partition(": ")
            if line.strip():
                rows.append((subject, line.strip()))
        return rows

    def _lines(self) -> Iterator[str]:
        about = self.provenance
        yield f"Export: map layers of {about.county_name}"
        yield f"Exported at: {_time(about.exported_at)}"
        if about.sync_run is not None:
            run_id, applied_at = about.sync_run
            yield f"Source run: {run_id}, applied at {_time(applied_at)}"
        yield f"Format: {self.file_format.title} ({self.file_format.notes})"
        yield (
            f"Reference system: EPSG:{self.request.epsg_code} ({self.crs_name}), in {self.crs_unit};"
            " east or longitude comes first"
        )
        yield f"Selection: {self._selection()}"
        if about.disclaimer:
            yield f"Disclaimer: {about.disclaimer}"
        for result in self.results:
            yield ""
            yield from self._layer(result)

    def _selection(self) -> str:
        request = self.request
        parts = []
        if request.bbox is not None:
            parts.append(f"features that touch the box {', '.join(f'{side:g}' for side in request.bbox)}")
        if request.area is not None:
            parts.append(f"features that touch the area {request.area.model_dump_json()}")
        if request.filter is not None:
            content = request.filter if isinstance(request.filter, str) else json.dumps(request.filter)
            parts.append(f"filter {' '.join(content.split())}")
        return "; ".join(parts) or "everything"

    def _layer(self, result: LayerResult) -> Iterator[str]:
        files = [written for written in self.written if written.file_layer.layer.name == result.name]
        layer = files[0].file_layer.layer
        yield f"Layer {layer.name}: {layer.description}"
        for written in files:
            part = written.file_layer.part
            yield f"  {written.file_layer.name}: {written.features:,} features, geometry type {part.geometry_type}"
        for name, meaning in _OUTCOMES.items():
            number = getattr(result, name)
            if number:
                yield f"  {number:,} {meaning}"
        yield "  Columns:"
        for column in files[0].file_layer.columns:
            yield f"    {_described(column)}"


def _described(column: FileColumn) -> str:
    of = column.column
    unit = f", in {of.unit}" if of.unit else ""
    renamed = f" (of {of.name})" if of.name != column.name else ""
    codes = "" if of.domain is None else ": " + ", ".join(f"{code} = {meaning}" for code, meaning in of.domain.codes)
    return f"{column.name}{renamed}: {of.title}; {column.kind}{unit}{codes}"


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
