"""The tree of a filter: predicates, and the expressions that they compare.

Every node knows its `pointer` in the CQL2-JSON that it was read from; texts are read by way of that JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

Position = tuple[float, float]
GeometryType = Literal[
    "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"
]
ComparisonOperator = Literal["=", "<>", "<", "<=", ">", ">="]
ArithmeticOperator = Literal["+", "-", "*", "/", "div", "%", "^"]
CharacterFunctionName = Literal["casei", "accenti"]
SpatialOperator = Literal[
    "s_intersects", "s_disjoint", "s_contains", "s_within", "s_crosses", "s_overlaps", "s_touches", "s_equals"
]
TemporalOperator = Literal[
    "t_after",
    "t_before",
    "t_contains",
    "t_disjoint",
    "t_during",
    "t_equals",
    "t_finishedBy",
    "t_finishes",
    "t_intersects",
    "t_meets",
    "t_metBy",
    "t_overlappedBy",
    "t_overlaps",
    "t_startedBy",
    "t_starts",
]


@dataclass(frozen=True, kw_only=True)
class Node:
    """A part of a filter."""

    pointer: str = field(default="", compare=False)


@dataclass(frozen=True)
class PropertyReference(Node):
    """A property of the features, by name."""

    name: str


@dataclass(frozen=True)
class NumberLiteral(Node):
    value: Decimal


@dataclass(frozen=True)
class TextLiteral(Node):
    value: str


@dataclass(frozen=True)
class BooleanLiteral(Node):
    value: bool


@dataclass(frozen=True)
class DateLiteral(Node):
    value: date


@dataclass(frozen=True)
class TimestampLiteral(Node):
    """An instant; `value` carries its offset."""

    value: datetime


@dataclass(frozen=True)
class CharacterFunction(Node):
    """A text without regard to case (casei) or to accents (accenti)."""

    name: CharacterFunctionName
    argument: Expression


@dataclass(frozen=True)
class Arithmetic(Node):
    operator: ArithmeticOperator
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Interval(Node):
    """A period, both ends included; an end None is open (`..`)."""

    start: Expression | None
    end: Expression | None


@dataclass(frozen=True)
class GeometryLiteral(Node):
    """A geometry in the filter's reference system.

    `parts` are sequences of positions for a point (one of one), a line and the rings of a polygon (one for each), and
    geometries for everything that consists of several.
    """

    geometry_type: GeometryType
    parts: tuple[tuple[Position, ...] | GeometryLiteral, ...]


Expression = (
    PropertyReference
    | NumberLiteral
    | TextLiteral
    | BooleanLiteral
    | DateLiteral
    | TimestampLiteral
    | CharacterFunction
    | Arithmetic
)
TemporalOperand = Expression | Interval
SpatialOperand = PropertyReference | GeometryLiteral


@dataclass(frozen=True)
class And(Node):
    parts: tuple[Predicate, ...]


@dataclass(frozen=True)
class Or(Node):
    parts: tuple[Predicate, ...]


@dataclass(frozen=True)
class Not(Node):
    part: Predicate


@dataclass(frozen=True)
class Comparison(Node):
    operator: ComparisonOperator
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Like(Node):
    """Match with a pattern of `%` (any characters) and `_` (any character), escaped by a backslash."""

    text: Expression
    pattern: Expression


@dataclass(frozen=True)
class Between(Node):
    """True from `lower` to `upper`, both included."""

    value: Expression
    lower: Expression
    upper: Expression


@dataclass(frozen=True)
class In(Node):
    value: Expression
    items: tuple[Expression, ...]


@dataclass(frozen=True)
class IsNull(Node):
    operand: Expression


@dataclass(frozen=True)
class BooleanPredicate(Node):
    """A boolean that is a predicate by itself."""

    operand: PropertyReference | BooleanLiteral


@dataclass(frozen=True)
class SpatialPredicate(Node):
    operator: SpatialOperator
    left: SpatialOperand
    right: SpatialOperand


@dataclass(frozen=True)
class TemporalPredicate(Node):
    operator: TemporalOperator
    left: TemporalOperand
    right: TemporalOperand


Predicate = (
    And | Or | Not | Comparison | Like | Between | In | IsNull | BooleanPredicate | SpatialPredicate | TemporalPredicate
)
