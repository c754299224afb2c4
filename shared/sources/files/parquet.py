"""Parquet files and typed frames as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from shared.counties.source_description import ParquetFile
from shared.geo.reference_systems import DEGREES, UnknownSystemError, srid_of_projjson
from shared.sources.files.frames import unreadable_file
from shared.sources.text_values import plain_number

_UNPRINTABLE = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_MAX_EXACT_FLOAT = 2.0**53
"""Bound of exactly represented whole doubles (IEEE 754), which are written without decimals."""


class ParquetTable:
    """A Parquet file; lists and structures become JSON. Binary columns are text where all their values are printable
    UTF-8, which some writers do not declare (Impala, older Spark), and hexadecimal otherwise.
    """

    def __init__(self, path: Path, description: ParquetFile) -> None:
        self._path = path
        self._format = description

    def columns(self) -> dict[str, str]:
        return {name: str(type_) for name, type_ in self._schema.items()}

    def frames(self, rows: int) -> Iterator[pl.DataFrame]:
        scan = pl.scan_parquet(self._path)
        start = 0
        while True:
            try:
                texts = [self._placed(_text(name, dtype, name in self._texts)) for name, dtype in self._schema.items()]
                frame = scan.slice(start, rows).select(texts).collect(engine="streaming")
            except (pl.exceptions.PolarsError, OSError) as error:
                raise unreadable_file(
                    self._format.file, "Parquet file", error, "Write it again, or send it as CSV."
                ) from None
            if frame.height:
                yield _with_without_exponents(frame, self._schema)
            if frame.height < rows:
                return
            start += rows

    def _placed(self, text: pl.Expr) -> pl.Expr:
        """A geometry column with the prefix of its reference system, where that is not degrees."""
        system = self._systems.get(text.meta.output_name())
        return text if system is None else (pl.lit(f"{system};") + text).alias(text.meta.output_name())

    @cached_property
    def _systems(self) -> dict[str, str]:
        """By column of shapes what is to stand before them (GeoParquet 1.1; see
        `shared.geo.geometry.read_shape`).
        """
        try:
            described = orjson.loads(pl.read_parquet_metadata(self._path)["geo"])["columns"]
            return {name: system for name, column in described.items() if (system := _system(column)) is not None}
        except (pl.exceptions.PolarsError, OSError, KeyError, TypeError, AttributeError, orjson.JSONDecodeError):
            return {}  # not GeoParquet

    @cached_property
    def _texts(self) -> frozenset[str]:
        """The binary columns whose values are text."""
        return frozenset(
            name for name, dtype in self._schema.items() if isinstance(dtype, pl.Binary) and self._is_text(name)
        )

    def _is_text(self, name: str) -> bool:
        broken = pl.col(name).cast(pl.String).str.contains(_UNPRINTABLE).any()
        try:
            return not pl.scan_parquet(self._path).select(broken).collect(engine="streaming").item()
        except pl.exceptions.ComputeError:  # bytes that are no UTF-8
            return False

    @cached_property
    def _schema(self) -> pl.Schema:
        try:
            return pl.scan_parquet(self._path).collect_schema()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise unreadable_file(
                self._format.file, "Parquet file", error, "Write it again, or send it as CSV."
            ) from None


def _system(column: Mapping[str, Any]) -> str | None:
    """The prefix of a geometry column's reference system; None for degrees, which is the default of GeoParquet."""
    if "crs" not in column:
        return None
    try:
        srid = srid_of_projjson(column["crs"])
    except UnknownSystemError as error:
        return f"CRS={error}"
    return None if srid in DEGREES else f"SRID={srid}"


def as_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """A typed frame as text, as mappings read it."""
    texts = frame.select(_text(name, dtype, is_text=False) for name, dtype in frame.schema.items())
    return _with_without_exponents(texts, frame.schema)


def _with_without_exponents(texts: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    return texts.with_columns(_without_exponents(texts, name) for name, dtype in schema.items() if dtype.is_float())


def _text(name: str, dtype: pl.DataType, is_text: bool) -> pl.Expr:
    value = pl.col(name)
    if isinstance(dtype, pl.Binary) and not is_text:
        return value.bin.encode("hex")
    if isinstance(dtype, pl.Datetime):
        return value.dt.strftime("%Y-%m-%d %H:%M:%S%.6f%:z" if dtype.time_zone else "%Y-%m-%d %H:%M:%S%.6f")
    if dtype.is_float():
        whole = (value == value.floor()) & (value.abs() < _MAX_EXACT_FLOAT)
        digits = (
            pl.when(whole).then(value.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(value.cast(pl.String))
        )
        return pl.when(value.is_not_nan()).then(digits).alias(name)
    if dtype.is_nested():
        encoded = pl.struct(value.alias("value")).struct.json_encode().str.slice(len('{"value":')).str.head(-1)
        return pl.when(value.is_not_null()).then(encoded).alias(name)
    return value.cast(pl.String)


def _without_exponents(frame: pl.DataFrame, name: str) -> pl.Series:
    """A column of floats as text without exponents, of which few values have one."""
    texts = frame[name]
    if not texts.str.contains("e", literal=True).any():
        return texts
    return pl.Series(name, [plain_number(text) if text and "e" in text else text for text in texts], dtype=pl.String)
