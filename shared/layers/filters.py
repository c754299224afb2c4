"""The queryables of a layer: its columns and its geometry, as filters name them."""

from shared.cql2 import GeometryQueryable, Queryable, Queryables
from shared.layers.model import Layer

GEOMETRY = "geom"
"""The name of every layer's geometry in filters."""


def queryables_of(layer: Layer) -> Queryables:
    """What a CQL2 filter of the layer may name. A column called as the geometry is not among it."""
    west, south, east, north = layer.bounds
    if layer.indexed_by_point:  # a shape goes beyond the bounds of its point
        west, south, east, north = (f"CASE WHEN {layer.shape} IS NULL THEN {side} END" for side in layer.bounds)
    return Queryables(
        {
            column.name: Queryable(column.name, column.kind, column.expression)
            for column in layer.columns
            if column.name != GEOMETRY
        },
        GeometryQueryable(
            GEOMETRY, f"{layer.shape} IS NOT NULL OR {layer.longitude} IS NOT NULL", (west, south, east, north)
        ),
    )
