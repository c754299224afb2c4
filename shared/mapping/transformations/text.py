"""Transformations of texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import override

from shared.mapping.transformations.patterns import capture_groups, require_pattern
from shared.mapping.transformations.step import References, Step

if TYPE_CHECKING:
    import polars as pl


_Length = Annotated[int, Field(ge=1, le=100)]
_Character = Annotated[str, Field(min_length=1, max_length=1)]


class StripWhitespace(Step):
    """Drops blanks, tabs and line ends at both ends; `char(n)` columns are padded with them."""

    type: Literal["strip_whitespace"]

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        return inputs[0].str.strip_chars()


class ToUpper(Step):
    """Upper case."""

    type: Literal["to_upper"]

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        return inputs[0].str.to_uppercase()


class ToLower(Step):
    """Lower case."""

    type: Literal["to_lower"]

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        return inputs[0].str.to_lowercase()


class PadLeft(Step):
    """Fills a text up to `length` characters at its left; a longer one stays as it is."""

    type: Literal["pad_left"]
    length: _Length
    fill: _Character = "0"

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        return inputs[0].str.pad_start(self.length, self.fill)


class PadRight(Step):
    """Fills a text up to `length` characters at its right; a longer one stays as it is."""

    type: Literal["pad_right"]
    length: _Length
    fill: _Character = " "

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        return inputs[0].str.pad_end(self.length, self.fill)


class NullIf(Step):
    """NULL where the text is one of `values`: the codes that stand for "not known"."""

    type: Literal["null_if"]
    values: Annotated[tuple[str, ...], Field(min_length=1, max_length=100)]

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        import polars as pl

        return pl.when(~inputs[0].is_in(list(self.values))).then(inputs[0])


class Split(Step):
    """Cuts a text at `separator` and takes the part number `index` (0 is the first, -1 the last), or NULL."""

    type: Literal["split"]
    separator: Annotated[str, Field(min_length=1, max_length=10)]
    index: Annotated[int, Field(ge=-50, le=50)]

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        return inputs[0].str.split(self.separator).list.get(self.index, null_on_oob=True)


class RegexExtract(Step):
    """The first match of group `group` of `pattern`, or NULL. No look-around, no back-references."""

    type: Literal["regex_extract"]
    pattern: Annotated[str, Field(min_length=1, max_length=500)]
    group: Annotated[int, Field(ge=0, le=20)] = 1

    @model_validator(mode="after")
    def _linear(self) -> RegexExtract:
        require_pattern(self.pattern)
        groups = capture_groups(self.pattern)
        if self.group > groups:
            raise ValueError(f"the pattern has {groups} group(s), so there is no group {self.group}")
        return self

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        return inputs[0].str.extract(self.pattern, self.group)


class Replace(Step):
    """Puts `by` (nothing) in the place of each `text`: the dashes of a parcel number."""

    type: Literal["replace"]
    text: Annotated[str, Field(min_length=1, max_length=100)]
    by: Annotated[str, Field(max_length=100)] = ""

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        return inputs[0].str.replace_all(self.text, self.by, literal=True)


class Substring(Step):
    """`length` characters from the one numbered `start` (1 is the first), or all that follow."""

    type: Literal["substring"]
    start: Annotated[int, Field(ge=1, le=10_000)]
    length: Annotated[int, Field(ge=1, le=10_000)] | None = None

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        return inputs[0].str.slice(self.start - 1, self.length)
