"""CQL2-JSON read into the tree, each part checked."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, get_args

from shared.cql2.errors import FilterError
from shared.cql2.geometry_literals import read_geometry
from shared.cql2.numbers import exact_decimal, is_number
from shared.cql2.tree import (
    And,
    Arithmetic,
    ArithmeticOperator,
    Between,
    BooleanLiteral,
    BooleanPredicate,
    CharacterFunction,
    CharacterFunctionName,
    Comparison,
    ComparisonOperator,
    DateLiteral,
    Expression,
    GeometryLiteral,
    In,
    Interval,
    IsNull,
    Like,
    Not,
    NumberLiteral,
    Or,
    Predicate,
    PropertyReference,
    SpatialOperand,
    SpatialOperator,
    SpatialPredicate,
    TemporalOperand,
    TemporalOperator,
    TemporalPredicate,
    TextLiteral,
    TimestampLiteral,
)

MAX_DEPTH = 64
"""Of nodes within nodes. A choice, above what MAX_PARENTHESES of a text comes to in conditions."""
MAX_NODES = 5_000
"""A choice, far below the 65,535 bound values of a statement."""

_COMPARISONS = get_args(ComparisonOperator)
_ARITHMETIC = get_args(ArithmeticOperator)
_CHARACTER_FUNCTIONS = get_args(CharacterFunctionName)
_SPATIAL = get_args(SpatialOperator)
_TEMPORAL = {name.lower(): name for name in get_args(TemporalOperator)}
_OPEN_END = ".."
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]", re.IGNORECASE)


def read_predicate(document: Any) -> Predicate:
    """The tree of a filter in CQL2-JSON. Raises FilterError with a pointer to what cannot be read."""
    return _Reader().predicate(document, "", 0)


class _Reader:
    """One pass over a document, which counts its nodes."""

    def __init__(self) -> None:
        self._nodes = 0
        self._predicates: dict[str, Callable[[str, list[Any], str, int], Predicate]] = {
            "and": self._junction,
            "or": self._junction,
            "not": self._not,
            "like": self._like,
            "between": self._between,
            "in": self._in,
            "isnull": self._is_null,
            **dict.fromkeys(_COMPARISONS, self._comparison),
            **dict.fromkeys(_SPATIAL, self._spatial),
            **dict.fromkeys(_TEMPORAL, self._temporal),
        }

    def predicate(self, node: Any, pointer: str, depth: int) -> Predicate:
        """A part that is true or false."""
        self._enter(pointer, depth)
        if isinstance(node, bool):
            return BooleanPredicate(BooleanLiteral(node, pointer=pointer), pointer=pointer)
        if isinstance(node, dict) and "property" in node:
            return BooleanPredicate(_property(node, pointer), pointer=pointer)
        if not isinstance(node, dict) or "op" not in node:
            raise FilterError("A condition is expected here, which is true or false.", pointer)
        operator, arguments = _operation(node, pointer)
        read = self._predicates.get(operator.lower())
        if read is None:
            raise FilterError(
                f"There is no condition {operator[:60]!r}; there are: {', '.join(sorted(self._predicates))}.", pointer
            )
        return read(operator.lower(), arguments, pointer, depth + 1)

    def _junction(self, operator: str, arguments: list[Any], pointer: str, depth: int) -> Predicate:
        parts = tuple(
            self.predicate(argument, f"{pointer}/args/{number}", depth) for number, argument in enumerate(arguments)
        )
        if not parts:
            raise FilterError(f"{operator} has at least one argument.", pointer)
        return And(parts, pointer=pointer) if operator == "and" else Or(parts, pointer=pointer)

    def _not(self, operator: str, arguments: list[Any], pointer: str, depth: int) -> Predicate:
        _require_count(operator, arguments, 1, pointer)
        return Not(self.predicate(arguments[0], f"{pointer}/args/0", depth), pointer=pointer)

    def _comparison(self, operator: str, arguments: list[Any], pointer: str, depth: int) -> Predicate:
        _require_count(operator, arguments, 2, pointer)
        left, right = self._expressions(arguments, pointer, depth)
        comparison: ComparisonOperator = operator  # type: ignore[assignment]  # a key of the table above
        return Comparison(comparison, left, right, pointer=pointer)

    def _like(self, operator: str, arguments: list[Any], pointer: str, depth: int) -> Predicate:
        _require_count(operator, arguments, 2, pointer)
        text, pattern = self._expressions(arguments, pointer, depth)
        literal = pattern
        while isinstance(literal, CharacterFunction):
            literal = literal.argument
        if not isinstance(literal, TextLiteral):
            raise FilterError("The pattern of LIKE is a text.", pattern.pointer)
        escapes = len(literal.value) - len(literal.value.rstrip("\\"))
        if escapes % 2:
            raise FilterError("The pattern of LIKE ends with a backslash that escapes nothing.", literal.pointer)
        return Like(text, pattern, pointer=pointer)

    def _between(self, operator: str, arguments: list[Any], pointer: str, depth: int) -> Predicate:
        _require_count(operator, arguments, 3, pointer)
        value, lower, upper = self._expressions(arguments, pointer, depth)
        return Between(value, lower, upper, pointer=pointer)

    def _in(self, operator: str, arguments: list[Any], pointer: str, depth: int) -> Predicate:
        _require_count(operator, arguments, 2, pointer)
        listed = arguments[1]
        if not isinstance(listed, list) or not listed:
            raise FilterError("IN has a list of values, which is not empty.", f"{pointer}/args/1")
        value = self._expression(arguments[0], f"{pointer}/args/0", depth)
        items = tuple(self._expression(item, f"{pointer}/args/1/{number}", depth) for number, item in enumerate(listed))
        return In(value, items, pointer=pointer)

    def _is_null(self, operator: str, arguments: list[Any], pointer: str, depth: int) -> Predicate:
        _require_count(operator, arguments, 1, pointer)
        return IsNull(self._expression(arguments[0], f"{pointer}/args/0", depth), pointer=pointer)

    def _spatial(self, operator: str, arguments: list[Any], pointer: str, depth: int) -> Predicate:
        _require_count(operator, arguments, 2, pointer)
        left, right = (
            self._spatial_operand(argument, f"{pointer}/args/{number}", depth)
            for number, argument in enumerate(arguments)
        )
        spatial: SpatialOperator = operator  # type: ignore[assignment]
        return SpatialPredicate(spatial, left, right, pointer=pointer)

    def _temporal(self, operator: str, arguments: list[Any], pointer: str, depth: int) -> Predicate:
        _require_count(operator, arguments, 2, pointer)
        left, right = (
            self._temporal_operand(argument, f"{pointer}/args/{number}", depth)
            for number, argument in enumerate(arguments)
        )
        temporal: TemporalOperator = _TEMPORAL[operator]
        return TemporalPredicate(temporal, left, right, pointer=pointer)

    def _spatial_operand(self, node: Any, pointer: str, depth: int) -> SpatialOperand:
        self._enter(pointer, depth)
        if isinstance(node, dict) and "property" in node:
            return _property(node, pointer)
        if isinstance(node, dict) and ("bbox" in node or "type" in node):
            geometry: GeometryLiteral = read_geometry(node, pointer)
            return geometry
        raise FilterError("A geometry is expected here, or the name of the geometry's property.", pointer)

    def _temporal_operand(self, node: Any, pointer: str, depth: int) -> TemporalOperand:
        if not (isinstance(node, dict) and "interval" in node):
            return self._expression(node, pointer, depth)
        ends = node["interval"]
        if not isinstance(ends, list) or len(ends) != 2:
            raise FilterError("An interval has two ends.", pointer)
        start, end = (
            self._interval_end(value, f"{pointer}/interval/{number}", depth) for number, value in enumerate(ends)
        )
        return Interval(start, end, pointer=pointer)

    def _interval_end(self, node: Any, pointer: str, depth: int) -> Expression | None:
        if node == _OPEN_END:
            return None
        if isinstance(node, str):
            return instant(node, pointer)
        return self._expression(node, pointer, depth)

    def _expressions(self, nodes: list[Any], pointer: str, depth: int) -> list[Expression]:
        return [self._expression(node, f"{pointer}/args/{number}", depth) for number, node in enumerate(nodes)]

    def _expression(self, node: Any, pointer: str, depth: int) -> Expression:
        self._enter(pointer, depth)
        if isinstance(node, bool):
            return BooleanLiteral(node, pointer=pointer)
        if is_number(node):
            return NumberLiteral(exact_decimal(node, pointer), pointer=pointer)
        if isinstance(node, str):
            return TextLiteral(_storable(node, pointer), pointer=pointer)
        if node is None:
            raise FilterError("Nothing is equal to NULL: ask with IS NULL.", pointer)
        if not isinstance(node, dict):
            raise FilterError("A value is expected here, no list.", pointer)
        if "property" in node:
            return _property(node, pointer)
        if "date" in node:
            return DateLiteral(_date(node["date"], pointer), pointer=pointer)
        if "timestamp" in node:
            return TimestampLiteral(_timestamp(node["timestamp"], pointer), pointer=pointer)
        if "op" in node:
            return self._function(node, pointer, depth + 1)
        raise FilterError(
            "A value is expected here: a number, a text, a date, a timestamp or a property (no interval, no geometry).",
            pointer,
        )

    def _function(self, node: dict[str, Any], pointer: str, depth: int) -> Expression:
        operator, arguments = _operation(node, pointer)
        name = operator.lower()
        if name in _CHARACTER_FUNCTIONS:
            _require_count(name, arguments, 1, pointer)
            function: CharacterFunctionName = name  # type: ignore[assignment]
            return CharacterFunction(function, self._expressions(arguments, pointer, depth)[0], pointer=pointer)
        if name in _ARITHMETIC:
            _require_count(name, arguments, 2, pointer)
            left, right = self._expressions(arguments, pointer, depth)
            arithmetic: ArithmeticOperator = name  # type: ignore[assignment]
            return Arithmetic(arithmetic, left, right, pointer=pointer)
        known = ", ".join((*_CHARACTER_FUNCTIONS, *_ARITHMETIC))
        raise FilterError(f"There is no function {operator[:60]!r}; there are: {known}.", pointer)

    def _enter(self, pointer: str, depth: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise FilterError(f"The filter has more than {MAX_NODES:,} parts.", pointer)
        if depth > MAX_DEPTH:
            raise FilterError(f"Parts of a filter are nested {MAX_DEPTH} deep at most.", pointer)


def instant(text: str, pointer: str) -> DateLiteral | TimestampLiteral:
    """A date, or a time of a day, as ISO 8601 writes them. Raises FilterError."""
    if _TIME.match(text):
        return TimestampLiteral(_timestamp(text, pointer), pointer=pointer)
    return DateLiteral(_date(text, pointer), pointer=pointer)


def _operation(node: dict[str, Any], pointer: str) -> tuple[str, list[Any]]:
    operator, arguments = node["op"], node.get("args")
    if not isinstance(operator, str):
        raise FilterError("The operator (op) is a text.", pointer)
    if not isinstance(arguments, list):
        raise FilterError("The arguments (args) are a list.", pointer)
    return operator, arguments


def _require_count(operator: str, arguments: list[Any], count: int, pointer: str) -> None:
    if len(arguments) != count:
        raise FilterError(f"{operator} has {count} argument(s); this one has {len(arguments)}.", pointer)


def _property(node: dict[str, Any], pointer: str) -> PropertyReference:
    name = node["property"]
    if not isinstance(name, str):
        raise FilterError("The name of a property is a text.", pointer)
    return PropertyReference(name, pointer=pointer)


def _storable(text: str, pointer: str) -> str:
    """The text, which PostgreSQL can hold: no NUL, no half of a surrogate pair."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise FilterError("A text holds a NUL character or half of a surrogate pair.", pointer)
    return text


def _date(value: Any, pointer: str) -> date:
    try:
        return date.fromisoformat(value)
    except (ValueError, TypeError):
        raise FilterError(f"{value!r:.60} is no date; one is written 2026-11-29.", pointer) from None


def _timestamp(value: Any, pointer: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        raise FilterError(f"{value!r:.60} is no time of a day; one is written 2026-11-29T12:00:00Z.", pointer) from None
