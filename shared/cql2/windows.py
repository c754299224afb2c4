"""The SQL condition that a feature's bounds overlap a window."""

from sqlalchemy import ColumnElement, Double, and_, bindparam, cast, literal_column, or_

from shared.cql2.queryables import GeometryQueryable

Window = tuple[float, float, float, float]
"""West, south, east, north."""


def window_condition(geometry: GeometryQueryable, window: Window) -> ColumnElement[bool]:
    """Bounds that reach into the window, and those that are NULL: only the shape says where such a feature lies.

    Comparisons of numbers, which alone can search an index under row-level security.
    """
    west, south, east, north = (literal_column(side, Double) for side in geometry.bounds)
    margins = (-geometry.reach, -geometry.reach, geometry.reach, geometry.reach)
    least_x, least_y, greatest_x, greatest_y = (
        cast(bindparam(None, side + margin, Double), Double) for side, margin in zip(window, margins, strict=True)
    )
    overlap = and_(west <= greatest_x, east >= least_x, south <= greatest_y, north >= least_y)
    return or_(overlap, west.is_(None))
