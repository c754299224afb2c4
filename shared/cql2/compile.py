"""A filter compiled against a layer's queryables, into SQL with bound values.

There is no spatial predicate in SQL. A tree with such predicates compiles into a superset of its rows (windows around
the filter's geometries where they may narrow, and everything else as it is) and a residual: the tree in which each part
without a spatial predicate is a flag, a column of the row. Flags and spatial predicates have three values, as in SQL.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, false, not_, or_, true

from shared.cql2.conditions import ConditionCompiler
from shared.cql2.errors import FilterError
from shared.cql2.geometry_literals import Bounds, bounds_of
from shared.cql2.queryables import GeometryQueryable, Queryables
from shared.cql2.tree import (
    And,
    GeometryLiteral,
    Node,
    Not,
    Or,
    Predicate,
    PropertyReference,
    SpatialOperand,
    SpatialPredicate,
)
from shared.cql2.windows import window_condition


@dataclass(frozen=True)
class Flag(Node):
    """A part of the tree that the database evaluates: the column `index` of the row's flags."""

    index: int


Residual = And | Or | Not | SpatialPredicate | Flag


@dataclass(frozen=True)
class CompiledFilter:
    """A filter as SQL. Without a `residual`, `condition` selects exactly the filter's rows; with one, a superset."""

    condition: ColumnElement[bool]
    flags: tuple[ColumnElement[bool], ...] = ()
    residual: Residual | None = None


def compile_filter(predicate: Predicate, queryables: Queryables) -> CompiledFilter:
    """Compile a tree whose geometries are in degrees (`shared.cql2.positions` converts others).

    Raises FilterError for an unknown property, for kinds that cannot be compared, and for geometries beyond the earth's
    degrees.
    """
    return _Compilation(queryables).run(predicate)


class _Compilation:
    def __init__(self, queryables: Queryables) -> None:
        self._conditions = ConditionCompiler(queryables)
        self._geometry = queryables.geometry
        self._flags: list[ColumnElement[bool]] = []

    def run(self, predicate: Predicate) -> CompiledFilter:
        conjuncts = predicate.parts if isinstance(predicate, And) else (predicate,)
        plain = [self._conditions.compile(part) for part in conjuncts if not _is_spatial(part)]
        spatial = [part for part in conjuncts if _is_spatial(part)]
        if not spatial:
            return CompiledFilter(and_(true(), *plain))
        for part in spatial:
            self._check(part)
        narrowed = [self._may_be(True, part) for part in spatial]
        residuals = tuple(self._residual(part) for part in spatial)
        residual = residuals[0] if len(residuals) == 1 else And(residuals)  # type: ignore[arg-type]
        return CompiledFilter(and_(true(), *plain, *narrowed), tuple(self._flags), residual)

    def _check(self, predicate: Predicate) -> None:
        """Check the operands of all spatial predicates."""
        match predicate:
            case And(parts) | Or(parts):
                for part in parts:
                    self._check(part)
            case Not(part):
                self._check(part)
            case SpatialPredicate(_, left, right):
                for operand in (left, right):
                    if isinstance(operand, PropertyReference):
                        self._require_geometry(operand)
                    else:
                        _require_degrees(operand)

    def _require_geometry(self, reference: PropertyReference) -> GeometryQueryable:
        if self._geometry is None or reference.name != self._geometry.name:
            name = "none here" if self._geometry is None else f"{self._geometry.name!r} here"
            raise FilterError(
                f"{reference.name!r:.100} is not the property of the geometry, which is {name}.", reference.pointer
            )
        return self._geometry

    def _residual(self, predicate: Predicate) -> Residual:
        if not _is_spatial(predicate):
            self._flags.append(self._conditions.compile(predicate))
            return Flag(len(self._flags) - 1)
        match predicate:
            case And(parts):
                return And(tuple(self._residual(part) for part in parts))  # type: ignore[misc]
            case Or(parts):
                return Or(tuple(self._residual(part) for part in parts))  # type: ignore[misc]
            case Not(part):
                return Not(self._residual(part))  # type: ignore[arg-type]
            case SpatialPredicate():
                return predicate
        raise AssertionError(predicate)

    def _may_be(self, value: bool, predicate: Predicate) -> ColumnElement[bool]:
        """A condition that holds for every row in which the predicate may have this value."""
        if not _is_spatial(predicate):
            condition = self._conditions.compile(predicate)
            return condition if value else not_(condition)
        match predicate:
            case And(parts):
                return (and_ if value else or_)(*(self._may_be(value, part) for part in parts))
            case Or(parts):
                return (or_ if value else and_)(*(self._may_be(value, part) for part in parts))
            case Not(part):
                return self._may_be(not value, part)
            case SpatialPredicate(operator, left, right):
                is_near = value != (operator == "s_disjoint")
                return self._near(left, right) if is_near else true()
        raise AssertionError(predicate)

    def _near(self, left: SpatialOperand, right: SpatialOperand) -> ColumnElement[bool]:
        """The condition that two geometries may have a point in common."""
        geometry = self._geometry
        literals = [operand for operand in (left, right) if isinstance(operand, GeometryLiteral)]
        if geometry is None or len(literals) != 1:
            return true()
        windows = (window_condition(geometry, window) for window in _windows(literals[0]))
        return or_(false(), *windows)


def _require_degrees(geometry: GeometryLiteral) -> None:
    west, south, east, north = bounds_of(geometry)
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise FilterError(
            "The geometry lies outside the earth's degrees: positions are longitude and latitude, or in the reference"
            " system that filter-crs names.",
            geometry.pointer,
        )


def _windows(geometry: GeometryLiteral) -> list[Bounds]:
    """The bounds of each half of a box over the antimeridian, and of any other geometry as a whole."""
    members = [part for part in geometry.parts if isinstance(part, GeometryLiteral)]
    return [bounds_of(member) for member in members] if len(members) == 2 else [bounds_of(geometry)]


def _is_spatial(predicate: Predicate) -> bool:
    match predicate:
        case And(parts) | Or(parts):
            return any(_is_spatial(part) for part in parts)
        case Not(part):
            return _is_spatial(part)
        case SpatialPredicate():
            return True
    return False
