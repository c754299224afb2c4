"""Predicates without geometry as conditions of SQL, their operands checked and brought to one kind."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Numeric,
    String,
    and_,
    bindparam,
    case,
    cast,
    collate,
    func,
    literal_column,
    not_,
    or_,
    select,
)

from shared.cql2.errors import FilterError
from shared.cql2.json_encoding import instant
from shared.cql2.queryables import Queryables
from shared.cql2.temporal import Period, relation
from shared.cql2.tree import (
    And,
    Arithmetic,
    Between,
    BooleanLiteral,
    BooleanPredicate,
    CharacterFunction,
    Comparison,
    DateLiteral,
    Expression,
    In,
    Interval,
    IsNull,
    Like,
    Not,
    NumberLiteral,
    Or,
    Predicate,
    PropertyReference,
    TemporalOperand,
    TemporalPredicate,
    TextLiteral,
    TimestampLiteral,
)

Kind = Literal["text", "number", "date", "datetime", "boolean"]

_INSTANTS = ("date", "datetime")
_TIMESTAMP = DateTime(timezone=True)
_ACCENTS = "[\u0300-\u036f]+"
"""Combining diacritical marks, which Unicode's canonical decomposition (NFD) puts after their letters."""
MAX_EXPONENT = 64
MAX_BASE = 10**30
"""PostgreSQL's NUMERIC has 131,072 digits and fails beyond them: a power outside these bounds is NULL. A choice."""


@dataclass(frozen=True)
class Operand:
    """An expression in SQL, and its kind."""

    kind: Kind
    sql: ColumnElement[Any]


class ConditionCompiler:
    """Compiles predicates of a layer. Every method raises FilterError."""

    def __init__(self, queryables: Queryables) -> None:
        self._queryables = queryables

    def compile(self, predicate: Predicate) -> ColumnElement[bool]:
        """The condition; it is NULL where the predicate is neither true nor false."""
        match predicate:
            case And(parts):
                return and_(*map(self.compile, parts))
            case Or(parts):
                return or_(*map(self.compile, parts))
            case Not(part):
                return not_(self.compile(part))
        return self._leaf(predicate)

    def _leaf(self, predicate: Predicate) -> ColumnElement[bool]:
        match predicate:
            case Comparison():
                return self._comparison(predicate)
            case Between():
                return self._between(predicate)
            case In(value, items):
                operand, *choices = self._alike(predicate, value, *items)
                return operand.sql.in_([choice.sql for choice in choices])
            case Like():
                return self._like(predicate)
            case IsNull(operand):
                return self._is_null(operand)
            case BooleanPredicate(operand):
                return self._truth(operand)
            case TemporalPredicate(operator, left, right):
                return relation(operator, *self._periods(predicate, left, right))
        raise AssertionError(predicate)

    def _between(self, between: Between) -> ColumnElement[bool]:
        middle, least, greatest = self._alike(between, between.value, between.lower, between.upper)
        _require_order(between, middle)
        return and_(_ordered(middle) >= _ordered(least), _ordered(middle) <= _ordered(greatest))

    def _like(self, like: Like) -> ColumnElement[bool]:
        text, pattern = self._operand(like.text), self._operand(like.pattern)
        if text.kind != "text":
            raise FilterError(f"LIKE takes a text, no {text.kind}.", like.pointer)
        return text.sql.like(pattern.sql)

    def _comparison(self, comparison: Comparison) -> ColumnElement[bool]:
        left, right = self._alike(comparison, comparison.left, comparison.right)
        if comparison.operator == "=":
            return left.sql == right.sql
        if comparison.operator == "<>":
            return left.sql != right.sql
        _require_order(comparison, left)
        low, high = _ordered(left), _ordered(right)
        match comparison.operator:
            case "<":
                return low < high
            case "<=":
                return low <= high
            case ">":
                return low > high
            case ">=":
                return low >= high

    def _is_null(self, operand: Expression) -> ColumnElement[bool]:
        geometry = self._queryables.geometry
        if isinstance(operand, PropertyReference) and geometry is not None and operand.name == geometry.name:
            return not_(literal_column(f"({geometry.exists})", Boolean))
        return self._operand(operand).sql.is_(None)

    def _truth(self, operand: PropertyReference | BooleanLiteral) -> ColumnElement[bool]:
        compiled = self._operand(operand)
        if compiled.kind != "boolean":
            raise FilterError(f"A condition is true or false, and this is a {compiled.kind}.", operand.pointer)
        return cast(compiled.sql, Boolean)

    def _alike(self, predicate: Predicate, *expressions: Expression) -> list[Operand]:
        """Operands of one kind: a text stands for a date or a time where it is compared with one, and a date for its
        midnight in UTC where it is compared with a time.
        """
        kinds = [
            self._operand(expression).kind for expression in expressions if not isinstance(expression, TextLiteral)
        ]
        if any(kind in _INSTANTS for kind in kinds):
            expressions = tuple(
                instant(part.value, part.pointer) if isinstance(part, TextLiteral) else part for part in expressions
            )
        operands = [self._operand(expression) for expression in expressions]
        if {operand.kind for operand in operands} == {"date", "datetime"}:
            operands = [_as_time(operand) for operand in operands]
        different = next((operand for operand in operands[1:] if operand.kind != operands[0].kind), None)
        if different is not None:
            raise FilterError(
                f"Kinds that cannot be compared: {operands[0].kind} and {different.kind}.", predicate.pointer
            )
        return operands

    def _periods(self, predicate: TemporalPredicate, *operands: TemporalOperand) -> tuple[Period, Period]:
        ends: list[Expression | None] = []
        for operand in operands:
            ends += [operand.start, operand.end] if isinstance(operand, Interval) else [operand, operand]
        known = self._alike(predicate, *(end for end in ends if end is not None))
        kind = known[0].kind if known else "date"
        if kind not in _INSTANTS:
            raise FilterError(f"Dates and times are compared here, no {kind}.", predicate.pointer)
        following = iter(known)
        left_start, left_end, right_start, right_end = (
            next(following).sql if end is not None else _infinite(kind, "infinity" if number % 2 else "-infinity")
            for number, end in enumerate(ends)
        )
        return Period(left_start, left_end), Period(right_start, right_end)

    def _operand(self, expression: Expression) -> Operand:
        match expression:
            case PropertyReference():
                return self._property(expression)
            case NumberLiteral(value):
                return Operand("number", _number(value))
            case TextLiteral(value):
                return Operand("text", _bound(value))
            case BooleanLiteral(value):
                return Operand("boolean", cast(_bound("true" if value else "false"), Boolean))
            case DateLiteral(value):
                return Operand("date", cast(_bound(value.isoformat()), Date))
            case TimestampLiteral(value):
                return Operand("datetime", cast(_bound(value.isoformat()), _TIMESTAMP))
            case CharacterFunction():
                return self._character_function(expression)
            case Arithmetic():
                return self._arithmetic(expression)

    def _property(self, reference: PropertyReference) -> Operand:
        queryable = self._queryables.properties.get(reference.name)
        if queryable is None:
            geometry = self._queryables.geometry
            if geometry is not None and reference.name == geometry.name:
                raise FilterError(
                    f"{reference.name!r} is the geometry: it stands in spatial conditions (S_INTERSECTS and kin) and"
                    " before IS NULL.",
                    reference.pointer,
                )
            raise FilterError(
                f"There is no property {reference.name!r:.100}; there are:"
                f" {', '.join(sorted(self._queryables.properties))}.",
                reference.pointer,
            )
        kind: Kind = "number" if queryable.kind in ("integer", "real") else queryable.kind  # type: ignore[assignment]
        return Operand(kind, literal_column(f"({queryable.expression})", String))

    def _character_function(self, function: CharacterFunction) -> Operand:
        argument = self._operand(function.argument)
        if argument.kind != "text":
            raise FilterError(f"{function.name} takes a text, no {argument.kind}.", function.pointer)
        if function.name == "casei":
            return Operand("text", func.lower(argument.sql))
        decomposed = func.normalize(argument.sql, literal_column("NFD"))
        return Operand("text", func.regexp_replace(decomposed, _bound(_ACCENTS), _bound(""), _bound("g")))

    def _arithmetic(self, operation: Arithmetic) -> Operand:
        operands = [self._operand(operation.left), self._operand(operation.right)]
        for operand in operands:
            if operand.kind != "number":
                raise FilterError(f"Arithmetic is done with numbers, no {operand.kind}.", operation.pointer)
        left, right = (cast(operand.sql, Numeric) for operand in operands)
        divisor = func.nullif(right, 0)
        match operation.operator:
            case "+":
                return Operand("number", left + right)
            case "-":
                return Operand("number", left - right)
            case "*":
                return Operand("number", left * right)
            case "/":
                return Operand("number", left.op("/")(divisor))
            case "div":
                return Operand("number", func.div(left, divisor))
            case "%":
                return Operand("number", func.mod(left, divisor))
            case "^":
                return Operand("number", _power(left, right))


