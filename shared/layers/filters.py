"""The queryables of a layer: its columns and its geometry, as filters name them."""

from shared.cql2 import GeometryQueryable, Queryable, Queryables
from shared.layers.model import Layer

GEOMETRY = "geom"
"""The name of every layer's geometry in filters."""


MAX_REACH = 0.02
"""Degrees (some 2 km) that a shape goes beyond the point by which its layer is searched. A choice: a square parcel of
1,000 acres goes 1 km beyond its middle. A larger one is missed by windows that touch no more than its edge."""


def queryables_of(layer: Layer) -> Queryables:
    """The names that a CQL2 filter of the layer may use. A column called as the geometry is not among it."""
    return Queryables(
        {
            column.name: Queryable(column.name, column.kind, column.expression)
            for column in layer.columns
            if column.name != GEOMETRY
        },
        GeometryQueryable(
            GEOMETRY,
            f"{layer.shape} IS NOT NULL OR {layer.longitude} IS NOT NULL",
            layer.bounds,
            MAX_REACH if layer.indexed_by_point else 0.0,
        ),
    )
