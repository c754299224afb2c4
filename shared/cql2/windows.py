"""The SQL condition that a feature's bounds overlap a window."""

from sqlalchemy import ColumnElement, Double, and_, bindparam, cast, literal_column, or_

from shared.cql2.queryables import Bounds as BoundsSql

Window = tuple[float, float, float, float]
"""West, south, east, north."""


def window_condition(bounds: BoundsSql, window: Window) -> ColumnElement[bool]:
    """Bounds that touch the window, and those that are NULL: only the shape says where such a feature lies.

    Comparisons of numbers, which alone can search an index under row-level security.
    """
    west, south, east, north = (literal_column(side, Double) for side in bounds)
    least_x, least_y, greatest_x, greatest_y = (cast(bindparam(None, side, Double), Double) for side in window)
    overlap = and_(west <= greatest_x, east >= least_x, south <= greatest_y, north >= least_y)
    return or_(overlap, west.is_(None))
