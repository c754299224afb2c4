"""Zipped Shapefiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

from functions.sync.sources.files.framing import framed, unreadable
from functions.sync.sources.projection import Inverse, inverse_of
from functions.sync.sources.texts import as_text
from shared.geometry import LATITUDE, LONGITUDE, WKB, Shape, point_shape, polygon_shape
from shared.problems import Unprocessable
from shared.source_description import ShapeFile

if TYPE_CHECKING:
    import polars as pl

LARGEST = 6 << 30
"""Bytes that an archive may unpack to: what the function's scratch space holds beside the archive itself."""
_LONGEST_PROJECTION = 64 * 1024
_PARTS = (".shp", ".dbf", ".prj")


class ZippedShapefile:
    """A layer of points or polygons with its attributes."""

    def __init__(self, path: Path, description: ShapeFile) -> None:
        self._format = description
        self._files = _unpacked(path, description)
        self._inverse = self._read_projection()

    def columns(self) -> dict[str, str]:
        with self._reader() as reader:
            fields = {name: f"{kind}({size})" for name, kind, size, *_ in _fields(reader)}
        return {**fields, WKB: "geometry", LONGITUDE: "float", LATITUDE: "float"}

    def frames(self, rows: int) -> Iterator[pl.DataFrame]:
        yield from framed(self._rows(), list(self.columns()), rows)

    def _rows(self) -> Iterator[Sequence[str | None]]:
        import shapefile

        try:
            with self._reader() as reader:
                for found in reader.iterShapeRecords():
                    yield [*(_text(value) for value in found.record), *_shape(found.shape, self._inverse)]
        except (shapefile.ShapefileException, ValueError, OSError) as error:
            raise unreadable(self._format.file, "Shapefile", error) from None

    def _reader(self) -> Any:
        import shapefile

        try:
            return shapefile.Reader(
                shp=self._files[".shp"].open("rb"),
                dbf=self._files[".dbf"].open("rb"),
                encoding=self._format.encoding,
            )
        except (shapefile.ShapefileException, OSError) as error:
            raise unreadable(self._format.file, "Shapefile", error) from None

    def _read_projection(self) -> Inverse:
        return inverse_of(self._files[".prj"].open("rb").read(_LONGEST_PROJECTION).decode("latin-1"), self._format.file)


def _unpacked(path: Path, description: ShapeFile) -> dict[str, Path]:
    try:
        with ZipFile(path) as archive:
            members = {info.filename: info for info in archive.infolist() if not info.is_dir()}
            base = _layer(list(members), description)
            chosen = {part: _member(list(members), base + part, description) for part in _PARTS}
            total = sum(members[name].file_size for name in chosen.values())
            if total > LARGEST:
                raise Unprocessable(
                    f"{description.file} unpacks to {total / 2**30:.1f} GiB; at most {LARGEST >> 30} are read.",
                    slug="file-too-large",
                )
            files = {part: path.with_suffix(part) for part in _PARTS}
            for part, name in chosen.items():
                with archive.open(name) as packed, files[part].open("wb") as file:
                    while piece := packed.read(1 << 20):
                        file.write(piece)
            return files
    except (BadZipFile, OSError, RuntimeError) as error:
        raise unreadable(description.file, "zipped Shapefile", error) from None


def _layer(members: list[str], description: ShapeFile) -> str:
    """The path of the layer in the archive, without its ending."""
    layers = [name[:-4] for name in members if name.lower().endswith(".shp") and not name.startswith("__MACOSX/")]
    wanted = [name for name in layers if description.layer in (None, name.rpartition("/")[2])]
    if len(wanted) != 1:
        named = ", ".join(name.rpartition("/")[2] for name in layers) or "none"
        raise Unprocessable(
            f"{description.file} has these layers: {named}; its description has to name one (layer).",
            slug="source-table-missing",
        )
    return wanted[0]


def _member(members: list[str], name: str, description: ShapeFile) -> str:
    for member in members:
        if member.lower() == name.lower():
            return member
    raise Unprocessable(f"{description.file} lacks {name.rpartition('/')[2]}.", slug="file-incomplete")


def _fields(reader: Any) -> list[Any]:
    """Without the flag of deleted rows, which stands first."""
    return [tuple(field) for field in reader.fields if field[0] != "DeletionFlag"]


def _text(value: object) -> str | None:
    text = as_text(value)
    return text if text is not None and text.strip() else None


def _shape(shape: Any, inverse: Inverse) -> Shape:
    name = shape.shapeTypeName
    if name == "NULL":
        return None, None, None
    if name.startswith("POINT"):
        return point_shape(inverse((shape.points[0][0], shape.points[0][1])))
    if not name.startswith("POLYGON"):
        raise ValueError(f"its shapes are {name.lower()}, and parcels are points or polygons")
    points = [inverse((point[0], point[1])) for point in shape.points]
    edges = [*shape.parts, len(points)]
    return polygon_shape(points[start:end] for start, end in pairwise(edges))
