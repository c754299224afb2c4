"""A county's rules that read one row, compiled to checks; those that need the whole table run in Reconcile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import polars as pl

from shared.mapping.compile.expression_stages import ExpressionStages
from shared.mapping.compile.fields import Check, CompiledField
from shared.mapping.language.model import FieldType
from shared.mapping.rules.rule_models import (
    FULL_MATCH,
    THIS_YEAR,
    TODAY,
    Allowed,
    Compare,
    Matches,
    Operator,
    Range,
    Required,
    Rule,
    Total,
)

_TIMES = (FieldType.DATE, FieldType.TIMESTAMP)
_TEXTS = (FieldType.STRING, FieldType.BOOLEAN, FieldType.JSON, FieldType.LIST, FieldType.GEOMETRY)
_EPSILON = 1e-9
"""Rounding errors of sums of floats: up to some ten million dollars a difference of exactly the tolerance passes."""

_COMPARISONS: dict[Operator, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    "==": lambda left, right: left == right,
    ">=": lambda left, right: left >= right,
    ">": lambda left, right: left > right,
}


class RuleCompiler:
    """The compiler of one table's rules to checks of its fields' values."""

    def __init__(self, fields: Mapping[str, CompiledField], stages: ExpressionStages, today: date) -> None:
        self._fields = fields
        self._stages = stages
        self._today = today

    def compile(self, rule: Rule) -> Check | None:
        """Compile a rule; None for one that needs the whole table."""
        match rule:
            case Required():
                return self._check(rule, "required", pl.col(self._fields[rule.field].value).is_null(), None,
                                   "a value is required and there is none")  # fmt: skip
            case Range():
                return self._range(rule)
            case Allowed():
                violated = ~self._text(rule.field).is_in(list(rule.values))
                return self._check(rule, "allowed", violated, rule.field, "{} is none of the allowed values")
            case Matches():
                violated = ~self._text(rule.field).str.contains(FULL_MATCH.replace("{}", rule.pattern))
                return self._check(
                    rule, "matches", violated, rule.field, "{} is not of the form that the county requires"
                )
            case Compare():
                violated = ~_COMPARISONS[rule.operator](self._comparable(rule.field), self._comparable(rule.other))
                quoted = pl.format("{} and {}", self._text(rule.field), self._text(rule.other))
                message = f"{{}}: {rule.field} {rule.operator} {rule.other} does not hold"
                return self._check(rule, "compare", violated, quoted, message)
            case Total():
                return self._total(rule)
            case _:
                return None

    def _range(self, rule: Range) -> Check:
        value = self._comparable(rule.field)
        violated = pl.lit(value=False)
        if rule.min is not None:
            violated = violated | (value < self._bound(rule.min, rule.field))
        if rule.max is not None:
            violated = violated | (value > self._bound(rule.max, rule.field))
        limits = " to ".join(bound for bound in (rule.min or "any", rule.max or "any"))
        return self._check(rule, "range", violated, rule.field, f"{{}} is out of the county's range: {limits}")

    def _total(self, rule: Total) -> Check:
        parts = [self._comparable(name) for name in rule.parts]
        known = pl.any_horizontal(part.is_not_null() for part in parts)
        difference = (self._comparable(rule.field) - pl.sum_horizontal(parts)).abs()
        quoted = pl.concat_str([self._text(name).fill_null("NULL") for name in rule.columns], separator=", ")
        message = f"{{}}: {rule.field} is not the sum of {' and '.join(rule.parts)}"
        return self._check(rule, "total", known & (difference > rule.tolerance + _EPSILON), quoted, message)

    def _check(self, rule: Rule, name: str, violated: pl.Expr, quoted: pl.Expr | str | None, message: str) -> Check:
        reads = [self._fields[column].value for column in rule.columns]
        text = self._text(quoted) if isinstance(quoted, str) else quoted
        column = self._stages.add(violated, *reads)
        return Check(name, rule.columns[0], column, text, message, severity=rule.severity)

    def _comparable(self, target: str) -> pl.Expr:
        """Numbers as floats, times as days, other values as texts."""
        value, type_ = pl.col(self._fields[target].value), self._fields[target].field.type
        if type_ in _TIMES:
            return value.cast(pl.Date)
        return self._text(target) if type_ in _TEXTS else value.cast(pl.Float64)

    def _text(self, target: str) -> pl.Expr:
        """A value as a literal of a mapping: a number without trailing zeros."""
        value, type_ = pl.col(self._fields[target].value), self._fields[target].field.type
        text = value.cast(pl.String)
        if type_ in (*_TIMES, *_TEXTS, FieldType.INTEGER):
            return text
        return text.str.replace(r"(\.\d*?)0+$", "$1").str.replace(r"\.$", "")

    def _bound(self, bound: str, target: str) -> pl.Expr:
        if self._fields[target].field.type in _TIMES:
            return pl.lit(self._today if bound == TODAY else date.fromisoformat(bound))
        return pl.lit(float(self._today.year if bound == THIS_YEAR else bound))
