"""The transformations of the mapping language: one class each, with its parameters, its rules and its meaning.

`TRANSFORMATIONS` is the registry: validation, compilation and the documentation's table derive from it. A
transformation works on whole columns through Polars expressions; nothing a mapping says is evaluated as code.
NULL stays NULL unless a transformation says otherwise. Polars is imported when an expression is built, so
that a mapping can be checked where Polars is not installed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator
from typing_extensions import override

from shared.mapping.step import NUMERIC, Kind, Step, ValueMaps

if TYPE_CHECKING:
    import polars as pl


class StripWhitespace(Step):
    """Drops blanks, tabs and line ends at both ends; `char(n)` columns are padded with them."""

    type: Literal["strip_whitespace"]

    @override
    def expression(self, inputs: Sequence[pl.Expr], maps: ValueMaps) -> pl.Expr:
        return inputs[0].str.strip_chars()


class ToUpper(Step):
    """Upper case."""

    type: Literal["to_upper"]

    @override
    def expression(self, inputs: Sequence[pl.Expr], maps: ValueMaps) -> pl.Expr:
        return inputs[0].str.to_uppercase()


class ToLower(Step):
    """Lower case."""

    type: Literal["to_lower"]

    @override
    def expression(self, inputs: Sequence[pl.Expr], maps: ValueMaps) -> pl.Expr:
        return inputs[0].str.to_lowercase()


class PadLeft(Step):
    """Fills a text up to `length` characters at its left; a longer one stays as it is."""

    type: Literal["pad_left"]
    length: Annotated[int, Field(ge=1, le=100)]
    fill: Annotated[str, Field(min_length=1, max_length=1)] = "0"

    @override
    def expression(self, inputs: Sequence[pl.Expr], maps: ValueMaps) -> pl.Expr:
        return inputs[0].str.pad_start(self.length, self.fill)


class NullIf(Step):
    """NULL where the text is one of `values`: the codes that stand for "not known"."""

    type: Literal["null_if"]
    values: Annotated[tuple[str, ...], Field(min_length=1, max_length=100)]

    @override
    def expression(self, inputs: Sequence[pl.Expr], maps: ValueMaps) -> pl.Expr:
        import polars as pl

        return pl.when(~inputs[0].is_in(list(self.values))).then(inputs[0])


class ParseNumber(Step):
    """Reads a written number: currency sign, grouped thousands, a sign before or after, or (brackets) for minus.

    The result is the plain number as text, with no digit lost. A text that is no number rejects the row.
    """

    type: Literal["parse_number"]
    currency: Annotated[str, Field(max_length=5)] = "$"
    thousands: Annotated[str, Field(max_length=1)] = ","
    decimal: Annotated[str, Field(min_length=1, max_length=1)] = "."

    @model_validator(mode="after")
    def _separators_differ(self) -> ParseNumber:
        if self.thousands == self.decimal:
            raise ValueError("`thousands` and `decimal` have to differ")
        return self

    @override
    def expression(self, inputs: Sequence[pl.Expr], maps: ValueMaps) -> pl.Expr:
        import polars as pl

        text = inputs[0]
        if self.currency:
            text = text.str.replace(self.currency, "", literal=True)
        text = text.str.strip_chars()
        point, group = re.escape(self.decimal), re.escape(self.thousands)
        whole = rf"(?:[0-9]{{1,3}}(?:{group}[0-9]{{3}})+|[0-9]+)" if self.thousands else "[0-9]+"
        number = rf"((?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+))"
        positive = text.str.extract(rf"^\+?\s*{number}$")
        negative = pl.coalesce(
            text.str.extract(rf"^-\s*{number}$"),
            text.str.extract(rf"^{number}\s*-$"),
            text.str.extract(rf"^\(\s*{number}\s*\)$"),
        )
        digits = pl.coalesce(positive, pl.lit("-") + negative)
        if self.thousands:
            digits = digits.str.replace_all(self.thousands, "", literal=True)
        return digits if self.decimal == "." else digits.str.replace(self.decimal, ".", literal=True)

    @override
    def fault(self, inputs: Sequence[pl.Expr], result: pl.Expr, maps: ValueMaps) -> pl.Expr | None:
        return _unread(inputs[0], result)


class _WithFormats(Step):
    format: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    formats: Annotated[tuple[str, ...], Field(min_length=1, max_length=10)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> _WithFormats:
        if (self.format is None) == (self.formats is None):
            raise ValueError("give either `format` or `formats`")
        for pattern in self.patterns:
            unknown = set(re.findall(r"%[-_0]?(.)", pattern)) - set("YymdbBjeHIMSpfzZT%")
            if "%" not in pattern or unknown:
                raise ValueError(f"{pattern!r} is not a format; write it like %Y%m%d or %m/%d/%Y")
        return self

    @property
    def patterns(self) -> tuple[str, ...]:
        return (self.format,) if self.format is not None else self.formats or ()

    @override
    def fault(self, inputs: Sequence[pl.Expr], result: pl.Expr, maps: ValueMaps) -> pl.Expr | None:
        return _unread(inputs[0], result)


class ParseDate(_WithFormats):
    """Reads a date by `format` (`%Y%m%d`), or by the first of `formats` that fits. A blank text is NULL.

    `%y` reads 69 to 99 as 1969 to 1999 and 00 to 68 as 2000 to 2068 (POSIX). A text that fits no format, or is
    no day of the calendar, rejects the row.
    """

    type: Literal["parse_date"]
    returns: ClassVar[Kind] = Kind.DATE

    @override
    def expression(self, inputs: Sequence[pl.Expr], maps: ValueMaps) -> pl.Expr:
        import polars as pl

        text = inputs[0].str.strip_chars()
        return pl.coalesce([text.str.to_date(pattern, strict=False) for pattern in self.patterns])


class ParseTimestamp(_WithFormats):
    """Reads a moment, written in the clock time of `timezone` (default UTC), like `parse_date`.

    In autumn's doubled hour the earlier moment is taken; a clock time that spring leaves out rejects the row.
    """

    type: Literal["parse_timestamp"]
    timezone: str = "UTC"
    returns: ClassVar[Kind] = Kind.TIMESTAMP

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"{name!r} is not a time zone; write it like America/Los_Angeles")
        return ZoneInfo(name).key

    @override
    def expression(self, inputs: Sequence[pl.Expr], maps: ValueMaps) -> pl.Expr:
        import polars as pl

        text = inputs[0].str.strip_chars()
        moments = [text.str.to_datetime(pattern, strict=False, time_unit="us") for pattern in self.patterns]
        local = pl.coalesce(moments).dt.replace_time_zone(self.timezone, ambiguous="earliest", non_existent="null")
        return local.dt.convert_time_zone("UTC")


class ValueMap(Step):
    """Translates a code by the value map named `map`. A code that it does not have becomes `default` if that is
    given (it may be null), and rejects the row otherwise.
    """

    type: Literal["value_map"]
    map: str
    default: str | None = None

    @property
    @override
    def complaint(self) -> str:
        return f"is not in the value map {self.map}"

    @property
    def rejects(self) -> bool:
        """Whether an unknown code rejects its row."""
        return "default" not in self.model_fields_set

    @override
    def expression(self, inputs: Sequence[pl.Expr], maps: ValueMaps) -> pl.Expr:
        import polars as pl

        known = dict(maps[self.map])
        translated = inputs[0].replace_strict(known, default=self.default, return_dtype=pl.String)
        return pl.when(inputs[0].is_not_null()).then(translated)

    @override
    def fault(self, inputs: Sequence[pl.Expr], result: pl.Expr, maps: ValueMaps) -> pl.Expr | None:
        if not self.rejects:
            return None
        return inputs[0].is_not_null() & ~inputs[0].is_in(list(maps[self.map]))


class Concat(Step):
    """Joins the sources with `separator` (a blank). NULL and blank ones are left out; nothing left is NULL."""

    type: Literal["concat"]
    separator: Annotated[str, Field(max_length=10)] = " "
    joins: ClassVar[bool] = True

    @override
    def expression(self, inputs: Sequence[pl.Expr], maps: ValueMaps) -> pl.Expr:
        import polars as pl

        filled = [pl.when(_written(text)).then(text) for text in inputs]
        joined = pl.concat_str(filled, separator=self.separator, ignore_nulls=True)
        return pl.when(pl.any_horizontal(_written(text) for text in inputs)).then(joined)


class Coalesce(Step):
    """The first of the sources that is neither NULL nor blank."""

    type: Literal["coalesce"]
    joins: ClassVar[bool] = True

    @override
    def expression(self, inputs: Sequence[pl.Expr], maps: ValueMaps) -> pl.Expr:
        import polars as pl

        return pl.coalesce([pl.when(_written(text)).then(text) for text in inputs])


class Split(Step):
    """Cuts a text at `separator` and takes the part number `index` (0 is the first, -1 the last), or NULL."""

    type: Literal["split"]
    separator: Annotated[str, Field(min_length=1, max_length=10)]
    index: Annotated[int, Field(ge=-50, le=50)]

    @override
    def expression(self, inputs: Sequence[pl.Expr], maps: ValueMaps) -> pl.Expr:
        return inputs[0].str.split(self.separator).list.get(self.index, null_on_oob=True)


class RegexExtract(Step):
    """What group `group` of `pattern` matches first, or NULL. No look-around, no back-references."""

    type: Literal["regex_extract"]
    pattern: Annotated[str, Field(min_length=1, max_length=500)]
    group: Annotated[int, Field(ge=0, le=20)] = 1

    @model_validator(mode="after")
    def _linear(self) -> RegexExtract:
        try:
            groups = re.compile(self.pattern).groups
        except re.error as error:
            raise ValueError(f"{self.pattern!r} is not a regular expression: {error}") from error
        if re.search(r"\(\?(<?[=!]|P=|>|\()|\\[1-9]|[*+?}]\+", self.pattern):
            raise ValueError("look-around, back-references and possessive repeats are not supported")
        if self.group > groups:
            raise ValueError(f"the pattern has {groups} group(s), so there is no group {self.group}")
        return self

    @override
    def expression(self, inputs: Sequence[pl.Expr], maps: ValueMaps) -> pl.Expr:
        return inputs[0].str.extract(self.pattern, self.group)


UNITS: dict[str, float] = {
    "acres_to_sqft": 43_560.0,
    "hectares_to_sqft": 107_639.104167,
    "sqm_to_sqft": 10.7639104167,
    "thousands": 1_000.0,
    "percent_to_share": 0.01,
}
"""Factors of unit conversions (international foot: 0.3048 m exactly)."""


class Scale(Step):
    """Multiplies by `factor`, or by that of a `unit` conversion, and rounds to `digits` decimals (half up)."""

    type: Literal["scale"]
    factor: float | None = Field(default=None, allow_inf_nan=False)
    unit: Literal["acres_to_sqft", "hectares_to_sqft", "sqm_to_sqft", "thousands", "percent_to_share"] | None = None
    digits: Annotated[int, Field(ge=0, le=9)] = 2
    accepts: ClassVar[frozenset[Kind]] = NUMERIC
    returns: ClassVar[Kind] = Kind.NUMBER

    @model_validator(mode="after")
    def _one_of_them(self) -> Scale:
        if (self.factor is None) == (self.unit is None):
            raise ValueError("give either `factor` or `unit`")
        return self

    @override
    def expression(self, inputs: Sequence[pl.Expr], maps: ValueMaps) -> pl.Expr:
        factor = UNITS[self.unit] if self.unit is not None else self.factor or 0.0
        return (inputs[0] * factor).round(self.digits, mode="half_away_from_zero")


class Add(Step):
    """Adds the sources, each times its weight (1), rounded to `digits`. A NULL or blank one counts as 0 beside
    others; all NULL is NULL.
    """

    type: Literal["add"]
    weights: Annotated[tuple[float, ...], Field(min_length=1, max_length=20)] | None = None
    digits: Annotated[int, Field(ge=0, le=9)] = 2
    accepts: ClassVar[frozenset[Kind]] = NUMERIC
    returns: ClassVar[Kind] = Kind.NUMBER
    joins: ClassVar[bool] = True

    @override
    def expression(self, inputs: Sequence[pl.Expr], maps: ValueMaps) -> pl.Expr:
        import polars as pl

        weights = self.weights or (1.0,) * len(inputs)
        total = pl.sum_horizontal(number * weight for number, weight in zip(inputs, weights, strict=True))
        known = pl.any_horizontal(number.is_not_null() for number in inputs)
        return pl.when(known).then(total.round(self.digits, mode="half_away_from_zero"))


class Constant(Step):
    """The same `value` for every row; the field needs no source."""

    type: Literal["constant"]
    value: str
    starts: ClassVar[bool] = True

    @override
    def expression(self, inputs: Sequence[pl.Expr], maps: ValueMaps) -> pl.Expr:
        import polars as pl

        return pl.lit(self.value, dtype=pl.String)


Transformation = Annotated[
    StripWhitespace
    | ToUpper
    | ToLower
    | PadLeft
    | NullIf
    | ParseNumber
    | ParseDate
    | ParseTimestamp
    | ValueMap
    | Concat
    | Coalesce
    | Split
    | RegexExtract
    | Scale
    | Add
    | Constant,
    Field(discriminator="type"),
]

_CLASSES: tuple[type[Step], ...] = (
    StripWhitespace, ToUpper, ToLower, PadLeft, NullIf, ParseNumber, ParseDate, ParseTimestamp, ValueMap, Concat,
    Coalesce, Split, RegexExtract, Scale, Add, Constant,
)  # fmt: skip

TRANSFORMATIONS: dict[str, type[Step]] = {
    cls.model_fields["type"].annotation.__args__[0]: cls  # type: ignore[union-attr]  # each `type` is a Literal
    for cls in _CLASSES
}
"""Every transformation by the name that a mapping uses."""


def _written(text: pl.Expr) -> pl.Expr:
    return (text.str.strip_chars() != "").fill_null(value=False)


def _unread(value: pl.Expr, result: pl.Expr) -> pl.Expr:
    return _written(value) & result.is_null()
