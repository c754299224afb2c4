"""Transformations that join several sources, or generate a value without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from shared.mapping.transformations.step import References, Step, is_not_blank

if TYPE_CHECKING:
    import polars as pl


class Concat(Step):
    """Joins the sources with `separator` (a blank). NULL and blank ones are left out; nothing left is NULL."""

    type: Literal["concat"]
    separator: Annotated[str, Field(max_length=10)] = " "
    variadic: ClassVar[bool] = True

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        import polars as pl

        filled = [pl.when(is_not_blank(text)).then(text) for text in inputs]
        joined = pl.concat_str(filled, separator=self.separator, ignore_nulls=True)
        return pl.when(pl.any_horizontal(is_not_blank(text) for text in inputs)).then(joined)


class Coalesce(Step):
    """The first of the sources that is neither NULL nor blank."""

    type: Literal["coalesce"]
    variadic: ClassVar[bool] = True

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        import polars as pl

        return pl.coalesce([pl.when(is_not_blank(text)).then(text) for text in inputs])


class Constant(Step):
    """The same `value` for every row; the field needs no source."""

    type: Literal["constant"]
    value: str
    generates: ClassVar[bool] = True

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        import polars as pl

        return pl.lit(self.value, dtype=pl.String)
