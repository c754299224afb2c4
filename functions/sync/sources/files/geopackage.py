"""GeoPackages: SQLite databases with well-known binary in them (OGC 12-128r18)."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from functions.sync.sources.files.framing import framed, unreadable
from functions.sync.sources.projection import Inverse, inverse_of
from functions.sync.sources.texts import as_text
from shared.geometry import (
    LATITUDE,
    LONGITUDE,
    WKB,
    Polygon,
    Shape,
    point_shape,
    point_within,
    polygons_wkb,
    wkb_polygons,
)
from shared.problems import Unprocessable
from shared.source_description import GeoPackageFile

if TYPE_CHECKING:
    import polars as pl

_ENVELOPES = (0, 32, 48, 48, 64)
"""Bytes of the envelope that a shape's header may hold, by the code in its flags (section 2.1.3)."""


class GeoPackage:
    """A layer of points or polygons with its attributes, or a table without shapes."""

    def __init__(self, path: Path, description: GeoPackageFile) -> None:
        self._path = path
        self._format = description

    def columns(self) -> dict[str, str]:
        with self._opened() as database:
            found = database.execute(f"PRAGMA table_info({_quoted(self._layer)})").fetchall()
        columns = {name: kind or "unknown" for _, name, kind, *_ in found if name != self._geometry}
        if self._geometry is None:
            return columns
        return {**columns, WKB: "geometry", LONGITUDE: "float", LATITUDE: "float"}

    def frames(self, rows: int) -> Iterator[pl.DataFrame]:
        yield from framed(self._rows(), list(self.columns()), rows)

    def _rows(self) -> Iterator[Sequence[str | None]]:
        attributes = [name for name in self.columns() if name not in {WKB, LONGITUDE, LATITUDE}]
        chosen = [*attributes, *([self._geometry] if self._geometry else [])]
        statement = f"SELECT {', '.join(map(_quoted, chosen))} FROM {_quoted(self._layer)} ORDER BY rowid"  # noqa: S608
        try:
            with self._opened() as database:
                for row in database.execute(statement):
                    texts = [as_text(value) for value in row[: len(attributes)]]
                    yield [*texts, *(_shape(row[-1], self._inverse) if self._geometry else ())]
        except (sqlite3.Error, ValueError) as error:
            raise unreadable(self._format.file, "GeoPackage", error) from None

    @cached_property
    def _layer(self) -> str:
        try:
            with self._opened() as database:
                layers = [name for (name,) in database.execute("SELECT table_name FROM gpkg_contents ORDER BY 1")]
        except sqlite3.Error as error:
            raise unreadable(self._format.file, "GeoPackage", error) from None
        wanted = [name for name in layers if self._format.layer in (None, name)]
        if len(wanted) != 1:
            raise Unprocessable(
                f"{self._format.file} has these layers: {', '.join(layers) or 'none'}; its description has to name"
                " one (layer).",
                slug="source-table-missing",
            )
        return str(wanted[0])

    @cached_property
    def _described(self) -> tuple[str, str] | None:
        """The column of the shapes, and the definition of their reference system."""
        statement = (
            "SELECT column_name, definition FROM gpkg_geometry_columns AS c"
            " JOIN gpkg_spatial_ref_sys AS s ON s.srs_id = c.srs_id WHERE table_name = ?"
        )
        with self._opened() as database:
            found = database.execute(statement, (self._layer,)).fetchone()
        return None if found is None else (str(found[0]), str(found[1]))

    @property
    def _geometry(self) -> str | None:
        return None if self._described is None else self._described[0]

    @cached_property
    def _inverse(self) -> Inverse:
        return inverse_of("" if self._described is None else self._described[1], self._format.file)

    def _opened(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(f"{self._path.as_uri()}?mode=ro&immutable=1", uri=True))


def _shape(content: bytes | None, inverse: Inverse) -> Shape:
    if content is None:
        return None, None, None
    if content[:2] != b"GP":
        raise ValueError("a shape has no GeoPackage header")
    envelope = content[3] >> 1 & 0b111
    if content[3] & 0b10000 or envelope >= len(_ENVELOPES):  # empty
        return None, None, None
    try:
        found = wkb_polygons(content[8 + _ENVELOPES[envelope] :])
    except struct.error as error:
        raise ValueError("a shape is cut off") from error
    if found is None or isinstance(found, tuple):
        return point_shape(None if found is None else inverse(found))
    placed: list[Polygon] = [[[inverse(point) for point in ring] for ring in polygon] for polygon in found]
    x, y = point_within(placed)
    return polygons_wkb(placed).hex(), repr(x), repr(y)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
