"""Vector tiles of a layer."""

import numpy as np

from functions.features import repository
from functions.features.domain.shapes import overlapping, shapes_of
from functions.features.domain.tiles import MAX_TILE_FEATURES, MAX_ZOOM, encode, min_zoom, tile_window
from functions.features.service.catalog import require_layer
from shared.access import Caller
from shared.cql2 import CompiledFilter
from shared.cql2.windows import window_condition
from shared.db import unit_of_work
from shared.layers import Layer
from shared.layers.filters import queryables_of
from shared.problems import NotFound

_MAX_DIGITS = 8
MAX_NEAR_ROWS = 100_000
"""Rows that may reach into a tile by their points. A choice: the driver reads some 300,000 of them a second."""


def tile(county_id: str, collection_id: str, caller: Caller, place: tuple[str, str, str]) -> bytes:
    """The tile of a layer at a zoom level, row and column. Raises NotFound for one that the tile set does not have."""
    with unit_of_work(county_id) as connection:
        layer = require_layer(connection, county_id, collection_id, caller)
        zoom, row, column = _numbers(layer, place)
        geometry = queryables_of(layer).geometry
        if geometry is None:
            raise NotFound(f"{collection_id} has no geometry.", slug="tile-not-found")
        window = tile_window(zoom, row, column)
        near = CompiledFilter(window_condition(geometry, window))
        rows = repository.shapes_of_some(connection, county_id, layer, near, MAX_NEAR_ROWS)
        shapes = shapes_of(rows.shapes, rows.longitudes, rows.latitudes, points_only=layer.geometry == "point")
        within = np.flatnonzero(overlapping(shapes, window))[:MAX_TILE_FEATURES]
        properties = repository.properties_of(connection, county_id, layer, [rows.keys[index] for index in within])
    return encode(layer, shapes[within], properties, zoom, row, column)


def _numbers(layer: Layer, place: tuple[str, str, str]) -> tuple[int, int, int]:
    if not all(part.isascii() and part.isdigit() and len(part) <= _MAX_DIGITS for part in place):
        raise NotFound("A tile is named by three whole numbers: level, row and column.", slug="tile-not-found")
    zoom, row, column = map(int, place)
    if not min_zoom(layer) <= zoom <= MAX_ZOOM or not (row < 1 << zoom and column < 1 << zoom):
        raise NotFound(
            f"There is no such tile; {layer.name} has levels {min_zoom(layer)} to {MAX_ZOOM}.", slug="tile-not-found"
        )
    return zoom, row, column
