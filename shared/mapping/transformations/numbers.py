"""Transformations that read numbers and calculate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from typing_extensions import override

from shared.mapping.transformations.step import NUMERIC, References, Step, ValueKind, is_unparsed

if TYPE_CHECKING:
    import polars as pl


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
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
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
    def failed(self, inputs: Sequence[pl.Expr], result: pl.Expr, references: References) -> pl.Expr | None:
        return is_unparsed(inputs[0], result)


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
    accepts: ClassVar[frozenset[ValueKind]] = NUMERIC
    returns: ClassVar[ValueKind] = ValueKind.NUMBER

    @model_validator(mode="after")
    def _factor_or_unit(self) -> Scale:
        if (self.factor is None) == (self.unit is None):
            raise ValueError("give either `factor` or `unit`")
        return self

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        factor = UNITS[self.unit] if self.unit is not None else self.factor or 0.0
        return (inputs[0] * factor).round(self.digits, mode="half_away_from_zero")


class Add(Step):
    """Adds the sources, each times its weight (1), rounded to `digits`. A NULL or blank one counts as 0 beside
    others; all NULL is NULL.
    """

    type: Literal["add"]
    weights: Annotated[tuple[float, ...], Field(min_length=1, max_length=20)] | None = None
    digits: Annotated[int, Field(ge=0, le=9)] = 2
    accepts: ClassVar[frozenset[ValueKind]] = NUMERIC
    returns: ClassVar[ValueKind] = ValueKind.NUMBER
    variadic: ClassVar[bool] = True

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        import polars as pl

        weights = self.weights or (1.0,) * len(inputs)
        total = pl.sum_horizontal(number * weight for number, weight in zip(inputs, weights, strict=True))
        known = pl.any_horizontal(number.is_not_null() for number in inputs)
        return pl.when(known).then(total.round(self.digits, mode="half_away_from_zero"))


class _Arithmetic(Step):
    """Works on two sources or more; where one is NULL or blank, so is the result."""

    digits: Annotated[int, Field(ge=0, le=9)] = 2
    accepts: ClassVar[frozenset[ValueKind]] = NUMERIC
    returns: ClassVar[ValueKind] = ValueKind.NUMBER
    variadic: ClassVar[bool] = True
    min_sources: ClassVar[int] = 2


class Subtract(_Arithmetic):
    """The first source minus the others, rounded to `digits`. A NULL or blank one makes it NULL."""

    type: Literal["subtract"]

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        result = inputs[0]
        for number in inputs[1:]:
            result = result - number
        return result.round(self.digits, mode="half_away_from_zero")


class Multiply(_Arithmetic):
    """The product of the sources, rounded to `digits`. A NULL or blank one makes it NULL."""

    type: Literal["multiply"]

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        result = inputs[0]
        for number in inputs[1:]:
            result = result * number
        return result.round(self.digits, mode="half_away_from_zero")


class Divide(_Arithmetic):
    """The first source divided by the second, rounded to `digits`. A NULL or blank one makes it NULL. A divisor of 0
    rejects the row, or makes it NULL where `by_zero` is "null".
    """

    type: Literal["divide"]
    by_zero: Literal["reject", "null"] = "reject"
    max_sources: ClassVar[int] = 2

    @property
    @override
    def failure_message(self) -> str:
        return "is divided by zero"

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        import polars as pl

        quotient = inputs[0] / pl.when(inputs[1] != 0).then(inputs[1])
        return quotient.round(self.digits, mode="half_away_from_zero")

    @override
    def failed(self, inputs: Sequence[pl.Expr], result: pl.Expr, references: References) -> pl.Expr | None:
        if self.by_zero == "null":
            return None
        return inputs[0].is_not_null() & (inputs[1] == 0)
