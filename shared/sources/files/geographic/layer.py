"""A layer of a geographic file as GDAL describes it, with its reference system and its columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyogrio
import pyproj

from shared.contracts.source_rows import READ_FAULT, VALUE_FAULTS
from shared.counties.source_description import FileGeodatabaseFile, FlatGeobufFile, GeographicFile, ShapeFile
from shared.geo.geometry import LATITUDE, LONGITUDE, WKB
from shared.sources.files.geographic.gdal import DRIVERS
from shared.sources.files.geographic.problems import refusal, select_layer, unreadable_file
from shared.sources.files.geographic.shapefile_files import declared_encoding
from shared.sources.files.geographic.unpacking import UnpackedFile

RAW_BYTES_ENCODING = "ISO-8859-1"
"""Encoding in which GDAL passes on every byte of a Shapefile's texts; they are decoded here, where invalid bytes are
noticed."""
_CRS_EXAMPLE = "EPSG:2285 of Washington North in feet"
_LINES = frozenset({"LineString", "MultiLineString", "CircularString", "CompoundCurve", "Curve", "MultiCurve"})


@dataclass(frozen=True)
class Layer:
    """An opened layer."""

    path: Path
    name: str
    """GDAL's name."""
    shown: str
    """The county's name."""
    description: GeographicFile
    info: dict[str, Any]

    @classmethod
    def open(cls, file: UnpackedFile, description: GeographicFile, *, any_geometry: bool = False) -> Layer:
        """Open the layer of a description. Raises Unprocessable where there is none, or it cannot be read."""
        path = file.path
        try:
            layers = {str(name): str(name) for name, _ in pyogrio.list_layers(path)}
            name = next(iter(layers), "") if file.layer is not None else select_layer(layers, description)
            encoding = RAW_BYTES_ENCODING if isinstance(description, ShapeFile) else None
            info = pyogrio.read_info(path, layer=name, encoding=encoding)
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
            raise unreadable_file(description, error) from None
        if info["driver"] != DRIVERS[getattr(description, "format", "")]:
            raise unreadable_file(description, f"it is {info['driver']}")
        layer = cls(path, name, file.layer or name, description, info)
        layer.require_readable(any_geometry=any_geometry)
        return layer

    @property
    def file(self) -> str:
        return self.description.file

    @property
    def has_shapes(self) -> bool:
        return self.info["geometry_type"] is not None

    @property
    def counted_rows(self) -> int | None:
        """The number of features that the file declares; None where that is not reliable."""
        is_reliable = isinstance(self.description, (FileGeodatabaseFile, FlatGeobufFile)) and self.info["features"] > 0
        return int(self.info["features"]) if is_reliable else None

    @property
    def fid_column(self) -> str | None:
        """The column of the features' ids, where the layer has one."""
        return self.info["fid_column"] or None

    @cached_property
    def encoding(self) -> str | None:
        """The declared codec of a Shapefile's texts, or None; other formats have one encoding."""
        if not isinstance(self.description, ShapeFile):
            return "utf-8"
        return declared_encoding(self.path, self.shown, self.description)

    def require_readable(self, *, any_geometry: bool) -> None:
        """Raise Unprocessable for a layer of lines, which parcels are not, or with a column named as one of ours."""
        kind = str(self.info["geometry_type"] or "")
        if not any_geometry and kind.split(" ")[0] in _LINES:
            raise refusal(f"The shapes of {self.file} are {kind}; parcels are points or polygons.", "source-geometry")
        taken = sorted({WKB, LONGITUDE, LATITUDE, READ_FAULT, VALUE_FAULTS} & set(map(str, self.info["fields"])))
        if taken and self.has_shapes:
            raise refusal(
                f"{self.file} has a column {taken[0]}, which is what its shapes are called here; rename it.",
                "file-columns-twice",
            )

    @cached_property
    def system(self) -> pyproj.CRS:
        """The horizontal reference system. Raises Unprocessable where none is declared, or it is not of the earth."""
        declared = self.description.crs or self.info["crs"]
        if not declared:
            missing = " (it lacks its .prj)" if isinstance(self.description, ShapeFile) else ""
            raise refusal(
                f"{self.file} does not say its reference system{missing}: send it with it, or say it with the setting"
                f" `crs` ({_CRS_EXAMPLE}).",
                "source-reference-system",
            )
        try:
            system = pyproj.CRS.from_user_input(declared)
            if system.is_compound:
                system = system.sub_crs_list[0]
            if not (system.is_projected or system.is_geographic):
                raise pyproj.exceptions.CRSError(f"it is no map of the earth, but of the type {system.type_name}")
            return system.to_2d()
        except pyproj.exceptions.ProjError as error:
            raise refusal(
                f"{self.file} is in a reference system that cannot be read ({str(declared)[:80]}): {str(error)[:160]}."
                f" Say it with the setting `crs` ({_CRS_EXAMPLE}).",
                "source-reference-system",
            ) from None

    @cached_property
    def transformer(self) -> pyproj.Transformer:
        """Transformation to longitude and latitude in WGS 84. Raises Unprocessable where none is known."""
        try:
            return pyproj.Transformer.from_crs(self.system, "OGC:CRS84", always_xy=True, allow_ballpark=False)
        except pyproj.exceptions.ProjError:
            raise refusal(
                f"{self.file} is in {self.system.name}, from which no way to WGS 84 is known. Export it in WGS 84"
                " (EPSG:4326).",
                "source-reference-system",
            ) from None
