"""Fields of a mapping compiled to column expressions, with the checks of their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from shared.contracts.source_rows import VALUE_FAULTS, fault_name
from shared.mapping.compile.casts import cast_to, cast_to_geometry, cast_to_number
from shared.mapping.compile.expression_stages import ExpressionStages
from shared.mapping.language.model import CountyMapping, FieldMap, FieldType
from shared.mapping.rules.builtin_rules import RangeRule
from shared.mapping.rules.rule_models import Severity
from shared.mapping.rules.rule_names import BuiltinRule
from shared.mapping.targets import ColumnKind, TargetColumn, TargetTable
from shared.mapping.transformations.step import References, Step, ValueKind, is_not_blank
from shared.mapping.transformations.times import ParseTimestamp

MAX_KEY = 200
"""Characters of a key, as of an id in the API. PostgreSQL's B-tree takes 2,704 bytes of an entry: a county and a key of
200 characters, of four bytes each, fit twice."""
_Expression = Callable[[Sequence[pl.Expr], References], pl.Expr]


@dataclass(frozen=True)
class Check:
    """A check of one rule on one target column.

    `violated` is the name of a boolean column; `quoted` is the text that `message` quotes at its `{}`, or the message
    itself where it is `verbatim`.
    """

    rule: str
    target: str
    violated: str
    quoted: pl.Expr | None
    message: str = ""
    verbatim: bool = False
    severity: Severity = "reject"


@dataclass(frozen=True)
class CompiledField:
    """A field after compilation; `value` is the name of the column with its typed value."""

    field: FieldMap
    value: str
    checks: list[Check]


class FieldCompiler:
    """The compiler of one table's fields: it adds their expressions to `stages`."""

    def __init__(
        self,
        mapping: CountyMapping,
        references: References,
        target: TargetTable,
        rules: dict[str, RangeRule],
        stages: ExpressionStages,
    ) -> None:
        self._mapping = mapping
        self._references = references
        self._target = target
        self._rules = rules
        self._stages = stages

    def compile(self, field: FieldMap) -> CompiledField:
        """Compile a field to its value and checks."""
        column = self._column(field)
        checks = [self._readable_check(field, source) for source in field.sources]
        inputs, kind = self._transform(field, checks)
        value = self._cast(field, inputs, kind, column, checks)
        if field.column == "county_id":
            self._check_county(field, value, checks)
            return CompiledField(field, value, checks)
        value = self._with_default(field, value, column)
        if field.required or column.required:
            self._check_present(field, value, checks)
        if field.target == self._target.key:
            self._check_address(field, value, checks)
        rule = self._rules.get(field.target)
        if rule:
            violated = self._stages.add(_outside(pl.col(value), rule), value)
            quoted = pl.col(value).cast(pl.String)
            checks.append(Check(BuiltinRule.RANGE, field.target, violated, quoted, f"{{}} is out of range: {rule}"))
        return CompiledField(field, value, checks)

    def _column(self, field: FieldMap) -> TargetColumn:
        if field.column == "county_id":
            return TargetColumn("county_id", ColumnKind.TEXT, required=False)
        if field.entry is not None:
            return TargetColumn(field.target, ColumnKind.JSON, required=False)
        return self._target.columns[field.column]

    def _readable_check(self, field: FieldMap, source: str) -> Check:
        """The check that the source could read a column's value."""
        reason = self._stages.add(source_reason(source), VALUE_FAULTS)
        violated = self._stages.add(pl.col(reason).is_not_null(), reason)
        return Check(
            BuiltinRule.UNREADABLE_VALUE,
            field.target,
            violated,
            pl.col(reason),
            verbatim=True,
            severity=field.unreadable,
        )

    def _transform(self, field: FieldMap, checks: list[Check]) -> tuple[list[str], ValueKind]:
        inputs, kind = list(field.sources), ValueKind.TEXT
        for step in field.transformations:
            if isinstance(step, ParseTimestamp) and step is field.transformations[-1] and field.type is FieldType.DATE:
                return [self._named(field, inputs, step, step.day, checks)], ValueKind.DATE
            if step.reads_numbers and kind is ValueKind.TEXT:
                inputs = [self._number(field, name, step, checks) for name in inputs]
            groups = [inputs] if step.variadic or step.generates else [[name] for name in inputs]
            inputs = [self._apply(field, group, step, checks) for group in groups]
            kind = step.returns
        return inputs, kind

    def _apply(self, field: FieldMap, inputs: list[str], step: Step, checks: list[Check]) -> str:
        return self._named(field, inputs, step, step.expression, checks)

    def _named(
        self, field: FieldMap, inputs: list[str], step: Step, expression: _Expression, checks: list[Check]
    ) -> str:
        columns = [pl.col(name) for name in inputs]
        result = self._stages.add(expression(columns, self._references), *inputs)
        failed = step.failed(columns, pl.col(result), self._references)
        if failed is not None:
            self._add_check(field, step, self._stages.add(failed, *inputs, result), checks)
        return result

    def _number(self, field: FieldMap, name: str, step: Step, checks: list[Check]) -> str:
        number = self._stages.add(cast_to_number(pl.col(name)), name)
        unread = is_not_blank(pl.col(name)) & pl.col(number).is_null()
        self._add_check(field, step, self._stages.add(unread, name, number), checks)
        return number

    def _add_check(self, field: FieldMap, step: Step, violated: str, checks: list[Check]) -> None:
        name = getattr(step, "type", "")
        message = f"{{}} {step.failure_message}"
        checks.append(Check(name, field.target, violated, _source_text(field), message, severity=field.unreadable))

    def _cast(
        self, field: FieldMap, inputs: list[str], kind: ValueKind, column: TargetColumn, checks: list[Check]
    ) -> str:
        if not inputs:
            return self._stages.add(pl.lit(None, dtype=pl.String))
        (text,) = inputs
        if field.type is FieldType.GEOMETRY:
            return self._cast_shape(field, text, checks)
        value = self._stages.add(cast_to(pl.col(text), kind, field.type, column), text)
        if field.type is FieldType.STRING and kind is ValueKind.TEXT:
            return value  # every text is a string
        readable = is_not_blank(pl.col(text)) if kind is ValueKind.TEXT else pl.col(text).is_not_null()
        violated = self._stages.add(readable & pl.col(value).is_null(), text, value)
        message = f"{{}} is not a valid {field.type}"
        checks.append(
            Check(BuiltinRule.TYPE, field.target, violated, _source_text(field), message, severity=field.unreadable)
        )
        if field.type is FieldType.MONEY and kind is ValueKind.TEXT and column.kind is ColumnKind.NUMERIC:
            fractions = self._stages.add(pl.col(text).str.contains(rf"\.[0-9]{{{column.scale}}}[0-9]*[1-9]"), text)
            message = "{} has fractions of a cent, and is rounded"
            checks.append(
                Check(BuiltinRule.ROUNDED, field.target, fractions, _source_text(field), message, severity="warn")
            )
        return value

    def _cast_shape(self, field: FieldMap, text: str, checks: list[Check]) -> str:
        """Read a shape once, for its value and for the reason why it has none."""
        read = self._stages.add(cast_to_geometry(pl.col(text)), text)
        reason = self._stages.add(pl.col(read).struct.field("error"), read)
        violated = self._stages.add(pl.col(reason).is_not_null(), reason)
        checks.append(
            Check(BuiltinRule.TYPE, field.target, violated, pl.col(reason), verbatim=True, severity=field.unreadable)
        )
        return self._stages.add(pl.col(read).struct.field("wkb"), read)

    def _with_default(self, field: FieldMap, value: str, column: TargetColumn) -> str:
        default = field.default
        if field.default_from_config is not None:
            default = self._mapping.configured(field.default_from_config)
        if default is None:
            return value
        literal = cast_to(pl.lit(default, dtype=pl.String), ValueKind.TEXT, field.type, column)
        derived = field.sources or field.transformations
        return self._stages.add(pl.coalesce(pl.col(value), literal) if derived else literal, value)

    def _check_present(self, field: FieldMap, value: str, checks: list[Check]) -> None:
        """Require a value, and a key that is not blank; a value that could not be read is reported as such alone."""
        absent = pl.col(value).is_null()
        if field.target == self._target.key:
            absent = absent | (pl.col(value).str.strip_chars() == "")
        reported = [check.violated for check in checks if check.severity == "reject"]
        if reported:
            absent = absent & ~pl.any_horizontal(pl.col(name).fill_null(value=False) for name in reported)
        violated = self._stages.add(absent, value, *reported)
        checks.append(
            Check(BuiltinRule.REQUIRED, field.target, violated, None, "a value is required and the source has none")
        )

    def _check_address(self, field: FieldMap, value: str, checks: list[Check]) -> None:
        """Require a key that can be part of an address: clients resolve dots before they send a path."""
        key = pl.col(value)
        violated = self._stages.add(key.is_in([".", ".."]) | (key.str.len_chars() > MAX_KEY), value)
        message = f"{{}} cannot be a key: no address reaches it (dots alone, or more than {MAX_KEY} characters)"
        checks.append(Check(BuiltinRule.ADDRESS, field.target, violated, key, message))

    def _check_county(self, field: FieldMap, value: str, checks: list[Check]) -> None:
        county = self._mapping.county_id_default
        violated = self._stages.add(pl.col(value).is_not_null() & (pl.col(value) != county), value)
        message = f"{{}} is another county's row: this mapping is {county}'s"
        checks.append(Check(BuiltinRule.COUNTY, field.target, violated, _source_text(field), message))


def source_reason(source: str) -> pl.Expr:
    """The source's reason why it could not read a column's value; NULL where it could."""
    return pl.col(VALUE_FAULTS).str.extract(rf"(?m)^{re.escape(fault_name(source))}\t(.*)$", 1)


def _source_text(field: FieldMap) -> pl.Expr | None:
    return pl.concat_str(field.sources, separator=", ", ignore_nulls=True) if field.sources else None


def _outside(value: pl.Expr, rule: RangeRule) -> pl.Expr:
    inside = pl.lit(value=False)
    for low, high in rule.ranges:
        fits = pl.lit(value=True)
        if low is not None:
            fits = value > low if rule.exclusive else value >= low
        if high is not None:
            fits = fits & (value <= high)
        inside = inside | fits
    return value.is_not_null() & ~inside