def _power(base: ColumnElement[Any], exponent: ColumnElement[Any]) -> ColumnElement[Any]:
    """The power; NULL where it is none, or beyond the bounds. Each operand stands once in the SQL."""
    operands = select(base.label("base"), exponent.label("exponent")).subquery()
    x, y = operands.c.base, operands.c.exponent
    is_bounded = and_(func.abs(y) <= _number(MAX_EXPONENT), func.abs(x) <= _number(MAX_BASE))
    is_defined = or_(x > 0, and_(y == func.trunc(y), or_(x != 0, y >= 0)))
    return select(case((and_(is_bounded, is_defined), func.power(x, y)))).scalar_subquery()


def _number(value: Decimal | int) -> ColumnElement[Any]:
    return cast(_bound(format(value, "f") if isinstance(value, Decimal) else str(value)), Numeric)


def _bound(text: str) -> ColumnElement[str]:
    return bindparam(None, text, String)


def _infinite(kind: Kind, text: str) -> ColumnElement[Any]:
    return cast(_bound(text), Date if kind == "date" else _TIMESTAMP)


def _as_time(operand: Operand) -> Operand:
    """A date as its midnight in UTC."""
    if operand.kind == "datetime":
        return operand
    return Operand("datetime", func.timezone("UTC", cast(operand.sql, DateTime)))


def _ordered(operand: Operand) -> ColumnElement[Any]:
    """Texts are ordered by code point, whatever the database's collation."""
    return collate(operand.sql, "C") if operand.kind == "text" else operand.sql


def _require_order(predicate: Predicate, operand: Operand) -> None:
    if operand.kind == "boolean":
        raise FilterError("True and false have no order: compare them by = and <>.", predicate.pointer)
