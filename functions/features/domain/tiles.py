"""Tiles of WebMercatorQuad (OGC 17-083r4, Annex D.1): which tile is where, and features as Mapbox vector tiles."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from functions.features.domain import vector_tile
from shared.layers import Layer

TILE_MATRIX_SET = "WebMercatorQuad"
TILE_MATRIX_SET_URI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
MAX_ZOOM = 20
EXTENT, BUFFER = 4096, 64
"""Units along a tile's edge, as the format's examples have it, and those beyond it where outlines are not drawn."""
MAX_TILE_FEATURES = 20_000
"""A choice: it bounds the time and memory of a tile; a tile of level 12 in the densest city has as many parcels."""
_MIN_ZOOM_OF_PARCELS = 12
_OF_PARCELS = ("parcels", "values", "sales")

Bounds = tuple[float, float, float, float]


def min_zoom(layer: Layer) -> int:
    """The least zoom level with tiles: a county's parcels are too many for one tile."""
    return _MIN_ZOOM_OF_PARCELS if layer.name in _OF_PARCELS else 0


def tile_at(longitude: float, latitude: float, zoom: int) -> tuple[int, int]:
    """Column and row of the tile at a position."""
    size = 1 << zoom
    x = (longitude + 180.0) / 360.0 * size
    y = float(_mercator_row(np.array([latitude]))[0]) * size
    return min(max(int(x), 0), size - 1), min(max(int(y), 0), size - 1)


def tile_window(zoom: int, row: int, column: int) -> Bounds:
    """West, south, east and north of a tile with its buffer, in degrees."""
    size, margin = 1 << zoom, BUFFER / EXTENT
    west, east = ((column + shift) / size * 360.0 - 180.0 for shift in (-margin, 1 + margin))
    north, south = (_latitude((row + shift) / size) for shift in (-margin, 1 + margin))
    return max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0)


def encode(layer: Layer, shapes: NDArray[Any], properties: Sequence[str], zoom: int, row: int, column: int) -> bytes:
    """The tile of the features, whose shapes are in degrees; empty where none of them has a part in it."""
    present = np.flatnonzero(~shapely.is_missing(shapes))
    clipped = _clipped(_in_tile(shapes[present], zoom, row, column))
    commands = vector_tile.geometry_commands(clipped)
    features: Iterable[tuple[int, bytes, dict[str, Any]]] = (
        (geometry_type, encoded, orjson.loads(properties[present[index]]))
        for index, (geometry_type, encoded) in commands.items()
    )
    return vector_tile.encode_layer(layer.name, EXTENT, features)


def _in_tile(shapes: NDArray[Any], zoom: int, row: int, column: int) -> NDArray[Any]:
    """Shapes in the tile's units, x to the right and y down."""
    size = 1 << zoom

    def convert(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        x = ((coordinates[:, 0] + 180.0) / 360.0 * size - column) * EXTENT
        y = (_mercator_row(coordinates[:, 1]) * size - row) * EXTENT
        return np.column_stack((x, y))

    return np.asarray(shapely.transform(shapes, convert))


def _clipped(shapes: NDArray[Any]) -> NDArray[Any]:
    window = (-BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER)
    try:
        return np.asarray(shapely.clip_by_rect(shapes, *window))
    except shapely.errors.GEOSException:
        return np.asarray(shapely.intersection(shapely.make_valid(shapes), shapely.box(*window)))


def _mercator_row(latitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of the square's height above a latitude."""
    radians = np.radians(np.clip(latitudes, -85.06, 85.06))  # the square ends at 85.0511
    return np.asarray((1.0 - np.arcsinh(np.tan(radians)) / math.pi) / 2.0)


def _latitude(share: float) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1.0 - 2.0 * share))))
