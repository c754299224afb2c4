"""A layer as it goes into a file: names and types of its columns there, and blocks of its features."""

from __future__ import annotations

from dataclasses import dataclass

from functions.gis_export.domain.column_names import short_names
from functions.gis_export.domain.copy_text import ColumnValues, neutralized
from functions.gis_export.domain.formats import FileFormat
from functions.gis_export.domain.shapes import LayerPart, Shapes
from shared.layers.model import Column, ColumnKind, Layer

MAX_LAYER_NAME = 160
"""That of a File Geodatabase."""


@dataclass(frozen=True)
class FileColumn:
    """A column in a file: its name and its kind there."""

    name: str
    kind: ColumnKind
    column: Column

    @property
    def is_text_instead(self) -> bool:
        """True if it is a date or a time elsewhere."""
        return self.kind != self.column.kind and self.kind == "text"

    @property
    def is_wide(self) -> bool:
        """True for integers of more than 32 bits."""
        return self.kind == "integer" and self.column.wide


@dataclass(frozen=True)
class FileLayer:
    """A layer of a file."""

    name: str
    layer: Layer
    part: LayerPart
    columns: tuple[FileColumn, ...]

    @classmethod
    def of(cls, layer: Layer, part: LayerPart, file_format: FileFormat) -> FileLayer:
        """The layer in a file of a format."""
        names = {column.name: column.name for column in layer.columns}
        if file_format.max_name is not None:
            names = short_names(names, file_format.max_name, file_format.reserved_names)
        if file_format.spreadsheet:
            names = {name: neutralized(name.encode()).decode() for name in names}
        columns = (FileColumn(names[column.name], _kind(column, file_format), column) for column in layer.columns)
        name = f"{layer.name}{part.suffix}"
        if file_format.reserved_names:
            name = short_names([name], MAX_LAYER_NAME, file_format.reserved_names)[name]
        return cls(name, layer, part, tuple(columns))

    @property
    def renamed(self) -> tuple[FileColumn, ...]:
        """The columns whose names in the file are others."""
        return tuple(column for column in self.columns if column.name != column.column.name)


@dataclass(frozen=True)
class FeatureBlock:
    """Features of a layer; none of the shapes is None."""

    shapes: Shapes
    values: list[ColumnValues]


def _kind(column: Column, file_format: FileFormat) -> ColumnKind:
    if column.kind in file_format.as_text:
        return "text"
    if column.wide and not file_format.wide_integers:
        return "real"
    return column.kind
