"""Transformations that translate codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from typing_extensions import override

from shared.mapping.transformations.step import References, Step, is_not_blank

if TYPE_CHECKING:
    import polars as pl


class ValueMap(Step):
    """Translates a code by the value map named `map`. A code that it does not have becomes `default` if that is
    given (it may be null), and rejects the row otherwise.
    """

    type: Literal["value_map"]
    map: str
    default: str | None = None

    @property
    @override
    def failure_message(self) -> str:
        return f"is not in the value map {self.map}"

    @property
    def rejects(self) -> bool:
        """True where an unknown code rejects its row."""
        return "default" not in self.model_fields_set

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        import polars as pl

        codes = dict(references.value_maps[self.map])
        translated = inputs[0].replace_strict(codes, default=self.default, return_dtype=pl.String)
        return pl.when(inputs[0].is_not_null()).then(translated)

    @override
    def failed(self, inputs: Sequence[pl.Expr], result: pl.Expr, references: References) -> pl.Expr | None:
        if not self.rejects:
            return None
        return inputs[0].is_not_null() & ~inputs[0].is_in(list(references.value_maps[self.map]))


class Lookup(Step):
    """Finds the row of the lookup named `table` whose key the sources are, and takes its `column`. Blanks around keys
    are dropped on both sides. A key that it does not have becomes `default` if that is given (it may be null), and
    rejects the row otherwise; a NULL or blank key is NULL.
    """

    type: Literal["lookup"]
    table: str
    column: str
    default: str | None = None
    variadic: ClassVar[bool] = True

    @property
    @override
    def failure_message(self) -> str:
        return f"is no key of the lookup {self.table}"

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        import polars as pl

        rows = references.lookups[self.table]
        key = lookup_key(inputs)
        value = key.replace_strict(
            rows.get_column(LOOKUP_KEY), rows.get_column(self.column), default=self.default, return_dtype=pl.String
        )
        return pl.when(key.is_not_null()).then(value)

    @override
    def failed(self, inputs: Sequence[pl.Expr], result: pl.Expr, references: References) -> pl.Expr | None:
        if "default" in self.model_fields_set:
            return None
        key = lookup_key(inputs)
        keys = references.lookups[self.table].get_column(LOOKUP_KEY)
        return key.is_not_null() & ~key.is_in(keys.implode())


class ParseBoolean(Step):
    """Reads the county's own words for yes and no: true for one of `true`, false for one of `false`, whatever their
    case, and `true` and `false` themselves, which a source gives whose own type is boolean. A blank text is NULL;
    another one rejects the row.
    """

    type: Literal["parse_boolean"]
    true: Annotated[tuple[str, ...], Field(min_length=1, max_length=50)]
    false: Annotated[tuple[str, ...], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _distinct(self) -> ParseBoolean:
        if {word.lower() for word in self.true} & {word.lower() for word in self.false}:
            raise ValueError("a word stands for true and for false")
        return self

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        import polars as pl

        word = inputs[0].str.strip_chars().str.to_lowercase()
        yes, no = ([text.strip().lower() for text in words] for words in (self.true, self.false))
        if "true" not in no and "false" not in yes:
            yes, no = [*yes, "true"], [*no, "false"]
        return pl.when(word.is_in(yes)).then(pl.lit("true")).when(word.is_in(no)).then(pl.lit("false"))

    @override
    def failed(self, inputs: Sequence[pl.Expr], result: pl.Expr, references: References) -> pl.Expr | None:
        return is_not_blank(inputs[0]) & result.is_null()


LOOKUP_KEY = "\x1dkey"
"""The column of a lookup's rows that has their keys, as `lookup_key` writes them."""


def lookup_key(columns: Sequence[pl.Expr]) -> pl.Expr:
    """Key columns as one unique text; NULL where one of them is NULL or blank."""
    import polars as pl

    texts = [column.str.strip_chars() for column in columns]
    whole = texts[0] if len(texts) == 1 else pl.concat_str(texts, separator="\x1f")
    return pl.when(pl.all_horizontal(is_not_blank(column) for column in columns)).then(whole)
