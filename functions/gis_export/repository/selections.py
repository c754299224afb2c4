"""SQL of the rows that are selected: which, and how many. Values are literals: COPY takes no parameters."""
# ruff: noqa: S608

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pg8000.native import literal
from sqlalchemy import Connection

from functions.gis_export.domain.windows import Window
from shared.geo.bounding_box import Box
from shared.layers import Layer

if TYPE_CHECKING:  # it brings the parser of filters
    from shared.cql2.compile import Residual


@dataclass(frozen=True)
class RowFilter:
    """A filter's condition, which selects a superset of its rows where there is a `residual`: that decides, by the
    rows' shapes and the `flags`, conditions that become columns of each row.
    """

    condition: str
    flags: tuple[str, ...] = ()
    residual: Residual | None = None


EVERY_ROW = RowFilter("true")


@dataclass(frozen=True)
class Selection:
    """Rows of a layer: those of a county, in a window, that a filter selects."""

    county_id: str
    layer: Layer
    window: Window
    row_filter: RowFilter = EVERY_ROW

    @property
    def sql(self) -> str:
        """The rows that may be exported, as `tables WHERE condition`."""
        return f"{self._filtered} AND {_located(self.layer)} AND {_in_boxes(self.layer, self.window)}"

    @property
    def nowhere_sql(self) -> str:
        """The rows that have neither a shape nor a point, wherever they belong."""
        return f"{self._filtered} AND NOT {_located(self.layer)}"

    @property
    def _filtered(self) -> str:
        return f"{self.layer.rows_sql(literal(self.county_id))} AND {self.row_filter.condition}"


@dataclass(frozen=True)
class Survey:
    """Counts of a selection: rows with a position and without, points without a shape, and the shapes' types.

    Types are WKB's numbers; `extent` is that of the points.
    """

    rows: int
    without_location: int
    points: int
    wkb_types: frozenset[int]
    extent: Box | None


def survey(connection: Connection, selection: Selection) -> Survey:
    """Count a selection."""
    layer = selection.layer
    west, south, east, north = layer.bounds
    groups = connection.exec_driver_sql(
        f"SELECT substring({layer.shape} FROM 1 FOR 5) AS header, count(*) AS number,"
        f" min({west}) AS west, min({south}) AS south, max({east}) AS east, max({north}) AS north"
        f" FROM {selection.sql} GROUP BY 1"
    ).all()
    nowhere = connection.exec_driver_sql(f"SELECT count(*) FROM {selection.nowhere_sql}").scalar_one()
    boxes = [(row.west, row.south, row.east, row.north) for row in groups if row.west is not None]
    wests, souths, easts, norths = zip(*boxes, strict=True) if boxes else ((), (), (), ())
    return Survey(
        rows=sum(row.number for row in groups),
        without_location=int(nowhere),
        points=sum(row.number for row in groups if row.header is None),
        wkb_types=frozenset(_type_number(row.header) for row in groups if row.header is not None),
        extent=(min(wests), min(souths), max(easts), max(norths)) if boxes else None,
    )


def has_more_than(connection: Connection, selection: Selection, rows: int) -> bool:
    """True if a selection has more rows than this."""
    number = connection.exec_driver_sql(
        f"SELECT count(*) FROM (SELECT 1 FROM {selection.sql} LIMIT {rows + 1}) AS counted"
    ).scalar_one()
    return int(number) > rows


def _located(layer: Layer) -> str:
    return f"({layer.shape} IS NOT NULL OR {layer.longitude} IS NOT NULL AND {layer.latitude} IS NOT NULL)"


def _in_boxes(layer: Layer, window: Window) -> str:
    """Condition for rows that may lie in the window: by their bounds, or by a shape that is tested later."""
    if window.search_boxes is None:
        return "true"
    conditions = [_in_box(layer, box) for box in window.search_boxes]
    west, south, *_ = layer.bounds
    unbounded = "true" if layer.indexed_by_point else f"({west} IS NULL OR {south} IS NULL)"
    return f"({' OR '.join(conditions)} OR {layer.shape} IS NOT NULL AND {unbounded})"


def _in_box(layer: Layer, box: Box) -> str:
    (west, south, east, north), (left, bottom, right, top) = layer.bounds, box
    return f"({west} <= {right!r} AND {east} >= {left!r} AND {south} <= {top!r} AND {north} >= {bottom!r})"


def _type_number(header: bytes) -> int:
    """The type in a WKB header, without the marks of dimensions and of a reference system; 0 for no such header."""
    if len(header) < 5 or header[0] > 1:
        return 0
    return (int.from_bytes(header[1:], "little" if header[0] else "big") & 0xFFFF) % 1000
