"""The exact evaluation of a filter with spatial predicates, on shapes by shapely. Needs the geo layer.

Truth has three values, numbered so that AND is the least, OR the greatest and NOT the difference to 2.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from shared.cql2.compile import Flag, Residual
from shared.cql2.errors import FilterError
from shared.cql2.tree import And, GeometryLiteral, Not, Or, SpatialOperand, SpatialOperator, SpatialPredicate

Shapes = NDArray[Any]
"""Of shapely's geometries, in degrees; None where a feature has none."""
_Truth = NDArray[np.uint8]
_FALSE, _UNKNOWN, _TRUE = 0, 1, 2
_TRUTH = {False: _FALSE, None: _UNKNOWN, True: _TRUE}

_PREDICATES: dict[SpatialOperator, Callable[[Any, Any], Any]] = {
    "s_intersects": shapely.intersects,
    "s_disjoint": shapely.disjoint,
    "s_contains": shapely.contains,
    "s_within": shapely.within,
    "s_crosses": shapely.crosses,
    "s_overlaps": shapely.overlaps,
    "s_touches": shapely.touches,
    "s_equals": shapely.equals,
}
_CONVERSE: dict[SpatialOperator, SpatialOperator] = {"s_contains": "s_within", "s_within": "s_contains"}
"""Relations that turn round when their operands change places; the others are symmetric."""


def matches(residual: Residual, flags: Sequence[Sequence[bool | None]], shapes: Shapes) -> NDArray[np.bool_]:
    """The rows for which the residual is true. `flags` has a column for each of the filter's flags.

    Raises FilterError for a geometry of the filter that is not valid (a ring that crosses itself).
    """
    columns = [np.fromiter((_TRUTH[value] for value in column), np.uint8, len(column)) for column in flags]
    return np.asarray(_evaluate(residual, columns, shapes) == _TRUE)


def require_valid(residual: Residual) -> None:
    """Raise FilterError for a geometry of the filter that is not valid, which `matches` does where there are rows."""
    match residual:
        case And(parts) | Or(parts):
            for part in parts:
                require_valid(part)  # type: ignore[arg-type]
        case Not(part):
            require_valid(part)  # type: ignore[arg-type]
        case SpatialPredicate(_, left, right):
            for operand in (left, right):
                if isinstance(operand, GeometryLiteral):
                    to_shape(operand)


def _evaluate(residual: Any, flags: list[_Truth], shapes: Shapes) -> _Truth:
    match residual:
        case Flag(index):
            return flags[index]
        case And(parts):
            return np.asarray(np.minimum.reduce([_evaluate(part, flags, shapes) for part in parts]))
        case Or(parts):
            return np.asarray(np.maximum.reduce([_evaluate(part, flags, shapes) for part in parts]))
        case Not(part):
            return _TRUE - _evaluate(part, flags, shapes)
        case SpatialPredicate(operator, left, right):
            return _related(operator, left, right, shapes)
    raise AssertionError(residual)


def _related(operator: SpatialOperator, left: SpatialOperand, right: SpatialOperand, shapes: Shapes) -> _Truth:
    if isinstance(left, GeometryLiteral) and not isinstance(right, GeometryLiteral):
        operator, left, right = _CONVERSE.get(operator, operator), right, left
    first, second = (to_shape(part) if isinstance(part, GeometryLiteral) else shapes for part in (left, right))
    if isinstance(left, GeometryLiteral):
        return np.full(shapes.shape, _TRUE if _PREDICATES[operator](first, second) else _FALSE, np.uint8)
    related = _apply(operator, shapes, second)
    return np.where(shapely.is_missing(shapes), _UNKNOWN, np.where(related, _TRUE, _FALSE)).astype(np.uint8)


def _apply(operator: SpatialOperator, shapes: Shapes, other: Any) -> NDArray[np.bool_]:
    """The relation of each shape; a filter's geometry is prepared once, and asked for the converse."""
    converse = _CONVERSE.get(operator, operator)
    if other is not shapes:
        shapely.prepare(other)
    try:
        return np.asarray(_PREDICATES[converse](other, shapes))
    except shapely.errors.GEOSException:
        # a county's shape that crosses itself: what it most likely means is decided by make_valid
        valid = np.where(shapely.is_valid(shapes), shapes, shapely.make_valid(shapes))
        return np.asarray(_PREDICATES[converse](valid if other is shapes else other, valid))


def to_shape(geometry: GeometryLiteral) -> Any:
    """The geometry as shapely has it. Raises FilterError where it is not valid."""
    shape = _shape(geometry)
    if not shapely.is_valid(shape):
        raise FilterError(f"The geometry is not valid: {shapely.is_valid_reason(shape)}.", geometry.pointer)
    return shape


def _shape(geometry: GeometryLiteral) -> Any:
    parts: Any = geometry.parts
    match geometry.geometry_type:
        case "Point":
            return shapely.Point(parts[0][0])
        case "LineString":
            return shapely.LineString(parts[0])
        case "Polygon":
            return shapely.Polygon(parts[0], parts[1:])
        case "MultiPoint":
            return shapely.MultiPoint([_shape(part) for part in parts])
        case "MultiLineString":
            return shapely.MultiLineString([_shape(part) for part in parts])
        case "MultiPolygon":
            return shapely.MultiPolygon([_shape(part) for part in parts])
        case "GeometryCollection":
            return shapely.GeometryCollection([_shape(part) for part in parts])
