"""One field of a mapping compiled to column expressions, with what can be wrong with it.

Polars evaluates an expression each time it is named, so each intermediate result gets a column of its own, in
levels: a level's expressions only read columns of earlier levels.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

from shared.contracts.source_rows import VALUE_FAULTS, fault_name
from shared.mapping.compile.casts import read_as, read_geometry, read_number
from shared.mapping.language.model import CountyMapping, FieldMap, FieldType
from shared.mapping.rules.builtin_rules import RangeRule
from shared.mapping.rules.rule_models import Severity
from shared.mapping.targets import ColumnKind, TargetColumn, TargetTable
from shared.mapping.transformations.step import Kind, References, Step, is_written
from shared.mapping.transformations.times import ParseTimestamp

MAX_KEY = 200
"""Characters of a key, as of an id in the API; PostgreSQL's index takes 2,700 bytes of one."""
_Expression = Callable[[Sequence[pl.Expr], References], pl.Expr]


@dataclass
class Levels:
    """Named expressions, in the order in which they can be evaluated."""

    levels: list[list[pl.Expr]] = field(default_factory=list)
    _depths: dict[str, int] = field(default_factory=dict)

    def add(self, expression: pl.Expr, *reads: str) -> str:
        """Name an expression that reads the columns `reads` (the source's are there from the beginning)."""
        depth = max((self._depths.get(name, 0) for name in reads), default=0)
        name = f"\x1d{len(self._depths)}"  # no source has a column of such a name
        self._depths[name] = depth + 1
        if depth == len(self.levels):
            self.levels.append([])
        self.levels[depth].append(expression.alias(name))
        return name

    def evaluate(self, source: pl.DataFrame) -> pl.DataFrame:
        """The source's columns, and one for each name."""
        frame = source
        for level in self.levels:
            frame = frame.with_columns(level)
        return frame


@dataclass(frozen=True)
class Check:
    """`fault` is the column that is true where the rule is broken; `shown` the text that the message quotes, or that
    is the message where it is `verbatim`.
    """

    rule: str
    target: str
    fault: str
    shown: pl.Expr | None
    message: str = ""
    verbatim: bool = False
    severity: Severity = "reject"


@dataclass(frozen=True)
class CompiledField:
    """`value` is the column that holds the typed value."""

    field: FieldMap
    value: str
    checks: list[Check]


