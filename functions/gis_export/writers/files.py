"""The files of an export: a layer's or all layers', and the ZIP archive that carries them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from functions.gis_export.domain.formats import FileFormat
from functions.gis_export.domain.layer_file import FeatureBlock, FileLayer
from functions.gis_export.domain.metadata import MetadataSheet
from functions.gis_export.writers import geopackage
from functions.gis_export.writers.gdal_process import GdalLayer, write_table
from functions.gis_export.writers.geoparquet import GeoParquetFile
from shared.csv_export.tables import Table, to_csv

SHEET = "metadata.txt"
COLUMN_NAMES = "column_names.csv"

_COMPRESSION_LEVEL = 1
"""A choice: of 1 to 9, a fifth of the time of the default level for a tenth more bytes."""


class LayerWriter(Protocol):
    """A layer that takes blocks of features."""

    def add(self, block: FeatureBlock) -> None:
        """Write a block of features."""


class ExportFiles:
    """The files of an export in a folder. `stem` is the name without its ending, `code` an EPSG code."""

    def __init__(self, folder: Path, stem: str, file_format: FileFormat, code: int, as_of: datetime) -> None:
        self._folder = folder / "files"
        self._folder.mkdir()
        self._format = file_format
        self._stem = stem
        self._code = code
        self._as_of = as_of
        self._layers: list[FileLayer] = []
        self.path = folder / f"{stem}{file_format.archive or file_format.suffix}"

    def layer(self, layer: FileLayer) -> AbstractContextManager[LayerWriter]:
        """Begin a layer; it is there even when nothing is added."""
        self._layers.append(layer)
        name = self._stem if self._format.many_layers else layer.name
        path = self._folder / f"{name}{self._format.suffix}"
        if self._format.driver is None:
            return GeoParquetFile(path, layer, self._code)
        return GdalLayer(path, self._format, layer, self._code, self._as_of, self._options(layer))

    def close(self, sheet: MetadataSheet) -> None:
        """Add the metadata sheet, and for columns with other names in the file what they stand for."""
        whole = self._folder / f"{self._stem}{self._format.suffix}"
        if self._format.driver == "GPKG":
            geopackage.complete(whole, self._layers, sheet.text(), self._as_of)
            whole.rename(self.path)
            return
        if self._format.driver == "OpenFileGDB":
            write_table(whole, "OpenFileGDB", "export_metadata", ("subject", "statement"), sheet.items())
        (self._folder / SHEET).write_text(sheet.text(), encoding="utf-8")
        renamed = [(layer.name, column) for layer in self._layers for column in layer.renamed]
        if renamed:
            rows = [(name, column.name, column.column.name, column.column.title) for name, column in renamed]
            table = Table(("layer", "name_in_file", "column", "title"), rows)
            (self._folder / COLUMN_NAMES).write_bytes(to_csv(table))
        self._pack()

    def _options(self, layer: FileLayer) -> dict[str, str]:
        """GDAL's options that depend on the layer."""
        of = layer.layer
        match self._format.driver:
            case "GPKG":
                identifier = of.title if not layer.part.suffix else f"{of.title} ({layer.part.group}s)"
                return {"IDENTIFIER": identifier, "DESCRIPTION": of.description}
            case "GeoJSON":
                return {"DESCRIPTION": of.description}
            case "KML":
                return {"NameField": "parcel_number" if "parcel_number" in of.columns_by_name else of.key}
        return {}

    def _pack(self) -> None:
        """Put the files into the archive, each deleted as soon as it is there."""
        with ZipFile(self.path, "w", ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL) as archive:
            for file in self._sorted_files():
                entry = ZipInfo(file.relative_to(self._folder).as_posix(), self._as_of.timetuple()[:6])
                entry.compress_type = ZIP_DEFLATED
                with file.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
                    while chunk := source.read(1 << 20):
                        target.write(chunk)
                file.unlink()

    def _sorted_files(self) -> Sequence[Path]:
        return sorted(path for path in self._folder.rglob("*") if path.is_file())
