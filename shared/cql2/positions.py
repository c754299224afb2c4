"""Conversion of a filter's geometries to another reference system."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from shared.cql2.geometry_literals import with_positions
from shared.cql2.tree import And, GeometryLiteral, Not, Or, Position, Predicate, SpatialOperand, SpatialPredicate

Conversion = Callable[[Sequence[Position]], Sequence[Position]]


def convert_positions(predicate: Predicate, convert: Conversion) -> Predicate:
    """The tree with the positions of its geometries converted."""
    match predicate:
        case And(parts) | Or(parts):
            return replace(predicate, parts=tuple(convert_positions(part, convert) for part in parts))
        case Not(part):
            return replace(predicate, part=convert_positions(part, convert))
        case SpatialPredicate(_, left, right):
            return replace(predicate, left=_converted(left, convert), right=_converted(right, convert))
    return predicate


def _converted(operand: SpatialOperand, convert: Conversion) -> SpatialOperand:
    return with_positions(operand, convert) if isinstance(operand, GeometryLiteral) else operand