class FieldCompiler:
    """Compiles the fields of one table into `levels`."""

    def __init__(
        self,
        mapping: CountyMapping,
        references: References,
        target: TargetTable,
        rules: dict[str, RangeRule],
        levels: Levels,
    ) -> None:
        self._mapping = mapping
        self._references = references
        self._target = target
        self._rules = rules
        self._levels = levels

    def compile(self, field: FieldMap) -> CompiledField:
        """The field's value and checks."""
        column = self._column(field)
        checks = [self._fault_check(field, source) for source in field.sources]
        inputs, kind = self._transform(field, checks)
        value = self._read(field, inputs, kind, column, checks)
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
            fault = self._levels.add(_outside(pl.col(value), rule), value)
            shown = pl.col(value).cast(pl.String)
            checks.append(Check("range", field.target, fault, shown, f"{{}} is out of range: {rule}"))
        return CompiledField(field, value, checks)

    def _column(self, field: FieldMap) -> TargetColumn:
        if field.column == "county_id":
            return TargetColumn("county_id", ColumnKind.TEXT, required=False)
        if field.entry is not None:
            return TargetColumn(field.target, ColumnKind.JSON, required=False)
        return self._target.columns[field.column]

    def _fault_check(self, field: FieldMap, source: str) -> Check:
        """The source's own word that it could not read a value."""
        said = self._levels.add(value_faults_of(source), VALUE_FAULTS)
        fault = self._levels.add(pl.col(said).is_not_null(), said)
        return Check("unreadable_value", field.target, fault, pl.col(said), verbatim=True, severity=field.unreadable)

    def _transform(self, field: FieldMap, checks: list[Check]) -> tuple[list[str], Kind]:
        inputs, kind = list(field.sources), Kind.TEXT
        for step in field.transformations:
            if isinstance(step, ParseTimestamp) and step is field.transformations[-1] and field.type is FieldType.DATE:
                return [self._named(field, inputs, step, step.day, checks)], Kind.DATE
            if step.calculates and kind is Kind.TEXT:
                inputs = [self._number(field, name, step, checks) for name in inputs]
            groups = [inputs] if step.joins or step.starts else [[name] for name in inputs]
            inputs = [self._apply(field, group, step, checks) for group in groups]
            kind = step.returns
        return inputs, kind

    def _apply(self, field: FieldMap, inputs: list[str], step: Step, checks: list[Check]) -> str:
        return self._named(field, inputs, step, step.expression, checks)

    def _named(
        self, field: FieldMap, inputs: list[str], step: Step, expression: _Expression, checks: list[Check]
    ) -> str:
        columns = [pl.col(name) for name in inputs]
        result = self._levels.add(expression(columns, self._references), *inputs)
        fault = step.fault(columns, pl.col(result), self._references)
        if fault is not None:
            self._add_check(field, step, self._levels.add(fault, *inputs, result), checks)
        return result

    def _number(self, field: FieldMap, name: str, step: Step, checks: list[Check]) -> str:
        number = self._levels.add(read_number(pl.col(name)), name)
        unread = is_written(pl.col(name)) & pl.col(number).is_null()
        self._add_check(field, step, self._levels.add(unread, name, number), checks)
        return number

    def _add_check(self, field: FieldMap, step: Step, fault: str, checks: list[Check]) -> None:
        name = getattr(step, "type", "")
        message = f"{{}} {step.complaint}"
        checks.append(Check(name, field.target, fault, _source_text(field), message, severity=field.unreadable))

    def _read(self, field: FieldMap, inputs: list[str], kind: Kind, column: TargetColumn, checks: list[Check]) -> str:
        if not inputs:
            return self._levels.add(pl.lit(None, dtype=pl.String))
        (text,) = inputs
        if field.type is FieldType.GEOMETRY:
            return self._read_shape(field, text, checks)
        value = self._levels.add(read_as(pl.col(text), kind, field.type, column), text)
        if field.type is FieldType.STRING and kind is Kind.TEXT:
            return value  # every text is one
        written = is_written(pl.col(text)) if kind is Kind.TEXT else pl.col(text).is_not_null()
        fault = self._levels.add(written & pl.col(value).is_null(), text, value)
        message = f"{{}} is not a valid {field.type}"
        checks.append(Check("type", field.target, fault, _source_text(field), message, severity=field.unreadable))
        if field.type is FieldType.MONEY and kind is Kind.TEXT and column.kind is ColumnKind.NUMERIC:
            fractions = self._levels.add(pl.col(text).str.contains(rf"\.[0-9]{{{column.scale}}}[0-9]*[1-9]"), text)
            said = "{} has fractions of a cent, and is rounded"
            checks.append(Check("rounded", field.target, fractions, _source_text(field), said, severity="warn"))
        return value

    def _read_shape(self, field: FieldMap, text: str, checks: list[Check]) -> str:
        """A shape is gone through once, for its value and for the reason where it has none."""
        read = self._levels.add(read_geometry(pl.col(text)), text)
        reason = self._levels.add(pl.col(read).struct.field("fault"), read)
        fault = self._levels.add(pl.col(reason).is_not_null(), reason)
        checks.append(Check("type", field.target, fault, pl.col(reason), verbatim=True, severity=field.unreadable))
        return self._levels.add(pl.col(read).struct.field("wkb"), read)

    def _with_default(self, field: FieldMap, value: str, column: TargetColumn) -> str:
        default = field.default
        if field.default_from_config is not None:
            default = self._mapping.configured(field.default_from_config)
        if default is None:
            return value
        literal = read_as(pl.lit(default, dtype=pl.String), Kind.TEXT, field.type, column)
        derived = field.sources or field.transformations
        return self._levels.add(pl.coalesce(pl.col(value), literal) if derived else literal, value)

    def _check_present(self, field: FieldMap, value: str, checks: list[Check]) -> None:
        """NULL, or a key of blanks; not told again of a value that could not be read."""
        absent = pl.col(value).is_null()
        if field.target == self._target.key:
            absent = absent | (pl.col(value).str.strip_chars() == "")
        told = [check.fault for check in checks if check.severity == "reject"]
        if told:
            absent = absent & ~pl.any_horizontal(pl.col(name).fill_null(value=False) for name in told)
        fault = self._levels.add(absent, value, *told)
        checks.append(Check("required", field.target, fault, None, "a value is required and the source has none"))

    def _check_address(self, field: FieldMap, value: str, checks: list[Check]) -> None:
        """A key is a part of the row's address: clients resolve dots before they send a path."""
        key = pl.col(value)
        fault = self._levels.add(key.is_in([".", ".."]) | (key.str.len_chars() > MAX_KEY), value)
        message = f"{{}} cannot be a key: no address reaches it (dots alone, or more than {MAX_KEY} characters)"
        checks.append(Check("address", field.target, fault, key, message))

    def _check_county(self, field: FieldMap, value: str, checks: list[Check]) -> None:
        county = self._mapping.county_id_default
        fault = self._levels.add(pl.col(value).is_not_null() & (pl.col(value) != county), value)
        message = f"{{}} is another county's row: this mapping is {county}'s"
        checks.append(Check("county", field.target, fault, _source_text(field), message))


def value_faults_of(source: str) -> pl.Expr:
    """What the source says of one column's values; NULL where it could read them."""
    return pl.col(VALUE_FAULTS).str.extract(rf"(?m)^{re.escape(fault_name(source))}\t(.*)$", 1)


def _source_text(field: FieldMap) -> pl.Expr | None:
    return pl.concat_str(field.sources, separator=", ", ignore_nulls=True) if field.sources else None


def _outside(value: pl.Expr, rule: RangeRule) -> pl.Expr:
    inside = pl.lit(value=False)
    for low, high in rule.ranges:
        fits = pl.lit(value=True)
        if low is not None:
            fits = value > low if rule.above else value >= low
        if high is not None:
            fits = fits & (value <= high)
        inside = inside | fits
    return value.is_not_null() & ~inside
