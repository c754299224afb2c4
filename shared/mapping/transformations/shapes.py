"""Transformations to shapes: well-known binary (WKB) in hexadecimal, longitude first, in degrees (WGS 84)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from typing_extensions import override

from shared.geo.geometry import point_wkb, wkt_to_wkb
from shared.mapping.transformations.step import NUMERIC, References, Step, ValueKind, is_not_blank

if TYPE_CHECKING:
    import polars as pl


class PointShape(Step):
    """The point whose longitude and latitude are the two sources. Where one is NULL or blank, so is the point."""

    type: Literal["point"]
    accepts: ClassVar[frozenset[ValueKind]] = NUMERIC
    variadic: ClassVar[bool] = True
    min_sources: ClassVar[int] = 2
    max_sources: ClassVar[int] = 2

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        import polars as pl

        def points(columns: Sequence[pl.Series]) -> pl.Series:
            pairs = zip(columns[0].to_list(), columns[1].to_list(), strict=True)
            return pl.Series([None if None in pair else point_wkb(pair).hex() for pair in pairs], dtype=pl.String)

        return pl.map_batches([number.cast(pl.Float64) for number in inputs], points, return_dtype=pl.String)


class ParseWkt(Step):
    """Reads a point, a polygon or several polygons from well-known text; a third coordinate is dropped. A blank text or
    an empty shape is NULL; a text that is none of these rejects the row.
    """

    type: Literal["parse_wkt"]

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        import polars as pl

        def shapes(texts: pl.Series) -> pl.Series:
            return pl.Series([None if text is None else wkt_to_wkb(text) for text in texts.to_list()], dtype=pl.String)

        return inputs[0].map_batches(shapes, return_dtype=pl.String)

    @override
    def failed(self, inputs: Sequence[pl.Expr], result: pl.Expr, references: References) -> pl.Expr | None:
        empty = inputs[0].str.to_uppercase().str.contains(r"^\s*\w+\s+(?:ZM?\s+|M\s+)?EMPTY\s*$")
        return is_not_blank(inputs[0]) & ~empty & result.is_null()
